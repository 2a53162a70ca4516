import TarnColumns
import TarnParquet

extension Predicate {
  /// Whether the condition may be true for a row of a row group, as far as the statistics in the file's footer tell.
  ///
  /// - Parameter schema: The table's columns; the file's values are compared in their types.
  func mayHold(_ file: ParquetFile, group: Int, schema: Schema) throws(TableError) -> Bool {
    let rows = file.rowCount(inGroup: group)
    var bounds: [String: PartBounds] = [:]
    for name in columns {
      guard let field = schema[name], let column = file.schema.index(of: name),
        let statistics = file.statistics(group: group, column: column)
      else { continue }
      bounds[name] = PartBounds(field, file.schema.fields[column].type, [(0..<rows, statistics, false)])
    }
    return try !ranges(bounds, of: rows).isEmpty
  }

  /// The rows of a row group for which the condition may be true, as far as statistics and page index tell; one that
  /// is damaged or contradicts itself tells nothing.
  ///
  /// - Parameter schema: The table's columns; the file's values are compared in their types.
  /// - Returns: Nil where there is no such row.
  /// - Throws: ``TableError`` where the page index cannot be read.
  package func selection(
    _ file: ParquetFile, group: Int, schema: Schema
  ) async throws(TableError) -> RowSelection? {
    guard try mayHold(file, group: group, schema: schema) else { return nil }
    let rows = file.rowCount(inGroup: group)
    var bounds: [String: PartBounds] = [:]
    for name in columns.sorted() {
      guard let field = schema[name], let column = file.schema.index(of: name) else { continue }
      let pages = try await tableErrors { try await file.pageStatistics(group: group, column: column) }
      guard let pages, pages.count > 1 else { continue }
      bounds[name] = PartBounds(
        field, file.schema.fields[column].type, pages.map { ($0.rows, $0.values, $0.isAllNull) })
    }
    let found = try ranges(bounds, of: rows)
    guard !found.isEmpty else { return nil }
    return RowSelection(group: group, ranges: found == [0..<rows] ? nil : found, followsPageIndex: true)
  }

  /// The rows for which the condition may be true.
  ///
  /// - Parameters:
  ///   - bounds: What is known of columns; of one that is missing, nothing is.
  ///   - isNegated: Whether the opposite is asked for: rows for which the condition is false.
  private func ranges(
    _ bounds: [String: PartBounds], of rows: Int, isNegated: Bool = false
  ) throws(TableError) -> [Range<Int>] {
    switch self {
    case .not(let inner): return try inner.ranges(bounds, of: rows, isNegated: !isNegated)
    case .and(let left, let right), .or(let left, let right):
      var isAnd = false
      if case .and = self { isAnd = true }
      let first = try left.ranges(bounds, of: rows, isNegated: isNegated)
      let second = try right.ranges(bounds, of: rows, isNegated: isNegated)
      return isAnd != isNegated ? RowRanges.intersection(first, second) : RowRanges.union(first + second)
    case .isNull(let name), .isIn(let name, _), .comparison(let name, _, _):
      guard let parts = bounds[name] else { return RowRanges.union([0..<rows]) }
      let mayHold = try mayHold(parts, isNegated)
      return RowRanges.union(zip(parts.rows, mayHold).filter(\.1).map(\.0))
    }
  }

  /// For each part, whether a condition on one column may be true.
  private func mayHold(_ parts: PartBounds, _ isNegated: Bool) throws(TableError) -> [Bool] {
    switch self {
    case .isNull:
      return parts.rows.indices.map { part in
        guard let nulls = parts.nullCounts[part] else { return !(isNegated && parts.isAllNull[part]) }
        return isNegated ? nulls < parts.rows[part].count : nulls > 0
      }
    case .isIn(_, let literals):
      var result = parts.isAllNull.map { isNegated && !$0 }
      guard !isNegated else { return result }
      for literal in literals {
        let holds = try parts.mayHold(.equal, literal)
        for part in result.indices where holds[part] { result[part] = true }
      }
      return result
    case .comparison(_, let comparison, let literal):
      return try parts.mayHold(isNegated ? comparison.opposite : comparison, literal)
    case .not, .and, .or: return parts.rows.map { _ in true }
    }
  }
}

