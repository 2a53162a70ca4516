import TarnColumns

/// Compares the bounds of a column's values as they are stored.
enum BoundComparison: Sendable {
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

  /// Bounds that say nothing, for a page with a NaN; nil where each page has a bound.
  var everything: EncodedBounds? {
    func bounds<T: BinaryFloatingPoint & FixedValue>(_: T.Type) -> EncodedBounds {
      let width = MemoryLayout<T>.size
      return EncodedBounds(
        minimum: (-T.infinity).stored(width: width), maximum: T.infinity.stored(width: width),
        isMinimumExact: false, isMaximumExact: false)
    }
    return switch self {
    case .float: bounds(Float.self)
    case .double: bounds(Double.self)
    default: nil
    }
  }

  /// Whether bounds are those that say nothing.
  func isEverything(_ bounds: EncodedBounds?) -> Bool {
    guard let bounds, let everything else { return false }
    return bounds.minimum == everything.minimum && bounds.maximum == everything.maximum
  }
}

extension EncodedBounds {
  /// The bounds of a column's numbers that are not null; nil where there is none, one is NaN, or they are no
  /// floating-point numbers.
  init?(ofNumbers column: Column) {
    func bounds<T: BinaryFloatingPoint & FixedValue>(_ values: [T]) -> EncodedBounds? {
      var present = values
      if column.validity != nil {
        present = values.indices.filter { !column.isNull($0) }.map { values[$0] }
      }
      let width = MemoryLayout<T>.size
      return T.bounds(present.span).map {
        EncodedBounds(minimum: $0.0.stored(width: width), maximum: $0.1.stored(width: width))
      }
    }
    let found: EncodedBounds? =
      switch column.values {
      case .float(let values): bounds(values)
      case .double(let values): bounds(values)
      default: nil
      }
    guard let found else { return nil }
    self = found
  }
}
