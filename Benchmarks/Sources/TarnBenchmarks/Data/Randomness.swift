/// Steele, Lea and Flood's SplitMix64: the same numbers for a seed on every machine.
struct SplitMix64 {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed &>> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed &>> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed &>> 31)
  }

  /// A number from zero to below a bound, which must be positive.
  mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }
}

/// The 128 random bits of a UUID.
struct RandomUUID {
  var high: UInt64
  var low: UInt64

  init(_ random: inout SplitMix64) {
    high = random.next() & ~0xf000 | 0x4000
    low = random.next() & ~(3 << 62) | 1 << 63
  }
}

extension [UInt8] {
  mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { append(contentsOf: $0) }
  }

  /// Appends so many hexadecimal digits, the highest first.
  mutating func append(hexadecimal value: UInt64, digits: Int) {
    for place in stride(from: (digits - 1) * 4, through: 0, by: -4) {
      let digit = UInt8(value &>> UInt64(place) & 15)
      append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
  }

  mutating func append(_ uuid: RandomUUID) {
    append(hexadecimal: uuid.high &>> 32, digits: 8)
    append(0x2d)
    append(hexadecimal: uuid.high &>> 16 & 0xffff, digits: 4)
    append(0x2d)
    append(hexadecimal: uuid.high & 0xffff, digits: 4)
    append(0x2d)
    append(hexadecimal: uuid.low &>> 48, digits: 4)
    append(0x2d)
    append(hexadecimal: uuid.low & 0xffff_ffff_ffff, digits: 12)
  }

  /// Appends a number that is not negative, with at least so many digits.
  mutating func append(number: Int, digits: Int = 1) {
    var divisor = 1
    for _ in 1..<digits { divisor *= 10 }
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      append(0x30 + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }

  /// Appends a decimal of so many places.
  mutating func append(units: Int, places: Int) {
    var divisor = 1
    for _ in 0..<places { divisor *= 10 }
    append(number: units / divisor)
    append(0x2e)
    append(number: units % divisor, digits: places)
  }
}
