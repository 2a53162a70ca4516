import TarnColumns

/// Makes trades and what becomes of them.
struct Market {
  var random: SplitMix64

  /// The exchanges and how much is traded on each: one has more than its file should hold.
  static let exchanges = [
    (value: "Binance", weight: 40), (value: "Coinbase", weight: 17), (value: "Kraken", weight: 14),
    (value: "OKX", weight: 12), (value: "FTX", weight: 9), (value: "Bitfinex", weight: 8),
  ]

  /// Trading pairs, with a price in hundred-thousandths.
  private static let pairs = [
    (value: ("BTC-USDT", 6_431_250_000), weight: 40), (value: ("ETH-USDT", 315_820_000), weight: 30),
    (value: ("SOL-USDT", 14_275_000), weight: 12), (value: ("LTC-USDT", 8_412_000), weight: 8),
    (value: ("XRP-USDT", 61_250), weight: 6), (value: ("ADA-USDT", 45_900), weight: 4),
  ]

  /// How much is traded at once, in dollars.
  private static let values = [
    (value: 10..<5_000, weight: 72), (value: 5_000..<60_000, weight: 16),
    (value: 60_000..<150_000, weight: 7),
    (value: 150_000..<600_000, weight: 3), (value: 600_000..<2_000_000, weight: 2),
  ]

  /// A new trade, ordered at a time.
  mutating func trade(at time: Int64) -> Transaction {
    let (pair, base) = random.pick(Self.pairs)
    var trade = Transaction(
      id: random.uuid(), timestamp: Self.text(time: time), exchange: random.pick(Self.exchanges),
      tradingPair: pair,
      orderType: random.pick([
        (value: "MARKET", weight: 55), (value: "LIMIT", weight: 38), (value: "STOP", weight: 7),
      ]),
      price: "", quantity: "", tradeFee: "",
      tradeStatus: random.pick([
        (value: "COMPLETED", weight: 72), (value: "PENDING", weight: 22), (value: "FAILED", weight: 4),
        (value: "CANCELLED", weight: 2),
      ]),
      userID: "user-\(10_000 + random.below(2_500))", walletAddress: "0x" + random.hexadecimal(40),
      orderSource: random.pick([
        (value: "WEB", weight: 40), (value: "MOBILE", weight: 35), (value: "API", weight: 25),
      ]))
    price(&trade, base)
    return trade
  }

  /// Sets price, quantity and fee.
  private mutating func price(_ trade: inout Transaction, _ base: Int) {
    var price = base + base * random.within(-500..<501) / 10_000
    let dollars = random.within(random.pick(Self.values))
    // In hundred-millionths; what the columns take ends at 9,999.999999.
    var quantity = min(dollars * 1_000_000_000_000 / max(price, 1), 90_000_000_000) * 10 + random.below(10)
    var fee = dollars * 1_000 + random.below(1_000)
    // Now and then exactly a half of the last digit that the lake keeps.
    if random.chance(8) { price = price / 1_000 * 1_000 + 500 }
    if random.chance(8) { quantity = quantity / 100 * 100 + 50 }
    if random.chance(8) { fee = fee / 100 * 100 + 50 }
    trade.price = Self.text(price, places: 5)
    trade.quantity = Self.text(quantity, places: 8)
    trade.tradeFee = Self.text(fee, places: 6)
    if random.below(200) == 0 {
      if random.chance(50) { trade.price = "0" } else { trade.quantity = "-" + trade.quantity }
    }
  }

  /// What a trade looks like after its next change.
  mutating func changed(_ trade: Transaction) -> Transaction {
    var changed = trade
    if trade.tradeStatus == "PENDING" {
      changed.tradeStatus = random.pick([
        (value: "COMPLETED", weight: 82), (value: "FAILED", weight: 12), (value: "CANCELLED", weight: 6),
      ])
      return changed
    }
    // An amended bill: the price moves a little, and the fee with it.
    let base = Self.pairs.first { $0.value.0 == trade.tradingPair }?.value.1 ?? 100_000
    price(&changed, base)
    return changed
  }

  /// A decimal as DynamoDB writes it: without zeros at the end.
  static func text(_ units: Int, places: Int) -> String {
    var digits = String(units.magnitude)
    if digits.utf8.count <= places {
      digits = String(repeating: "0", count: places + 1 - digits.utf8.count) + digits
    }
    var fraction = digits.suffix(places)
    while fraction.last == "0" { fraction.removeLast() }
    let whole = digits.dropLast(places)
    return (units < 0 ? "-" : "") + (fraction.isEmpty ? String(whole) : "\(whole).\(fraction)")
  }

  /// A time as ISO 8601, to the millisecond.
  static func text(time: Int64) -> String {
    var text: [UInt8] = []
    CivilTime.append(microseconds: time, isInstant: false, to: &text)
    return String(decoding: text.dropLast(3), as: UTF8.self) + "Z"
  }
}
