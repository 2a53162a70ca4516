/// A change stream of an orders table, with what a correct copy of it holds, made from a seed.
///
/// Each image is made twice, independently of the code under test: as the attribute values that
/// DynamoDB would send, and as the row's normal form.
public struct ChangeStream: Sendable {
  /// The text of each batch: change records one after the other, not all of them ending in a newline.
  public private(set) var batches: [String] = []
  /// The normal form of each row that is left at the end, sorted as text.
  public private(set) var expected: [String] = []
  /// Number of records.
  public private(set) var count = 0

  private struct Image {
    var attributes: String
    var row: String
  }

  private struct Change {
    var key: Int
    var time: Int64
    var number: Int
    var new: Image?
    var old: Image?
  }

  private var generator: SeededGenerator
  private var images: [Int: Image] = [:]
  private var clock: Int64 = 1_736_928_000_000_000
  private var number = 0
  private var nextKey = 0

  /// Makes a stream.
  public init(seed: UInt64, batches batchCount: Int, changesPerBatch: Int) {
    generator = SeededGenerator(seed: seed)
    var newest: [Int: Change] = [:]
    var late: [Change] = []
    for _ in 0..<batchCount {
      var changes = late
      late = []
      for _ in 0..<changesPerBatch { changes.append(change()) }
      var delivered: [Change] = []
      for change in changes {
        // Some come a batch later, some twice; a deletion and what came before it are never torn apart.
        if change.new != nil, change.old != nil, generator.oneIn(20) {
          late.append(change)
        } else {
          delivered.append(change)
          if generator.oneIn(15) { delivered.append(change) }
        }
      }
      let deleted = Set(delivered.filter { $0.new == nil }.map(\.key))
      delivered += late.filter { deleted.contains($0.key) }
      late.removeAll { deleted.contains($0.key) }
      shuffleALittle(&delivered)
      batches.append(delivered.map { record($0) + (generator.oneIn(2) ? "\n" : "") }.joined())
      count += delivered.count
      for change in delivered where newest[change.key].map({ $0.time <= change.time }) ?? true {
        newest[change.key] = change
      }
    }
    // What is still late never arrives.
    expected = TestWorld.sortedAsText(
      newest.values.compactMap { change in
        change.new.map { "{\($0.row)," + events(change) + "}" }
      })
  }

  private mutating func shuffleALittle(_ changes: inout [Change]) {
    for index in changes.indices.dropFirst() where generator.oneIn(4) { changes.swapAt(index, index - 1) }
  }

  private mutating func change() -> Change {
    clock += Int64(1 + generator.below(5_000_000))
    number += 1
    let dice = generator.below(100)
    let known = images.keys.sorted()
    guard dice >= 70, !known.isEmpty else {
      nextKey += 1
      let image = image(nextKey)
      images[nextKey] = image
      return Change(key: nextKey, time: clock, number: number, new: image, old: nil)
    }
    let key = known[generator.below(known.count)]
    let old = images[key]
    if dice < 95 {
      let image = image(key)
      images[key] = image
      return Change(key: key, time: clock, number: number, new: image, old: old)
    }
    images[key] = nil
    return Change(key: key, time: clock, number: number, new: nil, old: old)
  }

  /// The columns of the rows, in their order.
  public static let columns = [
    "id", "exchange", "price", "quantity", "count", "active", "ratio", "at", "day", "blob", "note", "tags",
    "_event_id", "_event_name", "_event_time",
  ]

