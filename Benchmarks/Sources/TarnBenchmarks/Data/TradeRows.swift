import TarnColumns
import TarnParquet
import TarnStorage

/// Rows of 12 columns as a Parquet file: two random UUIDs and a random text of 20 characters, three decimals, a
/// timestamp, and five texts of few different values.
struct TradeRows {
  var seed: UInt64
  var count: Int
  /// How many rows of a table come before these in time.
  var first = 0

  private static let schema = Schema([
    Field("transaction_id", .string), Field("client_order_id", .string), Field("wallet_address", .string),
    Field("timestamp", .timestamp(.microseconds, .instant)),
    Field("price", .decimal(precision: 10, scale: 2)), Field("quantity", .decimal(precision: 10, scale: 6)),
    Field("trade_fee", .decimal(precision: 10, scale: 4)), Field("exchange", .string),
    Field("trading_pair", .string), Field("order_type", .string), Field("trade_status", .string),
    Field("order_source", .string),
  ])

  func write(to path: String) async throws {
    let slash = path.utf8.lastIndex(of: 0x2f)
    let folder = slash.map { String(path[..<$0]) } ?? "."
    let name = slash.map { String(path[path.utf8.index(after: $0)...]) } ?? path
    let storage = LocalStorage(root: folder, scratch: ".scratch")
    var writer = try ParquetWriter(schema: Self.schema, to: try await storage.writer(at: name), path: path)
    var random = SplitMix64(seed: seed)
    var done = 0
    while done < count {
      let rows = min(65_536, count - done)
      try await writer.append(try Self.batch(rows, from: first + done, &random))
      done += rows
    }
    _ = try await writer.finish()
  }

  private static func batch(_ rows: Int, from first: Int, _ random: inout SplitMix64) throws -> RecordBatch {
    let trades = (0..<rows).map { row in
      Trade(&random, time: Trade.epoch + Int64(first + row) * 15_000_000 + Int64(random.below(15_000_000)))
    }
    let columns = [
      try texts(trades) { $1.append($0.id) }, try texts(trades) { $1.append($0.order) },
      try texts(trades) { trade, out in
        out.append(hexadecimal: trade.wallet.0, digits: 16)
        out.append(hexadecimal: trade.wallet.1, digits: 4)
      },
      try Column(type: schema.fields[3].type, values: .int64(trades.map(\.time))),
      try decimals(4, trades.map(\.price)), try decimals(5, trades.map(\.quantity)),
      try decimals(6, trades.map(\.fee)),
      try texts(trades) { $1.append(Trade.exchanges[$0.exchange]) },
      try texts(trades) { $1.append(Trade.pairs[$0.pair]) },
      try texts(trades) { $1.append(Trade.types[$0.type]) },
      try texts(trades) { $1.append(Trade.statuses[$0.status]) },
      try texts(trades) { $1.append(Trade.sources[$0.source]) },
    ]
    return try RecordBatch(schema: schema, columns: columns, count: rows)
  }

  private static func decimals(_ index: Int, _ units: [Int]) throws -> Column {
    try Column(type: schema.fields[index].type, values: .decimal(units.map { Int128($0) }))
  }

  private static func texts(
    _ trades: [Trade], _ append: (Trade, inout [UInt8]) -> Void
  ) throws -> Column {
    var strings = ByteStrings()
    for trade in trades { try strings.appendBuilt { append(trade, &$0) } }
    return try Column(type: .string, values: .bytes(strings))
  }
}
