import TarnBytes
import TarnColumns

/// A value of fixed size that PLAIN stores.
protocol FixedValue: BitwiseCopyable, Sendable {
  /// The values of a column of this layout.
  static func values(of column: Column.Values) -> [Self]?
  /// Bits that are equal for equal values only; what lies beyond 64 is folded.
  var hash: UInt64 { get }
  /// Whether the stored forms are the same.
  func isSame(_ other: Self) -> Bool
  /// Forms of values that are equal to this one though they are stored otherwise.
  var equals: [Self] { get }
  /// Stores the value in `width` bytes.
  func store(_ target: UnsafeMutableRawPointer, _ width: Int)
  /// The value that `width` bytes store.
  static func load(_ source: UnsafeRawPointer, _ width: Int) -> Self
  /// Whether differences of values may be stored.
  static var hasDelta: Bool { get }
  /// Appends values as DELTA_BINARY_PACKED.
  static func appendDelta(_ values: Span<Self>, to out: inout [UInt8])
  /// The least and the greatest value; nil where there is none, or one has no place in the order.
  static func bounds(_ values: Span<Self>) -> (Self, Self)?
}

extension FixedValue {
  static var hasDelta: Bool { false }
  static func appendDelta(_ values: Span<Self>, to out: inout [UInt8]) {}
  var equals: [Self] { [] }

  /// The `width` bytes that store the value.
  func stored(width: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: width)
    bytes.withUnsafeMutableBytes { target in
      if let base = target.baseAddress { store(base, width) }
    }
    return bytes
  }
}

extension FixedValue where Self: FixedWidthInteger {
  @inline(__always) var hash: UInt64 { XXH64.hash(UInt64(truncatingIfNeeded: self)) }
  @inline(__always) func isSame(_ other: Self) -> Bool { self == other }

  static func bounds(_ values: Span<Self>) -> (Self, Self)? {
    guard values.count > 0 else { return nil }
    var least = values[0]
    var greatest = values[0]
    for index in values.indices {
      least = Swift.min(least, values[index])
      greatest = Swift.max(greatest, values[index])
    }
    return (least, greatest)
  }
}

extension Int8: FixedValue {
  static var hasDelta: Bool { true }
  static func appendDelta(_ values: Span<Int8>, to out: inout [UInt8]) {
    let wide = values.indices.map { Int32(values[$0]) }
    out.appendDelta(wide.span)
  }
  @inline(__always) static func load(_ source: UnsafeRawPointer, _ width: Int) -> Int8 {
    Int8(truncatingIfNeeded: Int32(littleEndian: source.loadUnaligned(as: Int32.self)))
  }
  static func values(of column: Column.Values) -> [Int8]? {
    if case .int8(let values) = column { values } else { nil }
  }
  @inline(__always) func store(_ target: UnsafeMutableRawPointer, _ width: Int) {
    target.storeBytes(of: Int32(self).littleEndian, as: Int32.self)
  }
}

extension Int16: FixedValue {
  static var hasDelta: Bool { true }
  static func appendDelta(_ values: Span<Int16>, to out: inout [UInt8]) {
    let wide = values.indices.map { Int32(values[$0]) }
    out.appendDelta(wide.span)
  }
  @inline(__always) static func load(_ source: UnsafeRawPointer, _ width: Int) -> Int16 {
    Int16(truncatingIfNeeded: Int32(littleEndian: source.loadUnaligned(as: Int32.self)))
  }
  static func values(of column: Column.Values) -> [Int16]? {
    if case .int16(let values) = column { values } else { nil }
  }
  @inline(__always) func store(_ target: UnsafeMutableRawPointer, _ width: Int) {
    target.storeBytes(of: Int32(self).littleEndian, as: Int32.self)
  }
}

extension Int32: FixedValue {
  static var hasDelta: Bool { true }
  static func appendDelta(_ values: Span<Int32>, to out: inout [UInt8]) { out.appendDelta(values) }
  @inline(__always) static func load(_ source: UnsafeRawPointer, _ width: Int) -> Int32 {
    Int32(littleEndian: source.loadUnaligned(as: Int32.self))
  }
  static func values(of column: Column.Values) -> [Int32]? {
    if case .int32(let values) = column { values } else { nil }
  }
  @inline(__always) func store(_ target: UnsafeMutableRawPointer, _ width: Int) {
    target.storeBytes(of: littleEndian, as: Int32.self)
  }
}

