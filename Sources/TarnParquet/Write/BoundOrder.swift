import TarnColumns

/// The order of a column's values, for bounds as they are stored.
enum BoundOrder: Sendable {
  /// Integers of four or eight bytes, least significant first.
  case integer
  case float, double
  /// Decimals, most significant byte first.
  case decimal
  /// Unsigned bytes: strings, binary, and booleans.
  case bytes

  init(_ type: DataType) {
    self =
      switch type {
      case .float: .float
      case .double: .double
      case .decimal: .decimal
      case .int8, .int16, .int32, .int64, .date, .timestamp, .time: .integer
      default: .bytes
      }
  }

  /// Whether a bound is below another; bounds of a wrong length are below none.
  func isLess(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    switch self {
    case .bytes: left.lexicographicallyPrecedes(right)
    case .integer: Self.signed(left.reversed()) < Self.signed(right.reversed())
    case .decimal: Self.signed(left) < Self.signed(right)
    case .float: Self.number(left, Float.self) < Self.number(right, Float.self)
    case .double: Self.number(left, Double.self) < Self.number(right, Double.self)
    }
  }

  private static func signed(_ bytes: some Collection<UInt8>) -> Int128 {
    bytes.reduce(bytes.first.map { $0 & 0x80 == 0 ? 0 : -1 } ?? 0) { $0 << 8 | Int128($1) }
  }

  private static func number<T: FixedValue & BinaryFloatingPoint>(_ bytes: [UInt8], _: T.Type) -> T {
    guard bytes.count == MemoryLayout<T>.size else { return .nan }
    return bytes.withUnsafeBytes { $0.baseAddress.map { T.load($0, bytes.count) } ?? .nan }
  }

  /// Bounds of both.
  func join(_ one: EncodedBounds, _ other: EncodedBounds) -> EncodedBounds {
    var result = one
    if isLess(other.minimum, one.minimum) {
      result.minimum = other.minimum
      result.isMinimumExact = other.isMinimumExact
    }
    if isLess(one.maximum, other.maximum) {
      result.maximum = other.maximum
      result.isMaximumExact = other.isMaximumExact
    }
    return result
  }

  /// Bounds that say nothing, for a page of numbers that are none; nil where each page has a bound.
  var everything: EncodedBounds? {
    func bytes<T: BinaryFloatingPoint & FixedValue>(_ value: T) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: MemoryLayout<T>.size)
      bytes.withUnsafeMutableBytes { target in
        if let base = target.baseAddress { value.store(base, target.count) }
      }
      return bytes
    }
    func bounds(_ least: [UInt8], _ greatest: [UInt8]) -> EncodedBounds {
      EncodedBounds(minimum: least, maximum: greatest, isMinimumExact: false, isMaximumExact: false)
    }
    return switch self {
    case .float: bounds(bytes(-Float.infinity), bytes(Float.infinity))
    case .double: bounds(bytes(-Double.infinity), bytes(Double.infinity))
    default: nil
    }
  }
}
