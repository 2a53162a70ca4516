import TarnColumns
import TarnExpressions
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// The record keys that a condition asks for, by which the key index of a file tells which pages may hold them.
struct KeyProbe: Sendable {
  /// Shortened hashes of the keys, ascending.
  private let hashes: [UInt32]
  private let fields: [Field]

  /// Keys beyond which an index is not asked.
  private static let mostKeys = 4_096

  /// The keys of the rows for which a condition may be true; nil where it does not fix them, or they are not made of the
  /// key fields alone.
  init?(_ condition: Condition, _ properties: TableProperties, _ schema: Schema) {
    guard let generator = try? RecordKeyGenerator(properties) else { return nil }
    var fields: [Field] = []
    var combinations: [[Column]] = [[]]
    for name in generator.keyFields {
      guard let field = schema[name], KeyText.objection(to: field.type) == nil,
        let values = condition.values(of: name), values.count * combinations.count <= Self.mostKeys
      else { return nil }
      fields.append(field)
      var longer: [[Column]] = []
      for literal in values {
        guard let value = try? literal.stored(in: field) else { return nil }
        longer += combinations.map { $0 + [value] }
      }
      combinations = longer
    }
    var hashes: [UInt32] = []
    for columns in combinations {
      guard let key = try? generator.storedKeys(columns, count: 1), key.count == 1 else { return nil }
      hashes.append(KeyIndex.shortened(key.hash(0)))
    }
    self.hashes = hashes.sorted()
    self.fields = fields
  }

  /// The rows of each row group of a file that may have the keys; nil where its key index does not tell.
  ///
  /// - Throws: ``TableError`` where the storage fails.
  func ranges(
    in file: ParquetFile, of storage: any Storage, warn: (String) -> Void
  ) async throws(TableError) -> [[Range<Int>]]? {
    guard let reference = file.keyIndexReference, file.hasKeysOfTarn, hasSameTexts(file) else { return nil }
    do {
      let index = try await KeyIndexDirectory.read(reference, in: storage, at: file.path)
      guard let places = index.places(in: file) else { return nil }
      var ranges = [[Range<Int>]](repeating: [], count: file.rowGroupCount)
      for candidate in try await index.lookUp(hashes, in: storage, at: file.path) {
        guard let place = places[Int(candidate.slot)] else { continue }
        ranges[place.group].append(place.rows)
      }
      return ranges.map { RowRanges.union($0) }
    } catch {
      guard case .damaged = error else { throw TableError(error) }
      warn("\(error): rows are looked for without it")
      return nil
    }
  }

  /// Whether the key fields have in a file the texts that they have in the table's types.
  private func hasSameTexts(_ file: ParquetFile) -> Bool {
    fields.allSatisfy { field in
      guard let stored = file.schema[field.name]?.type else { return false }
      return stored.hasSameTexts(as: field.type)
    }
  }
}