extension Int64: FixedValue {
  static var hasDelta: Bool { true }
  static func appendDelta(_ values: Span<Int64>, to out: inout [UInt8]) { out.appendDelta(values) }
  @inline(__always) static func load(_ source: UnsafeRawPointer, _ width: Int) -> Int64 {
    Int64(littleEndian: source.loadUnaligned(as: Int64.self))
  }
  static func values(of column: Column.Values) -> [Int64]? {
    if case .int64(let values) = column { values } else { nil }
  }
  @inline(__always) func store(_ target: UnsafeMutableRawPointer, _ width: Int) {
    target.storeBytes(of: littleEndian, as: Int64.self)
  }
}

extension Int128: FixedValue {
  @inline(__always) static func load(_ source: UnsafeRawPointer, _ width: Int) -> Int128 {
    DecimalLoader(width: width).load(source)
  }
  static func values(of column: Column.Values) -> [Int128]? {
    if case .decimal(let values) = column { values } else { nil }
  }

  @inline(__always) var hash: UInt64 {
    XXH64.hash(
      UInt64(truncatingIfNeeded: self) ^ UInt64(truncatingIfNeeded: self >> 64) &* 0x9e37_79b1_85eb_ca87)
  }

  /// Stores the lowest `width` bytes, most significant first, as decimals are.
  @inline(__always) func store(_ target: UnsafeMutableRawPointer, _ width: Int) {
    var low = UInt64(truncatingIfNeeded: self)
    for index in stride(from: width &- 1, through: Swift.max(width &- 8, 0), by: -1) {
      target.storeBytes(of: UInt8(truncatingIfNeeded: low), toByteOffset: index, as: UInt8.self)
      low &>>= 8
    }
    guard width > 8 else { return }
    var high = UInt64(truncatingIfNeeded: self >> 64)
    for index in stride(from: width &- 9, through: 0, by: -1) {
      target.storeBytes(of: UInt8(truncatingIfNeeded: high), toByteOffset: index, as: UInt8.self)
      high &>>= 8
    }
  }
}

extension FixedValue where Self: BinaryFloatingPoint {
  /// Beside a NaN nothing bounds: engines to which it is greater than all numbers skip what bounds leave out.
  ///
  /// Zeros bound each other, whichever sign they have. Source: `parquet.thrift`, `ColumnOrder`.
  static func bounds(_ values: Span<Self>) -> (Self, Self)? {
    guard values.count > 0 else { return nil }
    var least = Self.infinity
    var greatest = -Self.infinity
    for index in values.indices {
      let value = values[index]
      if value.isNaN { return nil }
      if value < least { least = value }
      if value > greatest { greatest = value }
    }
    return (least == 0 ? -0.0 : least, greatest == 0 ? 0.0 : greatest)
  }

  /// The other zero, and the usual NaN.
  var equals: [Self] {
    if self == 0 { return [0.0, -0.0] }
    return isNaN ? [.nan] : []
  }
}

extension Float: FixedValue {
  @inline(__always) static func load(_ source: UnsafeRawPointer, _ width: Int) -> Float {
    Float(bitPattern: UInt32(littleEndian: source.loadUnaligned(as: UInt32.self)))
  }
  static func values(of column: Column.Values) -> [Float]? {
    if case .float(let values) = column { values } else { nil }
  }
  @inline(__always) var hash: UInt64 { XXH64.hash(UInt64(bitPattern)) }
  @inline(__always) func isSame(_ other: Float) -> Bool { bitPattern == other.bitPattern }
  @inline(__always) func store(_ target: UnsafeMutableRawPointer, _ width: Int) {
    target.storeBytes(of: bitPattern.littleEndian, as: UInt32.self)
  }
}

extension Double: FixedValue {
  @inline(__always) static func load(_ source: UnsafeRawPointer, _ width: Int) -> Double {
    Double(bitPattern: UInt64(littleEndian: source.loadUnaligned(as: UInt64.self)))
  }
  static func values(of column: Column.Values) -> [Double]? {
    if case .double(let values) = column { values } else { nil }
  }
  @inline(__always) var hash: UInt64 { XXH64.hash(bitPattern) }
  @inline(__always) func isSame(_ other: Double) -> Bool { bitPattern == other.bitPattern }
  @inline(__always) func store(_ target: UnsafeMutableRawPointer, _ width: Int) {
    target.storeBytes(of: bitPattern.littleEndian, as: UInt64.self)
  }
}
