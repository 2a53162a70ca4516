import DynamoDBJSON
import TarnTestSupport

/// Makes items of all types, with odd names, texts and numbers.
struct RandomItem {
  var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  mutating func item() -> Item {
    var item = Item()
    for _ in 0..<(random.oneIn(10) ? random.below(60) : random.below(8)) { item[text()] = value(depth: 0) }
    return item
  }

  private mutating func value(depth: Int) -> AttributeValue {
    switch random.below(depth < 4 ? 11 : 8) {
    case 0: .string(text())
    case 1: .number(number())
    case 2: .binary(bytes())
    case 3: .boolean(random.oneIn(2))
    case 4: .null
    case 5: .stringSet(texts())
    case 6: .numberSet(Array(Set((0...random.below(4)).map { _ in number() })))
    case 7: .binarySet(Array(Set((0...random.below(4)).map { _ in bytes() })))
    case 8: .list((0..<random.below(5)).map { _ in value(depth: depth + 1) })
    case 9: .map(map(depth: depth + 1))
    default: .string(String(repeating: text(), count: 5))
    }
  }

  /// Texts that differ in their bytes.
  private mutating func texts() -> [String] {
    var names = Item()
    for _ in 0...random.below(4) { names[text()] = .null }
    return names.attributes.map(\.name)
  }

  private mutating func map(depth: Int) -> Item {
    var map = Item()
    for _ in 0..<random.below(5) { map[text()] = value(depth: depth) }
    return map
  }

  private static let pieces = [
    "a", "Z", "0", "_", ".", "$", " ", "\"", "\\", "/", "\n", "\t", "\u{0}", "\u{1f}", "\u{7f}", "\u{e9}",
    "e\u{301}",
    "\u{20ac}", "\u{fffd}", "\u{ffff}", "😀", "👩‍👩‍👧", "id", "timestamp", "longer than eight bytes",
  ]

  mutating func text() -> String {
    (0..<random.below(6)).map { _ in Self.pieces[random.below(Self.pieces.count)] }.joined()
  }

  mutating func bytes() -> [UInt8] { (0..<random.below(9)).map { _ in UInt8(random.below(256)) } }

  mutating func number() -> DynamoDBNumber {
    let digits = (0..<1 + random.below(38)).map { _ in String(random.below(10)) }.joined()
    let sign = ["", "-", "+"][random.below(3)]
    var text = sign + digits
    switch random.below(4) {
    case 0: text = sign + "0." + digits
    case 1: text += "E\(random.below(160) - 120)"
    case 2: text += ".0"
    default: break
    }
    // Beyond the limits some are none.
    return (try? DynamoDBNumber(text)) ?? DynamoDBNumber(random.below(100))
  }
}
