import TarnColumns
import TarnExpressions
import TarnParquet

extension Condition {
  /// Whether the condition may be true for a row of a row group, as far as the statistics in the file's footer tell.
  ///
  /// - Parameter schema: The table's columns; the file's values are compared in their types.
  func mayHold(_ file: ParquetFile, group: Int, schema: Schema) throws(FileGroupError) -> Bool {
    var bounds: [String: ColumnBounds] = [:]
    for name in columns {
      guard let field = schema[name], let column = file.schema.index(of: name) else { continue }
      bounds[name] = file.bounds(group: group, column: column, as: field.type)
    }
    return try !ranges(bounds, file, group).isEmpty
  }

  /// The rows of a row group for which the condition may be true, as far as statistics and page index tell; one that
  /// is damaged or contradicts itself tells nothing.
  ///
  /// - Parameter schema: The table's columns; the file's values are compared in their types.
  /// - Returns: Nil where there is no such row.
  /// - Throws: ``FileGroupError`` where the page index cannot be read.
  package func selection(
    _ file: ParquetFile, group: Int, schema: Schema
  ) async throws(FileGroupError) -> RowSelection? {
    guard try mayHold(file, group: group, schema: schema) else { return nil }
    var bounds: [String: ColumnBounds] = [:]
    for name in columns.sorted() {
      guard let field = schema[name], let column = file.schema.index(of: name) else { continue }
      do { bounds[name] = try await file.pageBounds(group: group, column: column, as: field.type) } catch {
        throw FileGroupError(error)
      }
    }
    let found = try ranges(bounds, file, group)
    guard !found.isEmpty else { return nil }
    let isWhole = found == [0..<file.rowCount(inGroup: group)]
    return RowSelection(group: group, ranges: isWhole ? nil : found, followsPageIndex: true)
  }

  private func ranges(
    _ bounds: [String: ColumnBounds], _ file: ParquetFile, _ group: Int
  ) throws(FileGroupError) -> [Range<Int>] {
    do { return try ranges(bounds, of: file.rowCount(inGroup: group)) } catch { throw FileGroupError(error) }
  }
}
