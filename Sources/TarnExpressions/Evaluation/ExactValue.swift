internal import TarnBytes
import TarnColumns

/// A literal compared with a column of whole numbers, decimals or times, exactly however fine it is.
struct ExactValue {
  /// The greatest value of the column's scale or unit that is not above the literal.
  let floor: Int128
  /// Whether the literal lies between two values of the column's type.
  let isBetween: Bool

  /// A literal as a column's type has it; nil where it does not fit, or the type is compared another way.
  init?(_ literal: Literal, type: DataType) {
    switch (type, literal) {
    case (.int8, .number(let text)), (.int16, .number(let text)), (.int32, .number(let text)),
      (.int64, .number(let text)):
      self.init(number: text, scale: 0)
    case (.decimal(_, let scale), .number(let text)): self.init(number: text, scale: scale)
    case (.timestamp(let unit, _), .string(let text)): self.init(time: text, unit: unit)
    default: return nil
    }
  }

  private init?(time text: String, unit: TimeUnit) {
    guard let time = CivilTime.parse(Array(text.utf8).span.bytes) else { return nil }
    // A fraction counts forwards, so that dropped digits always leave the value below.
    let perUnit = 1_000_000 / unit.perSecond
    let units = CivilTime.floorDivide(time.microseconds, perUnit)
    floor = Int128(units)
    isBetween = time.lostDigits || units * perUnit != time.microseconds
  }

  /// A number's text with a digit on either side of its point, where one was left out, as in `.5` and `5.`.
  private static func whole(_ text: String) -> [UInt8] {
    var bytes = Array(text.utf8)
    guard let point = bytes.firstIndex(of: 0x2e) else { return bytes }
    func isDigit(_ index: Int) -> Bool {
      bytes.indices.contains(index) && (0x30...0x39).contains(bytes[index])
    }
    let (before, after) = (isDigit(point - 1), isDigit(point + 1))
    // A point alone is no number.
    guard before != after else { return bytes }
    bytes.insert(0x30, at: before ? point + 1 : point)
    return bytes
  }

  private init?(number text: String, scale: Int) {
    guard let number = ExactDecimal(Self.whole(text).span.bytes) else { return nil }
    if let exact = number.unscaled(scale: scale) {
      floor = exact
      isBetween = false
      return
    }
    let shift = number.exponent + scale
    if shift >= 0 {
      // Beyond 38 digits: greater or less than every value.
      floor = number.coefficient < 0 ? Int128.min : Int128.max - 1
      isBetween = true
      return
    }
    guard shift >= -ExactDecimal.greatestPrecision else {
      floor = number.coefficient < 0 ? -1 : 0
      isBetween = true
      return
    }
    let quotient = number.coefficient / ExactDecimal.power(-shift)
    floor = number.coefficient < 0 ? quotient - 1 : quotient
    isBetween = true
  }
}