extension Predicate.Comparison {
  /// The comparison that holds where this one does not.
  fileprivate var opposite: Self {
    switch self {
    case .equal: .notEqual
    case .notEqual: .equal
    case .less: .greaterOrEqual
    case .lessOrEqual: .greater
    case .greater: .lessOrEqual
    case .greaterOrEqual: .less
    }
  }
}

/// What a file tells of a column in parts of a row group: in all of it, or in its pages.
private struct PartBounds {
  typealias Part = (rows: Range<Int>, values: ColumnStatistics, isAllNull: Bool)

  let field: Field
  let rows: [Range<Int>]
  let nullCounts: [Int?]
  let isAllNull: [Bool]
  /// The least and the greatest value of each part, null where it is not told; nil where none can be compared.
  private var least: RecordBatch?
  private var greatest: RecordBatch?

  /// - Parameters:
  ///   - field: The table's column, in whose type values are compared.
  ///   - stored: The type in the file.
  init(_ field: Field, _ stored: DataType, _ parts: [Part]) {
    self.field = field
    rows = parts.map(\.rows)
    nullCounts = parts.map(\.values.nullCount)
    isAllNull = parts.map { $0.isAllNull || $0.values.nullCount == $0.rows.count }
    least = bounds(stored, parts.map(\.values.minimum))
    greatest = bounds(stored, parts.map(\.values.maximum))
  }

  private func bounds(_ stored: DataType, _ values: [ColumnStatistics.Value?]) -> RecordBatch? {
    var builder = ColumnBuilder(stored)
    for value in values {
      if let value, builder.append(value) { continue }
      builder.appendNulls()
    }
    guard let column = try? builder.finish().converted(to: field.type) else { return nil }
    return try? RecordBatch(
      schema: Schema([Field(field.name, field.type, isNullable: true)]), columns: [column],
      count: values.count)
  }

  /// For each part, whether a comparison may be true for a value within the bounds.
  func mayHold(_ comparison: Predicate.Comparison, _ literal: Literal) throws(TableError) -> [Bool] {
    /// Where a comparison is true for bounds, or may be.
    func test(
      _ comparison: Predicate.Comparison, _ bounds: RecordBatch?
    ) throws(TableError) -> [Bool] {
      guard let bounds else { return rows.map { _ in true } }
      let truth = try Predicate.comparison(field.name, comparison, literal).evaluate(bounds)
      return zip(truth.isTrue, truth.isUnknown).map { $0 || $1 }
    }
    // Bounds leave out what is no number, and that comes after all numbers.
    let hasUnbounded = field.type == .float || field.type == .double
    var result: [Bool]
    switch comparison {
    case .equal:
      let isAbove = try test(.lessOrEqual, least)
      let isBelow = try test(.greaterOrEqual, greatest)
      let isUnbounded = hasUnbounded && literal.isNoNumber
      result = zip(isAbove, isBelow).map { isUnbounded || $0 && $1 }
    case .less, .lessOrEqual: result = try test(comparison, least)
    case .notEqual:
      let (differs, otherDiffers) = (try test(.notEqual, least), try test(.notEqual, greatest))
      result = zip(differs, otherDiffers).map { hasUnbounded || $0 || $1 }
    case .greater, .greaterOrEqual: result = try test(comparison, greatest).map { hasUnbounded || $0 }
    }
    // A comparison with null is never true.
    for part in result.indices where isAllNull[part] { result[part] = false }
    return result
  }
}

extension Literal {
  /// Whether this is the value that is no number.
  fileprivate var isNoNumber: Bool {
    switch self {
    case .number(let text): Double(text)?.isNaN ?? false
    case .floating(let value): value.isNaN
    case .string, .boolean: false
    }
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
