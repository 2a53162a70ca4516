import TarnColumns
import TarnTimeline

/// A row of the random tables, plain enough for a dictionary.
struct ModelRow: Hashable, CustomStringConvertible {
  var key: String
  var order: Int64?
  var part: String?
  var value: Int64?
  /// Columns that came later, `extra0` and so on; missing ones are null.
  var extras: [String?] = []

  /// The most columns that come later.
  static let extraLimit = 3
  /// The values of the partition column.
  static let parts: [String?] = ["a", "b", "ü/1=2", "", nil]

  /// The folder the row belongs in: null and the empty text share one, and `/` and `=` are percent-encoded.
  var path: String {
    guard let part, !part.isEmpty else { return "part=__HIVE_DEFAULT_PARTITION__" }
    return "part=" + part.replacing("/", with: "%2F").replacing("=", with: "%3D")
  }

  var description: String {
    let shown = extras.map { $0 ?? "null" }.joined(separator: ",")
    return "(\(key) order \(order.map(String.init) ?? "null") part \(part.debugDescription) "
      + "value \(value.map(String.init) ?? "null") [\(shown)])"
  }
}

extension ModelRow {
  /// The rows of a batch of the table's columns; what it lacks is null.
  static func rows(of batch: RecordBatch) -> [ModelRow] {
    (0..<batch.count).map { row in
      ModelRow(
        key: text("key", batch, row) ?? "", order: number("order", batch, row),
        part: text("part", batch, row),
        value: number("value", batch, row),
        extras: (0..<extraLimit).map { text("extra\($0)", batch, row) })
    }
  }

  /// The text of a column; nil for null, and where there is no such column.
  static func text(_ name: String, _ batch: RecordBatch, _ row: Int) -> String? {
    batch[name].flatMap { $0.isNull(row) ? nil : $0.strings?.string(row) }
  }

  private static func number(_ name: String, _ batch: RecordBatch, _ row: Int) -> Int64? {
    guard let column = batch[name], !column.isNull(row), case .int64(let values) = column.values else {
      return nil
    }
    return values[row]
  }
}

/// Rows to upsert and to delete, with the columns they come with.
struct ModelBatch {
  var rows: [ModelRow] = []
  var isDelete: [Bool] = []
  /// How many of the later columns the batch has.
  var extraCount = 0
  /// Whether it has the column `value`.
  var hasValue = true

  mutating func append(_ row: ModelRow, isDelete: Bool = false) {
    rows.append(row)
    self.isDelete.append(isDelete)
  }

  /// A row of this batch over a stored one, which keeps what the batch has no columns for.
  func row(_ row: ModelRow, over stored: ModelRow) -> ModelRow {
    var row = row
    if !hasValue { row.value = stored.value }
    for index in extraCount..<ModelRow.extraLimit { row.extras[index] = stored.extras[index] }
    return row
  }

  static func schema(extraCount: Int = 0, hasValue: Bool = true) -> Schema {
    var fields = [Field("key", .string), Field("order", .int64), Field("part", .string)]
    if hasValue { fields.append(Field("value", .int64)) }
    for index in 0..<extraCount { fields.append(Field("extra\(index)", .string)) }
    return Schema(fields)
  }

  func columns() throws -> RecordBatch {
    var columns = [
      try Self.strings(rows.map(\.key)), numbers(rows.map(\.order)), try Self.strings(rows.map(\.part)),
    ]
    if hasValue { columns.append(numbers(rows.map(\.value))) }
    for index in 0..<extraCount { columns.append(try Self.strings(rows.map { $0.extras[index] })) }
    return try RecordBatch(
      schema: Self.schema(extraCount: extraCount, hasValue: hasValue), columns: columns, count: rows.count)
  }

  func changes() throws -> ChangeBatch {
    var bits = Bitmap()
    for bit in isDelete { bits.append(bit) }
    return try ChangeBatch(rows: try columns(), isDelete: bits)
  }

  static func strings(_ values: [String?]) throws -> Column {
    var builder = ColumnBuilder(.string)
    for value in values { if let value { try builder.append(value) } else { builder.appendNulls() } }
    return builder.finish()
  }

  private func numbers(_ values: [Int64?]) -> Column {
    var builder = ColumnBuilder(.int64)
    for value in values { if let value { builder.append(value) } else { builder.appendNulls() } }
    return builder.finish()
  }
}

/// A row as a table gives it back, with the commit that wrote it.
struct StoredRow: Hashable, Comparable, CustomStringConvertible {
  var row: ModelRow
  var instant: Instant

  var description: String { "\(row)@\(instant)" }

  /// What stands for the commit where a table does not tell it.
  static let noInstant = Instant(microseconds: 0)
  /// The row alone.
  var undated: StoredRow { StoredRow(row: row, instant: Self.noInstant) }

  /// By key, and of the rows of one key by folder; no two are equal in both.
  static func < (left: StoredRow, right: StoredRow) -> Bool {
    left.row.key != right.row.key ? left.row.key < right.row.key : left.row.path < right.row.path
  }
}
