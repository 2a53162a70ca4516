import TarnCDC
import TarnColumns

/// The columns on the way in and in the lake.
enum TradeSchema {
  static let key = "transaction_id"
  static let partition = "exchange"
  /// When a change happened: what decides which of two changes is newer.
  static let ordering = EventColumn.time

  static let instant = DataType.timestamp(.microseconds, .instant)
  static let price = DataType.decimal(precision: 10, scale: 2)
  static let quantity = DataType.decimal(precision: 10, scale: 6)
  static let tradeFee = DataType.decimal(precision: 10, scale: 4)
  static let normalizedPrice = DataType.decimal(precision: 12, scale: 4)

  /// What the change records are decoded into: numbers with all the digits they may come with.
  static let raw = Schema(
    common(price: anyNumber, quantity: anyNumber, tradeFee: anyNumber) + [Field(ordering, instant)])

  /// The table's columns.
  static let lake = Schema(
    common(price: price, quantity: quantity, tradeFee: tradeFee) + [
      Field("ingestion_time", instant), Field("risk_flag", .string),
      Field("normalized_price", normalizedPrice), Field("adjusted_trade_fee", tradeFee),
      Field("user_category", .string), Field("hour_bucket", instant), Field(ordering, instant),
    ])

  private static let anyNumber = DataType.decimal(precision: 38, scale: 18)

  private static func common(price: DataType, quantity: DataType, tradeFee: DataType) -> [Field] {
    [
      Field(key, .string), Field("timestamp", instant), Field(partition, .string),
      Field("trading_pair", .string), Field("order_type", .string), Field("price", price),
      Field("quantity", quantity), Field("trade_fee", tradeFee), Field("trade_status", .string),
      Field("user_id", .string), Field("wallet_address", .string), Field("order_source", .string),
    ]
  }
}
