/// An item of the table whose changes are streamed: one trade, as DynamoDB keeps it.
///
/// Numbers are decimal text, as DynamoDB writes them, with more digits than the lake's columns keep.
public struct Transaction: Sendable, Hashable {
  /// The key: a UUID.
  public var id: String
  /// When it was ordered: ISO 8601 in UTC.
  public var timestamp: String
  /// Where it was traded.
  public var exchange: String
  /// What was traded, such as `BTC-USDT`.
  public var tradingPair: String
  /// `MARKET`, `LIMIT` or `STOP`.
  public var orderType: String
  /// Price of one unit.
  public var price: String
  /// Number of units.
  public var quantity: String
  /// What the exchange takes.
  public var tradeFee: String
  /// `PENDING`, `COMPLETED`, `CANCELLED` or `FAILED`.
  public var tradeStatus: String
  /// Who trades.
  public var userID: String
  /// The wallet from which is traded.
  public var walletAddress: String
  /// `WEB`, `MOBILE` or `API`.
  public var orderSource: String

  /// Whether a lake of trades that happened leaves it out: it failed, or its price or quantity is not positive.
  public var isLeftOut: Bool {
    tradeStatus == "FAILED" || [price, quantity].contains { $0 == "0" || $0.hasPrefix("-") }
  }

  /// The attributes other than the key: name, DynamoDB's type, value.
  var attributes: [(name: String, tag: String, value: String)] {
    [
      ("timestamp", "S", timestamp), ("exchange", "S", exchange), ("trading_pair", "S", tradingPair),
      ("order_type", "S", orderType), ("price", "N", price), ("quantity", "N", quantity),
      ("trade_fee", "N", tradeFee), ("trade_status", "S", tradeStatus), ("user_id", "S", userID),
      ("wallet_address", "S", walletAddress), ("order_source", "S", orderSource),
    ]
  }
}

/// One change of the table.
public struct Change: Sendable, Hashable {
  /// What happened to the item.
  public enum Kind: String, Sendable, Hashable {
    case insert = "INSERT"
    case modify = "MODIFY"
    case remove = "REMOVE"
  }

  /// What happened.
  public var kind: Kind
  /// Identifies the change; one that is delivered twice has it twice.
  public var eventID: String
  /// When it happened, in microseconds since 1970-01-01T00:00:00Z; no two changes have the same time.
  public var time: Int64
  /// The item before; nil for an insert.
  public var old: Transaction?
  /// The item after; nil for a removal.
  public var new: Transaction?

  /// The item's key.
  public var id: String { (new ?? old)?.id ?? "" }

  /// Whether the lake has no row of the item after this change.
  public var takesRowAway: Bool { new?.isLeftOut ?? true }

  /// Appends the change record, as DynamoDB sends it to a Kinesis data stream.
  public func append(to out: inout [UInt8]) {
    out += #"{"awsRegion":"eu-central-1","eventID":""#.utf8
    out += eventID.utf8
    out += #"","eventName":""#.utf8
    out += kind.rawValue.utf8
    out += #"","userIdentity":null,"recordFormat":"application/json","tableName":"crypto-transactions","#.utf8
    out += #""dynamodb":{"ApproximateCreationDateTime":"#.utf8
    out += "\(time)".utf8
    out += #","Keys":{"transaction_id":{"S":""#.utf8
    out += id.utf8
    out += #""}}"#.utf8
    var size = 14 + id.utf8.count
    if let new { size += Self.append("NewImage", new, to: &out) }
    if let old { size += Self.append("OldImage", old, to: &out) }
    out += #","SizeBytes":\#(size),"ApproximateCreationDateTimePrecision":"MICROSECOND"},"#.utf8
    out += #""eventSource":"aws:dynamodb"}"#.utf8
  }

  /// Appends an image, whose texts need no escapes; returns its size as DynamoDB counts it.
  private static func append(_ name: String, _ image: Transaction, to out: inout [UInt8]) -> Int {
    var size = 14 + image.id.utf8.count
    out += #",""#.utf8
    out += name.utf8
    out += #"":{"transaction_id":{"S":""#.utf8
    out += image.id.utf8
    out += #""}"#.utf8
    for (name, tag, value) in image.attributes {
      out += #",""#.utf8
      out += name.utf8
      out += #"":{""#.utf8
      out += tag.utf8
      out += #"":""#.utf8
      out += value.utf8
      out += #""}"#.utf8
      size += name.utf8.count + value.utf8.count
    }
    out += "}".utf8
    return size
  }
}
