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
  public mutating func append<T: FixedWidthInteger>(decimal value: T) {
    if value == 0 {
      append(0x30)
      return
    }
    if value < 0 { append(0x2d) }
    let start = count
    var rest = value.magnitude
    while rest != 0 {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      append(0x30 &+ UInt8(truncatingIfNeeded: digit))
      rest = quotient
    }
    self[start...].reverse()
  }

  /// Appends an integer with leading zeros to at least `width` digits.
  @inlinable
  public mutating func append<T: FixedWidthInteger>(decimal value: T, width: Int) {
    var digits: [UInt8] = []
    digits.append(decimal: value.magnitude)
    if value < 0 { append(0x2d) }
    for _ in 0..<Swift.max(0, width - digits.count) { append(0x30) }
    append(contentsOf: digits)
  }
}
