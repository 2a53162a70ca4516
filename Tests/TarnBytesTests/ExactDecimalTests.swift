import TarnBytes
import TarnTestSupport
import Testing

/// Schoolbook arithmetic on digits as text, to check against.
struct TextDecimal {
  var isNegative: Bool
  /// Digits without the point.
  var digits: [Int]
  /// How many of them stand behind the point; negative for zeros to add.
  var places: Int

  /// The digits at a scale, and those cut off.
  func digits(scale: Int) -> (kept: [Int], lost: [Int]) {
    var all = digits
    if places < scale { all += [Int](repeating: 0, count: scale - places) }
    let cut = max(0, places - scale)
    if all.count < cut { all = [Int](repeating: 0, count: cut - all.count) + all }
    return (Array(all.dropLast(cut)), Array(all.suffix(cut)))
  }

  /// The number's digits at a scale, without leading zeros; nil where digits would be lost or pass 38.
  func unscaled(scale: Int, rounds: Bool = false) -> String? {
    var (kept, lost) = digits(scale: scale)
    if !rounds, lost.contains(where: { $0 != 0 }) { return nil }
    if rounds, let first = lost.first, first >= 5 {
      kept = [0] + kept
      var place = kept.count - 1
      while kept[place] == 9 {
        kept[place] = 0
        place -= 1
      }
      kept[place] += 1
    }
    let text = kept.drop { $0 == 0 }.map(String.init).joined()
    if text.isEmpty { return "0" }
    return text.count > 38 ? nil : (isNegative ? "-" : "") + text
  }
}

@Suite struct ExactDecimalTests {
  static func parse(_ text: String) -> ExactDecimal? { ExactDecimal(Array(text.utf8).span.bytes) }
  static let nines = Int128("99999999999999999999999999999999999999") ?? 0

