import TarnColumns
import TarnParquet

/// Reads chosen rows of base files.
package enum StoredRows {
  /// How many rows of a file take about so many bytes in a schema's columns, in each of its row groups; at least one.
  package static func step(_ file: ParquetFile, _ schema: Schema, bytes: Int) -> Int {
    let columns = schema.fields.compactMap { file.schema.index(of: $0.name) }
    return (0..<file.rowGroupCount).reduce(Int(Int32.max)) {
      min($0, file.usualRows(inGroup: $1, columns: columns, bytes: bytes))
    }
  }

  /// Rows of a file in a schema's columns, with strings as positions in dictionaries where the file has them so; a
  /// column that the file does not have is null.
  ///
  /// - Parameter positions: The rows' positions in the file, ascending.
  /// - Throws: ``FileGroupError``.
  package static func read(
    _ file: ParquetFile, at positions: [Int], as schema: Schema
  ) async throws(FileGroupError) -> RecordBatch {
    try await fileGroupErrors { try await rows(file, at: positions, as: schema) }
  }

  private static func rows(
    _ file: ParquetFile, at positions: [Int], as schema: Schema
  ) async throws -> RecordBatch {
    for field in schema.fields {
      if let reason = file.unreadable[field.name] {
        throw FileGroupError(
          .unsupported, "\(file.path): column \(field.name) cannot be read yet: \(reason)", path: file.path,
          column: field.name)
      }
    }
    let target = schema.relaxed
    let file = file.keepingDictionaries()
    let columns = schema.fields.compactMap { file.schema.index(of: $0.name) }
    var parts: [RecordBatch] = []
    var start = 0
    var rest = positions[...]
    for group in 0..<file.rowGroupCount {
      let end = start + file.rowCount(inGroup: group)
      let rows = rest.prefix { $0 < end }
      rest = rest.dropFirst(rows.count)
      if !rows.isEmpty {
        let ordinals = rows.map { $0 - start }
        let part =
          columns.isEmpty
          ? try RecordBatch(schema: Schema([]), columns: [], count: rows.count)
          : try await file.readRows(ordinals, inGroup: group, columns: columns)
        parts.append(try part.aligned(to: target))
      }
      start = end
    }
    guard rest.isEmpty else {
      throw FileGroupError(
        .damaged, "\(file.path): it has \(start) rows, and no row \(rest[rest.startIndex])", path: file.path)
    }
    return try RecordBatch.concatenate(parts, schema: target)
  }
}
