/// Steele, Lea and Flood's SplitMix64: the same numbers for a seed on every machine.
public struct SplitMix64: Sendable {
  private var state: UInt64

  /// Begins at a seed.
  public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number from zero to below a bound, which must be positive.
  public mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

  /// A number of a range.
  public mutating func within(_ range: Range<Int>) -> Int { range.lowerBound + below(range.count) }

  /// Whether something happens that does so in `percent` of 100 cases.
  public mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

  /// One of several values, each as likely as its weight says.
  public mutating func pick<Value>(_ choices: [(value: Value, weight: Int)]) -> Value {
    var rest = below(choices.reduce(0) { $0 + $1.weight })
    for choice in choices {
      rest -= choice.weight
      if rest < 0 { return choice.value }
    }
    return choices[0].value
  }

  /// Puts values into a random order.
  public mutating func shuffle<Value>(_ values: inout [Value]) {
    for last in stride(from: values.count - 1, to: 0, by: -1) { values.swapAt(last, below(last + 1)) }
  }

  /// So many hexadecimal digits.
  public mutating func hexadecimal(_ digits: Int) -> String {
    var text = ""
    while text.utf8.count < digits {
      let part = String(next(), radix: 16)
      text += String(repeating: "0", count: 16 - part.utf8.count) + part
    }
    return String(text.prefix(digits))
  }

  /// A random UUID's text.
  public mutating func uuid() -> String {
    let digits = Array(hexadecimal(32).utf8)
    func part(_ range: Range<Int>) -> String { String(decoding: digits[range], as: UTF8.self) }
    return "\(part(0..<8))-\(part(8..<12))-4\(part(13..<16))-a\(part(17..<20))-\(part(20..<32))"
  }
}