  private mutating func image(_ key: Int) -> Image {
    var attributes: [String] = ["\"id\":{\"S\":\"order-\(key)\"}"]
    var row: [String] = ["\"id\":\"order-\(key)\""]
    func add(_ name: String, _ value: String?, _ text: String?) {
      if let value { attributes.append("\"\(name)\":\(value)") }
      row.append("\"\(name)\":" + (text ?? "null"))
    }
    let exchange = ["Binance", "Coinbase", "a/b c"][generator.below(3)]
    add("exchange", "{\"S\":\"\(exchange)\"}", "\"\(exchange)\"")
    let price = Int(generator.next() % 100_000_000)
    add("price", "{\"N\":\"\(Self.decimal(price, 4, trimmed: true))\"}", "\"\(Self.decimal(price, 4))\"")
    let quantity = Int(generator.next() % 10_000_000)
    add(
      "quantity", "{\"N\":\"\(Self.decimal(-quantity, 6, trimmed: true))\"}",
      "\"\(Self.decimal(-quantity, 6))\"")
    let count = Int64(bitPattern: generator.next())
    add("count", generator.oneIn(6) ? "{\"NULL\":true}" : "{\"N\":\"\(count)\"}", nil)
    if attributes[attributes.count - 1].contains("\"N\"") { row[row.count - 1] = "\"count\":\(count)" }
    let active = generator.oneIn(2)
    add("active", "{\"BOOL\":\(active)}", "\(active)")
    let ratio = Double(generator.below(1_000_000)) / 64
    add("ratio", "{\"N\":\"\(ratio)\"}", "\(ratio)")
    let second = generator.below(60)
    let time = "2025-01-15T08:\(second < 10 ? "0" : "")\(second):07.25"
    add("at", "{\"S\":\"\(time)+02:00\"}", "\"\(time.replacing("T08", with: "T06"))0000Z\"")
    add("day", "{\"S\":\"2024-02-29\"}", "\"2024-02-29\"")
    if generator.oneIn(3) {
      add("blob", nil, nil)
    } else {
      add("blob", "{\"B\":\"AAH+/w==\"}", "\"AAH+/w==\"")
    }
    add(
      "note", "{\"S\":\"h\u{e9}llo \\\"q\\\" \\ud83d\\ude00 \\n\"}", "\"h\u{e9}llo \\\"q\\\" \u{1f600} \\n\"")
    add("tags", "{\"L\":[{\"S\":\"a\"},{\"N\":\"1.5\"},{\"NULL\":true}]}", "\"[\\\"a\\\",1.5,null]\"")
    return Image(attributes: attributes.joined(separator: ","), row: row.joined(separator: ","))
  }

  private static func decimal(_ unscaled: Int, _ scale: Int, trimmed: Bool = false) -> String {
    var digits = String(unscaled.magnitude)
    while digits.count <= scale { digits = "0" + digits }
    var text = digits.dropLast(scale) + "." + digits.suffix(scale)
    if trimmed {
      while text.hasSuffix("0") { text.removeLast() }
      if text.hasSuffix(".") { text.removeLast() }
    }
    return (unscaled < 0 ? "-" : "") + text
  }

  private func name(_ change: Change) -> String {
    change.new == nil ? "REMOVE" : (change.old == nil ? "INSERT" : "MODIFY")
  }

  private func events(_ change: Change) -> String {
    let micros = change.time % 1_000_000
    let seconds = Int(change.time / 1_000_000) - 1_736_899_200
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let day = 15 + seconds / 86_400
    let clock = "\(two(seconds / 3_600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    let fraction = String(String(micros + 1_000_000).dropFirst())
    return "\"_event_id\":\"event-\(change.number)\",\"_event_name\":\"\(name(change))\","
      + "\"_event_time\":\"2025-01-\(two(day))T\(clock).\(fraction)Z\""
  }

  private func record(_ change: Change) -> String {
    var images = ""
    if let new = change.new { images += "\"NewImage\":{\(new.attributes)}," }
    if let old = change.old { images += "\"OldImage\":{\(old.attributes)}," }
    return
      "{\"awsRegion\":\"us-east-1\",\"eventID\":\"event-\(change.number)\",\"eventName\":\"\(name(change))\","
      + "\"userIdentity\":null,\"recordFormat\":\"application/json\",\"tableName\":\"Orders\",\"dynamodb\":{"
      + "\"ApproximateCreationDateTime\":\(change.time),\"Keys\":{\"id\":{\"S\":\"order-\(change.key)\"}},\(images)"
      + "\"SizeBytes\":100,\"ApproximateCreationDateTimePrecision\":\"MICROSECOND\"},\"eventSource\":\"aws:dynamodb\"}"
  }
}
