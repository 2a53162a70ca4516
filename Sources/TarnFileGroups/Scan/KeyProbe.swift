import TarnBytes
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
  private let keys: ByteStrings
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
    var keys = ByteStrings()
    for columns in combinations {
      guard let key = try? generator.storedKeys(columns, count: 1), key.count == 1,
        (try? keys.append(key[0])) != nil
      else { return nil }
    }
    hashes = (0..<keys.count).map { KeyIndex.shortened(keys.hash($0)) }.sorted()
    self.keys = keys
    self.fields = fields
  }

  /// The rows of each row group of a file that may have the keys; nil where its key index does not tell.
  ///
  /// - Throws: ``FileGroupError`` where the storage fails.
  func ranges(
    in file: ParquetFile, _ reader: BaseFileReader
  ) async throws(FileGroupError) -> [[Range<Int>]]? {
    guard file.hasKeysOfTarn, hasSameTexts(file) else { return nil }
    do throws(KeyIndexError) {
      guard let index = try await reader.footers.keyIndex(of: file, in: reader.storage),
        let pages = index.pages(in: file)
      else { return nil }
      var ranges = [[Range<Int>]](repeating: [], count: file.rowGroupCount)
      for candidate in try await index.lookUp(hashes, in: reader.storage, at: file.path) {
        guard let page = pages[Int(candidate.slot)] else { continue }
        ranges[page.group].append(page.rows)
      }
      return ranges.map { RowRanges.union($0) }
    } catch {
      guard case .damaged = error else { throw FileGroupError(error) }
      reader.warn("\(error): rows are looked for without it")
      return nil
    }
  }

  /// Whether one of the keys may be in a file, by the key range in its footer.
  func mayBeIn(_ file: ParquetFile) -> Bool {
    guard file.hasKeysOfTarn, hasSameTexts(file) else { return true }
    let range = KeyRange(file)
    return (0..<keys.count).contains { !range.excludes(keys[$0]) }
  }

  /// Whether the key fields have in a file the texts that they have in the table's types.
  private func hasSameTexts(_ file: ParquetFile) -> Bool {
    fields.allSatisfy { field in
      guard let stored = file.schema[field.name]?.type else { return false }
      return stored.hasSameTexts(as: field.type)
    }
  }
}
