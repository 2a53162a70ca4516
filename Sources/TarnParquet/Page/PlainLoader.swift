import TarnColumns

/// Makes a value in memory of the bytes that PLAIN stores for it.
protocol PlainLoader: Sendable {
  associatedtype Value: StoredValue
  /// Bytes of a stored value.
  var width: Int { get }
  /// Loads a value of ``width`` bytes.
  func load(_ source: UnsafeRawPointer) -> Value
  /// Which of so many values cannot be loaded as it is, and why; nil where all can.
  func problem(_ source: UnsafeRawPointer, count: Int) -> String?
}

extension PlainLoader {
  @inline(__always)
  func problem(_ source: UnsafeRawPointer, count: Int) -> String? { nil }
}

/// Numbers that are stored as they lie in the memory of a little-endian machine.
struct NumberLoader<Value: StoredValue>: PlainLoader {
  var width: Int { MemoryLayout<Value>.size }

  @inline(__always)
  func load(_ source: UnsafeRawPointer) -> Value { source.loadUnaligned(as: Value.self) }
}

/// Decimals of at most sixteen bytes, most significant first.
struct DecimalLoader: PlainLoader {
  let width: Int

  @inline(__always)
  func load(_ source: UnsafeRawPointer) -> Int128 {
    let first = Int64(source.load(as: Int8.self))
    if width <= 8 {
      var value = first
      for index in 1..<max(width, 1) {
        value = value &<< 8 | Int64(source.load(fromByteOffset: index, as: UInt8.self))
      }
      return Int128(value)
    }
    var high = first
    for index in 1..<(width &- 8) {
      high = high &<< 8 | Int64(source.load(fromByteOffset: index, as: UInt8.self))
    }
    let low = UInt64(bigEndian: source.loadUnaligned(fromByteOffset: width &- 8, as: UInt64.self))
    return Int128(high) &<< 64 | Int128(low)
  }
}

/// Times of twelve bytes as old Spark and Impala store them: nanoseconds in the day, then the Julian day.
///
/// Microseconds since 1970 come out. Spark writes no finer ones; Impala and others do.
struct Int96Loader: PlainLoader {
  /// Whether what is finer is cut.
  let cutsNanoseconds: Bool
  var width: Int { 12 }
  /// The Julian day of 1970-01-01.
  private static var julianEpoch: Int64 { 2_440_588 }

  @inline(__always)
  func load(_ source: UnsafeRawPointer) -> Int64 {
    let nanoseconds = Int64(littleEndian: source.loadUnaligned(as: Int64.self))
    let day = Int64(Int32(littleEndian: source.loadUnaligned(fromByteOffset: 8, as: Int32.self)))
    // Spark's days wrap beyond the year 287,000, and come back by the same sum.
    return (day &- Self.julianEpoch) &* CivilTime.microsecondsPerDay
      &+ CivilTime.floorDivide(nanoseconds, 1_000)
  }

  func problem(_ source: UnsafeRawPointer, count: Int) -> String? {
    guard !cutsNanoseconds else { return nil }
    for index in 0..<count {
      let nanoseconds = Int64(littleEndian: (source + index &* width).loadUnaligned(as: Int64.self))
      if nanoseconds % 1_000 != 0 { return "value \(index) of the page \(Self.lost)" }
    }
    return nil
  }

  /// What is said of a time that cannot be kept whole.
  static let lost =
    "has nanoseconds, which would be lost: only microseconds are kept; ParquetFile.cuttingNanoseconds(), or "
    + "--cut-nanoseconds of the command line, cuts them"
}

/// IEEE 754 halves, each of which a float holds exactly.
struct HalfLoader: PlainLoader {
  var width: Int { 2 }

  @inline(__always)
  func load(_ source: UnsafeRawPointer) -> Float {
    Self.float(UInt16(littleEndian: source.loadUnaligned(as: UInt16.self)))
  }

  /// The float of a half's bits; not every platform has a type for halves.
  static func float(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10 & 0x1f)
    let fraction = UInt32(bits & 0x3ff)
    switch exponent {
    case 0:
      let magnitude = Float(fraction) / 16_777_216
      return sign == 0 ? magnitude : -magnitude
    case 0x1f: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}
