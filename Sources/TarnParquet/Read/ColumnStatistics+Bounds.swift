import TarnColumns
import TarnExpressions

extension ParquetFile {
  /// What the footer tells of a column in a row group, as values of a type; nil where it tells nothing.
  package func bounds(group: Int, column: Int, as type: DataType) -> ColumnBounds? {
    guard let statistics = statistics(group: group, column: column) else { return nil }
    return bounds(
      column, type, [PageStatistics(rows: 0..<rowCount(inGroup: group), values: statistics, isAllNull: false)]
    )
  }

  /// What the page index tells of a column in the pages of a row group; nil where there is none, or a single page.
  ///
  /// - Throws: ``ParquetError`` where the page index cannot be read.
  package func pageBounds(
    group: Int, column: Int, as type: DataType
  ) async throws(ParquetError) -> ColumnBounds? {
    guard let pages = try await pageStatistics(group: group, column: column), pages.count > 1 else {
      return nil
    }
    return bounds(column, type, pages)
  }

  private func bounds(_ column: Int, _ type: DataType, _ parts: [PageStatistics]) -> ColumnBounds {
    func values(_ bounds: [ColumnStatistics.Value?]) -> Column? {
      var builder = ColumnBuilder(schema.fields[column].type)
      for bound in bounds {
        if let bound, builder.append(bound) { continue }
        builder.appendNulls()
      }
      return try? builder.finish().converted(to: type)
    }
    return ColumnBounds(
      type,
      parts.map {
        ColumnBounds.Part(rows: $0.rows, nullCount: $0.values.nullCount, isAllNull: $0.isAllNull)
      }, least: values(parts.map(\.values.minimum)), greatest: values(parts.map(\.values.maximum)))
  }
}

extension ColumnBuilder {
  /// Appends a bound; false where it has another layout than the column, or is beyond it.
  fileprivate mutating func append(_ bound: ColumnStatistics.Value) -> Bool {
    switch (type, bound) {
    case (.boolean, .boolean(let value)): append(value)
    case (.int8, .integer(let value)):
      guard let value = Int8(exactly: value) else { return false }
      append(value)
    case (.int16, .integer(let value)):
      guard let value = Int16(exactly: value) else { return false }
      append(value)
    case (.int32, .integer(let value)), (.date, .integer(let value)):
      guard let value = Int32(exactly: value) else { return false }
      append(value)
    case (.int64, .integer(let value)), (.timestamp, .integer(let value)), (.time, .integer(let value)):
      append(value)
    case (.decimal, .decimal(let value)): append(value)
    case (.float, .number(let value)): append(Float(value))
    case (.double, .number(let value)): append(value)
    case (.string, .bytes(let value)), (.binary, .bytes(let value)):
      return (try? append(value.span.bytes)) != nil
    default: return false
    }
    return true
  }
}
