/// One trade, as small as it gets: a table of them is kept while changes are made up.
struct Trade {
  var id: RandomUUID
  var order: RandomUUID
  var wallet: (UInt64, UInt64, UInt64)
  /// Microseconds since 1970-01-01T00:00:00Z.
  var time: Int64
  /// Hundredths.
  var price: Int
  /// Millionths.
  var quantity: Int
  /// Ten-thousandths.
  var fee: Int
  var exchange: Int
  var pair: Int
  var type: Int
  var status: Int
  var source: Int

  static let exchanges: [StaticString] = ["Binance", "Coinbase", "Kraken", "OKX", "FTX", "Bitfinex"]
  static let pairs: [StaticString] = [
    "BTC-USDT", "ETH-USDT", "SOL-USDT", "LTC-USDT", "XRP-USDT", "ADA-USDT", "BTC-EUR", "ETH-EUR", "ETH-BTC",
    "DOT-USDT", "AVAX-USDT", "LINK-USDT",
  ]
  static let types: [StaticString] = ["MARKET", "LIMIT", "STOP"]
  static let statuses: [StaticString] = ["COMPLETED", "PENDING", "CANCELLED", "FAILED"]
  static let sources: [StaticString] = ["WEB", "MOBILE", "API"]

  /// 2025-01-01T00:00:00Z.
  static let epoch: Int64 = 1_735_689_600_000_000

  init(_ random: inout SplitMix64, time: Int64) {
    id = RandomUUID(&random)
    order = RandomUUID(&random)
    wallet = (random.next(), random.next(), random.next())
    self.time = time
    price = 1 + random.below(9_999_999)
    quantity = 1 + random.below(99_999_999)
    fee = random.below(9_999_999)
    exchange = random.below(Self.exchanges.count)
    pair = random.below(Self.pairs.count)
    type = random.below(Self.types.count)
    status = random.below(Self.statuses.count)
    source = random.below(Self.sources.count)
  }
}
