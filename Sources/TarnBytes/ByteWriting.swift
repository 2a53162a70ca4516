extension Array where Element == UInt8 {
  /// Appends a fixed-width integer, least significant byte first.
  @inlinable
  public mutating func appendLittleEndian<T: FixedWidthInteger>(_ value: T) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// Appends a fixed-width integer, most significant byte first.
  @inlinable
  public mutating func appendBigEndian<T: FixedWidthInteger>(_ value: T) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }

  /// Appends an unsigned LEB128 integer.
  @inlinable
  public mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest &>>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// Appends a zigzag-coded LEB128 integer.
  @inlinable
  public mutating func appendZigZag(_ value: Int64) {
    appendVarint(UInt64(bitPattern: (value &<< 1) ^ (value &>> 63)))
  }

  /// Appends bytes without going through an iterator.
  @inlinable
  public mutating func append(_ bytes: RawSpan) {
    bytes.withUnsafeBytes { append(contentsOf: $0) }
  }

  /// Appends the UTF-8 bytes of a text.
  @inlinable
  public mutating func append(text: String) {
    append(contentsOf: text.utf8)
  }

  /// Appends the decimal digits of an integer.
  @inlinable
  public mutating func append<T: FixedWidthInteger>(decimal value: T) { append(decimal: value, width: 1) }

  /// Appends an integer with leading zeros to at least `width` digits.
  @inlinable
  public mutating func append<T: FixedWidthInteger>(decimal value: T, width: Int) {
    if value < 0 { append(0x2d) }
    let magnitude = value.magnitude
    guard T.bitWidth > 64, magnitude > T.Magnitude(truncatingIfNeeded: UInt64.max) else {
      return append(digits: UInt64(truncatingIfNeeded: magnitude), width: width)
    }
    // The greatest power of ten that 64 bits hold: what is above it has digits of its own.
    let (high, low) = magnitude.quotientAndRemainder(
      dividingBy: T.Magnitude(truncatingIfNeeded: 10_000_000_000_000_000_000 as UInt64))
    append(decimal: high, width: width &- 19)
    append(digits: UInt64(truncatingIfNeeded: low), width: 19)
  }

  /// Appends digits with leading zeros to at least `width` of them, and to one.
  @usableFromInline
  mutating func append(digits value: UInt64, width: Int) {
    var digits = InlineArray<20, UInt8>(repeating: 0x30)
    var first = 20
    var rest = value
    while rest != 0 {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      first &-= 1
      digits[first] = 0x30 &+ UInt8(truncatingIfNeeded: digit)
      rest = quotient
    }
    if width > 20 { append(contentsOf: repeatElement(0x30, count: width &- 20)) }
    first = Swift.min(first, 20 &- Swift.min(Swift.max(width, 1), 20))
    append(digits.span.bytes.extracting(first..<20))
  }
}
