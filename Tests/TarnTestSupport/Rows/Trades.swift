import TarnColumns

/// A row of the table that tests write, plain enough for a dictionary.
public struct Trade: Sendable, Hashable {
  /// The record key.
  public var id: String
  /// The ordering value.
  public var time: Int64?
  /// The partition value.
  public var exchange: String?
  /// Unscaled, two places.
  public var price: Int128?
  /// Any text.
  public var note: String?

  /// Makes a row.
  public init(
    _ id: String, _ time: Int64?, _ exchange: String?, _ price: Int128? = nil, _ note: String? = nil
  ) {
    self.id = id
    self.time = time
    self.exchange = exchange
    self.price = price
    self.note = note
  }

  /// The table's columns.
  public static let schema = Schema([
    Field("id", .string), Field("time", .int64), Field("exchange", .string),
    Field("price", .decimal(precision: 10, scale: 2)), Field("note", .string),
  ])

  /// Rows as a batch.
  public static func batch(_ trades: [Trade]) throws -> RecordBatch {
    var id = ColumnBuilder(.string)
    var time = ColumnBuilder(.int64)
    var exchange = ColumnBuilder(.string)
    var price = ColumnBuilder(.decimal(precision: 10, scale: 2))
    var note = ColumnBuilder(.string)
    for trade in trades {
      try id.append(trade.id)
      if let value = trade.time { time.append(value) } else { time.appendNulls() }
      if let value = trade.exchange { try exchange.append(value) } else { exchange.appendNulls() }
      if let value = trade.price { price.append(value) } else { price.appendNulls() }
      if let value = trade.note { try note.append(value) } else { note.appendNulls() }
    }
    return try RecordBatch(
      schema: schema,
      columns: [id.finish(), time.finish(), exchange.finish(), price.finish(), note.finish()])
  }

  /// The rows of a batch that has at least these columns.
  public static func rows(of batch: RecordBatch) -> [Trade] {
    (0..<batch.count).map { row in
      Trade(
        text("id", batch, row) ?? "", number("time", batch, row), text("exchange", batch, row),
        decimal("price", batch, row), text("note", batch, row))
    }
  }

  private static func text(_ name: String, _ batch: RecordBatch, _ row: Int) -> String? {
    guard let column = batch[name], !column.isNull(row) else { return nil }
    return column.strings?.string(row)
  }

  private static func number(_ name: String, _ batch: RecordBatch, _ row: Int) -> Int64? {
    guard let column = batch[name], !column.isNull(row), case .int64(let values) = column.values else {
      return nil
    }
    return values[row]
  }

  private static func decimal(_ name: String, _ batch: RecordBatch, _ row: Int) -> Int128? {
    guard let column = batch[name], !column.isNull(row), case .decimal(let values) = column.values else {
      return nil
    }
    return values[row]
  }
}
