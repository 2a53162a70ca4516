import TarnBytes
import TarnColumns

/// A value of a fixed size as pages store it, or as its loader makes it.
protocol StoredValue: BitwiseCopyable, Sendable {
  /// What a null's slot holds.
  static var zero: Self { get }
  /// The values of a column, converted where memory has another type than the file.
  static func column(_ stored: [Self], _ leaf: LeafColumn) throws(FormatError) -> Column.Values
}

extension Int32: StoredValue {
  static func column(_ stored: [Int32], _ leaf: LeafColumn) throws(FormatError) -> Column.Values {
    switch leaf.conversion {
    case .int8: .int8(stored.map { Int8(truncatingIfNeeded: $0) })
    case .int16: .int16(stored.map { Int16(truncatingIfNeeded: $0) })
    case .uint8: .int32(stored.map { $0 & 0xff })
    case .uint16: .int32(stored.map { $0 & 0xffff })
    case .uint32: .int64(stored.map { Int64(UInt32(bitPattern: $0)) })
    case .decimal: .decimal(stored.map { Int128($0) })
    case .milliseconds: .int64(stored.map { Int64($0) * 1_000 })
    default: .int32(stored)
    }
  }
}

extension Int64: StoredValue {
  static func column(_ stored: [Int64], _ leaf: LeafColumn) throws(FormatError) -> Column.Values {
    switch leaf.conversion {
    case .uint64: return .decimal(stored.map { Int128(UInt64(bitPattern: $0)) })
    case .decimal: return .decimal(stored.map { Int128($0) })
    case .nanoseconds:
      guard leaf.cutsNanoseconds || stored.allSatisfy({ $0 % 1_000 == 0 }) else {
        throw .outOfRange("a time " + Int96Loader.lost)
      }
      return .int64(stored.map { CivilTime.floorDivide($0, 1_000) })
    default: return .int64(stored)
    }
  }
}

extension Float: StoredValue {
  static func column(_ stored: [Float], _ leaf: LeafColumn) throws(FormatError) -> Column.Values {
    .float(stored)
  }
}

extension Double: StoredValue {
  static func column(_ stored: [Double], _ leaf: LeafColumn) throws(FormatError) -> Column.Values {
    .double(stored)
  }
}

extension Int128: StoredValue {
  static func column(_ stored: [Int128], _ leaf: LeafColumn) throws(FormatError) -> Column.Values {
    .decimal(stored)
  }
}

/// Makes values in memory of stored strings where they differ.
enum Conversions {
  static func values(_ stored: StringArena, _ leaf: LeafColumn) throws(FormatError) -> Column.Values {
    switch leaf.conversion {
    case .decimal: return .decimal(try decimals(stored))
    case .uuid: return try values(uuids(stored))
    default: return try values(stored)
    }
  }

  private static func values(_ stored: StringArena) throws(FormatError) -> Column.Values {
    do {
      return .bytes(try ByteStrings(offsets: stored.ends, bytes: stored.bytes))
    } catch {
      throw .malformed("strings do not span their bytes")
    }
  }

  /// UUIDs of sixteen bytes as text; nulls stay empty.
  private static func uuids(_ stored: StringArena) throws(FormatError) -> StringArena {
    var texts = StringArena()
    let count = stored.ends.count - 1
    guard count <= Int(Int32.max) / 36 else {
      throw .outOfRange("the strings of one row group pass 2 GiB, which is more than is held at once")
    }
    texts.ends.reserveCapacity(count + 1)
    texts.bytes.reserveCapacity(count * 36)
    for index in 0..<count {
      let range = Int(stored.ends[index])..<Int(stored.ends[index + 1])
      if range.count == 16 { appendUUID(stored.bytes[range], to: &texts.bytes) }
      texts.ends.append(Int32(truncatingIfNeeded: texts.bytes.count))
    }
    return texts
  }

  /// The canonical text of a UUID's sixteen bytes.
  static func appendUUID(_ bytes: ArraySlice<UInt8>, to out: inout [UInt8]) {
    for (index, byte) in bytes.enumerated() {
      if index == 4 || index == 6 || index == 8 || index == 10 { out.append(0x2d) }
      for digit in [byte >> 4, byte & 15] { out.append(digit < 10 ? 0x30 + digit : 0x57 + digit) }
    }
  }

  /// Decimals of any length, most significant byte first.
  private static func decimals(_ stored: StringArena) throws(FormatError) -> [Int128] {
    var values: [Int128] = []
    values.reserveCapacity(stored.ends.count)
    let bytes = stored.bytes.span
    for index in 1..<stored.ends.count {
      let range = Int(stored.ends[index - 1])..<Int(stored.ends[index])
      guard let value = decimal(bytes.extracting(range)) else {
        throw .outOfRange("a decimal has more than 38 digits")
      }
      values.append(value)
    }
    return values
  }

  /// The value of a big-endian two's complement number; nil where it passes 128 bits, zero for no bytes.
  static func decimal(_ bytes: Span<UInt8>) -> Int128? {
    guard bytes.count > 0 else { return 0 }
    let sign: Int128 = bytes[0] & 0x80 == 0 ? 0 : -1
    var value = sign
    for index in bytes.indices {
      // Bits that leave at the top must be copies of the sign.
      guard value >> 119 == sign || index < 15 else { return nil }
      value = value &<< 8 | Int128(bytes[index])
    }
    return value >> 127 == sign ? value : nil
  }
}
