import TarnAvro
import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet

/// Looks whether another writer's files hold the keys and partition paths that are made of their rows' fields here.
///
/// Where they do not, a row that comes again would not be found, and be stored twice: Spark's `bulk_insert` writes a
/// time as `1970-01-01 00:00:00.0` where its `upsert` writes microseconds, a key generator by time formats the path,
/// and the properties of a table need not tell. The first and the last row of a file are looked at, as a merge leaves
/// older keys at its head and newer ones at its end.
package struct StoredKeyCheck: Sendable {
  private let table: String
  private let generator: RecordKeyGenerator
  /// The key fields, and behind them the partition fields, in the table's types; a field that is both stands twice.
  private let fields: [Field]

  /// - Returns: Nil for a table without meta columns, which stores no keys beside its fields.
  package init?(_ generator: RecordKeyGenerator, _ columns: Schema, table: String, populatesMetaColumns: Bool)
  {
    guard populatesMetaColumns else { return nil }
    self.table = table
    self.generator = generator
    fields = (generator.keyFields + generator.partition.fields).compactMap { columns[$0] }
    guard fields.count == generator.keyFields.count + generator.partition.fields.count else { return nil }
  }

  /// Checks a file.
  ///
  /// - Throws: ``FileGroupError`` with code `unsupported` that names the file, the stored text and the one made.
  func check(_ file: ParquetFile) async throws(FileGroupError) {
    try await fileGroupErrors { try await compare(file) }
  }

  private func compare(_ file: ParquetFile) async throws {
    guard file.rowCount > 0 else { return }
    for field in fields { try RecordKeyGenerator.requireText(field.type, field.name) }
    var wanted = Schema([
      Field(MetaColumns.recordKey, .string), Field(MetaColumns.partitionPath, .string),
    ])
    for field in fields { wanted = wanted.adding([field]) }
    let rows = try await StoredRows.read(
      file, at: file.rowCount == 1 ? [0] : [0, file.rowCount - 1], as: wanted)
    let columns = fields.map { rows[$0.name] ?? Column(nulls: rows.count, of: $0.type) }
    let keys = try generator.storedKeys(
      Array(columns.prefix(generator.keyFields.count)), count: rows.count)
    let places = Array(columns.dropFirst(generator.keyFields.count))
    for row in 0..<rows.count {
      let position = row == 0 ? 0 : file.rowCount - 1
      if let stored = Self.text(rows[MetaColumns.recordKey], row),
        ExactText(stored) != ExactText(keys.string(row))
      {
        throw refusal(file, position, "record key", stored, keys.string(row), generator.keyFields)
      }
      var path: [UInt8] = []
      // A value that Tarn would refuse tells nothing of how the others were made.
      guard generator.partition.append(places, row, to: &path) == nil,
        let stored = Self.text(rows[MetaColumns.partitionPath], row)
      else { continue }
      let made = String(decoding: path, as: UTF8.self)
      guard ExactText(stored) != ExactText(made) else { continue }
      throw refusal(file, position, "partition path", stored, made, generator.partition.fields)
    }
  }

  private static func text(_ column: Column?, _ row: Int) -> String? {
    guard let column, !column.isNull(row) else { return nil }
    return column.strings?.string(row)
  }

  private func refusal(
    _ file: ParquetFile, _ row: Int, _ what: String, _ stored: String, _ made: String, _ fields: [String]
  ) -> FileGroupError {
    let (stored, made) = (stored.prefix(80).debugDescription, made.prefix(80).debugDescription)
    return FileGroupError(
      .unsupported,
      "table \(table), \(file.path): row \(row) is stored with the \(what) \(stored), where Tarn makes \(made) of "
        + "\(fields.joined(separator: ", ")): its writer makes keys otherwise (as Spark's bulk_insert does of times, or "
        + "a key generator by time), and rows would be stored twice, so Tarn only reads the table; upsert its rows into "
        + "a new one to go on")
  }
}