  @Test func randomNumbersAreWhatSchoolbookArithmeticSays() {
    var generator = SeededGenerator(seed: 17)
    for _ in 0..<4_000 {
      let isNegative = generator.oneIn(2)
      let count = 1 + generator.below(generator.oneIn(2) ? 38 : 6)
      // Runs of zeros and nines are where mistakes live.
      let digits = (0..<count).map { _ in [0, 0, 9, 5, generator.below(10)][generator.below(5)] }
      let places = generator.below(count)
      let exponent = generator.oneIn(2) ? 0 : generator.below(21) - 10
      let whole = digits.dropLast(places).map(String.init).joined()
      let fraction = digits.suffix(places).map(String.init).joined()
      var text = (isNegative ? "-" : generator.oneIn(4) ? "+" : "") + whole
      if places > 0 { text += "." + fraction }
      if exponent != 0 { text += (generator.oneIn(2) ? "e" : "E") + "\(exponent)" }
      let expected = TextDecimal(isNegative: isNegative, digits: digits, places: places - exponent)
      guard let number = Self.parse(text) else {
        Issue.record("\(text) did not parse")
        continue
      }
      for scale in [0, 1, 2, places, 18, 38] {
        #expect(
          number.unscaled(scale: scale).map { "\($0)" } == expected.unscaled(scale: scale),
          "\(text) at \(scale)")
        #expect(
          number.rounded(scale: scale).map { "\($0)" } == expected.unscaled(scale: scale, rounds: true),
          "\(text) rounded at \(scale)")
      }
      let double = Double(text) ?? .nan
      #expect(number.double == double || abs(number.double - double) <= double.magnitude.ulp, "\(text)")
    }
  }

  @Test func thirtyEightDigitsFitAndThirtyNineDoNot() {
    let digits = String(repeating: "9", count: 38)
    #expect(Self.parse(digits)?.unscaled(scale: 0) == Self.nines)
    #expect(Self.parse("-" + digits)?.unscaled(scale: 0) == -Self.nines)
    #expect(Self.parse("0." + digits)?.unscaled(scale: 38) == Self.nines)
    #expect(Self.parse("000" + digits) != nil)
    #expect(Self.parse(digits + "9") == nil)
    #expect(Self.parse("1" + String(repeating: "0", count: 37) + "1") == nil)
    #expect(Self.parse(digits + "000")?.unscaled(scale: 0) == nil)
    #expect(Self.parse("1e38")?.unscaled(scale: 0) == nil)
    #expect(Self.parse("1e37")?.unscaled(scale: 0) == ExactDecimal.power(37))
    #expect(Self.parse("1e37")?.unscaled(scale: 1) == nil)
    #expect(Self.parse(digits)?.rounded(scale: 1) == nil)
    #expect(Self.parse("1" + String(repeating: "0", count: 200) + "e-200")?.unscaled(scale: 0) == 1)
  }

  @Test(arguments: [
    "", "-", "+", ".", ".5", "5.", "-.5", "1.", "1.e5", "e5", "1e", "1e+", "1e-", "1.2.3", "1,5", " 1", "1 ",
    "0x10", "1_000", "NaN", "inf", "--1", "1e5.5", "1e10000", "١",
  ]) func whatIsNoNumberIsRefused(_ text: String) { #expect(Self.parse(text) == nil) }

  @Test(
    arguments: [
      ("1.50", 150, -2), ("0", 0, 0), ("0.00", 0, -2), ("-0", 0, 0), ("100", 100, 0), ("1e2", 1, 2),
      ("1.5e-3", 15, -4), ("000.5", 5, -1), ("0e9999", 0, 0), ("12e0003", 12, 3),
    ] as [(String, Int128, Int)]) func zerosAtTheEndStay(
      _ text: String, _ coefficient: Int128, _ exponent: Int
    )
  {
    #expect(Self.parse(text) == ExactDecimal(coefficient: coefficient, exponent: exponent))
  }

  @Test(arguments: ["1e9999", "-1e-9999", "0e-9999", "9e999"]) func farExponentsNeverTrap(_ text: String) {
    let number = Self.parse(text)
    #expect(number != nil)
    for scale in [0, 38] {
      let exact = number?.unscaled(scale: scale)
      #expect(exact == nil || exact == 0)
      _ = number?.rounded(scale: scale)
    }
    _ = number?.double
  }

  @Test func quotientsRoundHalfAwayFromZeroUpToTheLargestNumbers() {
    let ten38 = ExactDecimal.power(38)
    for (dividend, divisor, quotient) in [
      (5, 10, 1), (-5, 10, -1), (4, 10, 0), (-4, 10, 0), (15, 10, 2), (-15, 10, -2), (1, 3, 0), (2, 3, 1),
      (7, 1, 7),
      (ten38 - 1, ten38, 1), (ten38 / 2, ten38, 1), (ten38 / 2 - 1, ten38, 0), (-(ten38 / 2), ten38, -1),
      (Int128.max, 1, Int128.max), (Int128.min, 1, Int128.min), (Int128.max, Int128.max, 1),
      (Int128.max, 10, Int128.max / 10 + 1), (Int128.min, 10, Int128.min / 10 - 1),
    ] as [(Int128, Int128, Int128)] {
      #expect(ExactDecimal.divide(dividend, by: divisor) == quotient)
    }
  }

  @Test func digitsAreCounted() {
    for power in 0...38 {
      #expect(ExactDecimal.digits(ExactDecimal.power(power)) == power + 1)
      #expect(ExactDecimal.digits(1 - ExactDecimal.power(power)) == max(power, 1))
    }
    #expect(ExactDecimal.digits(0) == 1)
    #expect(ExactDecimal.digits(.max) == 39)
    #expect(ExactDecimal.digits(.min) == 39)
    #expect(ExactDecimal(coefficient: -120, exponent: 5).precision == 3)
  }

  @Test func wholeNumbersFitOrDoNot() {
    #expect(Self.parse("9223372036854775807")?.int64 == .max)
    #expect(Self.parse("9223372036854775808")?.int64 == nil)
    #expect(Self.parse("-9223372036854775808")?.int64 == .min)
    #expect(Self.parse("12.0")?.int64 == 12)
    #expect(Self.parse("12.5")?.int64 == nil)
    #expect(Self.parse("1.2e1")?.int64 == 12)
  }

  @Test func numbersAreWrittenAsText() {
    func text(_ build: (inout [UInt8]) -> Void) -> String {
      var out = Array("<".utf8)
      build(&out)
      return String(decoding: out.dropFirst(), as: UTF8.self)
    }
    func integer<T: FixedWidthInteger>(_ value: T) -> Bool {
      text { $0.append(decimal: value) } == "\(value)"
    }
    #expect(integer(Int.min) && integer(Int.max) && integer(0) && integer(Int8.min) && integer(UInt64.max))
    #expect(integer(Int128.min) && integer(Int128.max) && integer(10) && integer(-7))
    #expect(text { $0.append(decimal: 7, width: 3) } == "007")
    #expect(text { $0.append(decimal: -7, width: 3) } == "-007")
    #expect(text { $0.append(decimal: 12_345, width: 3) } == "12345")
    #expect(text { $0.append(decimal: Int.min, width: 2) } == "\(Int.min)")
    for (value, scale, expected) in [
      (150, 2, "1.50"), (-5, 2, "-0.05"), (0, 2, "0.00"), (0, 0, "0"), (-12, 0, "-12"), (1, 7, "0.0000001"),
      (Self.nines, 38, "0." + String(repeating: "9", count: 38)),
      (-Self.nines, 0, "-" + String(repeating: "9", count: 38)),
      (Self.nines, 1, String(repeating: "9", count: 37) + ".9"),
      (Int128.min, 2, "-1701411834604692317316873037158841057.28"),
    ] as [(Int128, Int, String)] {
      #expect(text { $0.append(unscaled: value, scale: scale) } == expected)
    }
  }
}
