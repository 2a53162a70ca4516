import CryptoStream
import Foundation
import Tarn
import TarnColumns

/// What the table must hold, worked out the slow way: a dictionary of texts, Foundation's decimals, and none of
/// the code that wrote the table.
struct Replay {
  /// The rows by key, as text in the order of the lake's columns, with the time of the change they are from.
  private var rows: [String: (time: Int64, text: [String])] = [:]

  /// The keys whose row was taken away, with the time of the change that did so.
  private var gone: [String: Int64] = [:]

  /// Applies what a batch delivers.
  mutating func apply(_ batch: CryptoStream.Batch) {
    for delivery in batch.deliveries { apply(delivery.change, batch.clock) }
  }

  private mutating func apply(_ change: Change, _ clock: Int64) {
    let known = max(rows[change.id]?.time ?? Int64.min, gone[change.id] ?? Int64.min)
    guard change.time >= known else { return }
    if let text = change.new.flatMap({ Self.row($0, change.time, clock) }) {
      rows[change.id] = (change.time, text)
      gone[change.id] = nil
    } else {
      rows[change.id] = nil
      gone[change.id] = change.time
    }
  }

  /// The row of a trade; nil where it is left out.
  private static func row(_ trade: Transaction, _ time: Int64, _ clock: Int64) -> [String]? {
    let (price, quantity, fee) = (
      number(trade.price, 2), number(trade.quantity, 6), number(trade.tradeFee, 4)
    )
    guard trade.tradeStatus != "FAILED", price > 0, quantity > 0 else { return nil }
    let factors = ["Coinbase": "1.02", "Kraken": "0.98", "OKX": "1.01", "FTX": "0.99", "Bitfinex": "1.03"]
    let value = price * quantity
    let discount = value >= 100_000 ? number("0.9", 1) : value >= 50_000 ? number("0.95", 2) : 1
    let factor = number(factors[trade.exchange] ?? "1", 2)
    return [
      trade.id, milliseconds(trade.timestamp), trade.exchange, trade.tradingPair, trade.orderType,
      text(price, 2), text(quantity, 6), text(fee, 4), trade.tradeStatus, trade.userID, trade.walletAddress,
      trade.orderSource, text(microseconds: clock),
      value > 500_000 ? "HIGH_RISK" : value > 100_000 ? "MEDIUM_RISK" : "LOW_RISK",
      text(price * factor, 4), text(fee * discount, 4),
      quantity > 2 ? "VIP Trader" : quantity > 1 ? "Active Trader" : "Casual Trader",
      String(trade.timestamp.prefix(13)) + ":00:00.000000Z", text(microseconds: time),
    ]
  }

  private static func rounded(_ number: Decimal, _ places: Int) -> Decimal {
    var (number, result) = (number, Decimal())
    NSDecimalRound(&result, &number, places, .plain)
    return result
  }

  private static func number(_ text: String, _ places: Int) -> Decimal {
    rounded(Decimal(string: text, locale: Locale(identifier: "en_US_POSIX")) ?? .nan, places)
  }

  private static func text(_ number: Decimal, _ places: Int) -> String {
    let parts = "\(rounded(number, places))".split(separator: ".")
    let fraction = parts.count > 1 ? String(parts[1]) : ""
    return "\(parts[0])." + fraction.padding(toLength: places, withPad: "0", startingAt: 0)
  }

  /// `…SS.mmmZ` as the lake writes it.
  private static func milliseconds(_ timestamp: String) -> String { timestamp.dropLast() + "000Z" }

  private static func text(microseconds: Int64) -> String {
    let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    let whole = Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(.iso8601).dropLast()
    return whole + "." + String(String(rest + 1_000_000).dropFirst()) + "Z"
  }

  /// Compares with the rows of a table.
  ///
  /// - Returns: The number of rows.
  /// - Throws: ``VerificationError`` with the first difference; what reading throws.
  func verify(_ table: Table) async throws -> Int {
    var left = rows
    let names = TradeSchema.lake.names
    for try await batch in try await table.snapshot().select(names) {
      for row in 0..<batch.count {
        let found = batch.columns.map { column in
          var text: [UInt8] = []
          column.appendText(row, to: &text)
          return String(decoding: text, as: UTF8.self)
        }
        guard let kept = left.removeValue(forKey: found[0]) else {
          throw VerificationError(
            "\(found[0]): the table has a row that should not be there, or has it twice")
        }
        for (name, (found, expected)) in zip(names, zip(found, kept.text)) where found != expected {
          throw VerificationError("\(kept.text[0]): \(name) is \(found), and should be \(expected)")
        }
      }
    }
    if let missing = left.keys.min() { throw VerificationError("\(missing): the table lacks this row") }
    return rows.count
  }
}

/// How the table differs from what it must hold.
struct VerificationError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
