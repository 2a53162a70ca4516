import TarnBytes

/// Decodes DELTA_BINARY_PACKED integers: `Encodings.md` of the Parquet specification.
enum DeltaReader {
  private static let damaged = FormatError.malformed("delta-encoded values end too early")

  /// Decodes exactly `count` integers, or all where none is given, and tells how many bytes they took.
  ///
  /// - Parameter count: The number of values the page must hold at least.
  static func decode<T: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: RawSpan, count: Int, as type: T.Type
  ) throws(FormatError) -> (values: [T], byteCount: Int) {
    var reader = ByteReader(bytes)
    do {
      let blockSize = Int(truncatingIfNeeded: try reader.readVarint())
      let miniblocks = Int(truncatingIfNeeded: try reader.readVarint())
      let total = Int(truncatingIfNeeded: try reader.readVarint())
      let first = try reader.readZigZag()
      guard miniblocks > 0, miniblocks <= 1 << 16, blockSize > 0, blockSize <= 1 << 24,
        blockSize % miniblocks == 0, (blockSize / miniblocks) % 8 == 0
      else { throw FormatError.malformed("the header of delta-encoded values cannot be") }
      guard total == count else {
        throw FormatError.malformed("a page holds another number of delta-encoded values than it declares")
      }
      guard count > 0 else { return ([], reader.offset) }
      var values: [T] = []
      // A block of equal deltas takes few bytes, so memory grows with what is decoded.
      values.reserveCapacity(min(count, max(1 << 16, bytes.byteCount * 8)))
      values.append(T(truncatingIfNeeded: first))
      var last = first
      let perMiniblock = blockSize / miniblocks
      while values.count < count {
        let least = try reader.readZigZag()
        let widths = try reader.readBytes(miniblocks)
        for index in 0..<miniblocks where values.count < count {
          let width = Int(widths.unsafeLoad(fromByteOffset: index, as: UInt8.self))
          guard width <= 64 else { throw Self.damaged }
          let size = perMiniblock / 8 * width
          let wanted = min(perMiniblock, count - values.count)
          // Some writers cut the last miniblock short.
          let present = min(size, reader.remaining)
          guard present >= (wanted * width + 7) / 8 else { throw Self.damaged }
          let packed = try reader.readBytes(present)
          append(packed, width, wanted, least, &last, &values)
        }
      }
      return (values, reader.offset)
    } catch let error as FormatError {
      throw error
    } catch {
      throw Self.damaged
    }
  }

  /// Appends the values of a miniblock, whose bytes the caller has checked.
  private static func append<T: FixedWidthInteger & BitwiseCopyable>(
    _ packed: RawSpan, _ width: Int, _ count: Int, _ least: Int64, _ last: inout Int64,
    _ values: inout [T]
  ) {
    var value = last
    if width == 0 {
      // Steps of one size, as between the lengths of equally long strings.
      values.append(addingCapacity: count) { target in
        for _ in 0..<count {
          value = value &+ least
          target.append(T(truncatingIfNeeded: value))
        }
      }
      last = value
      return
    }
    let mask = width == 64 ? ~0 : (UInt64(1) &<< UInt64(width)) &- 1
    values.append(addingCapacity: count) { target in
      var bit = 0
      for _ in 0..<count {
        let delta = (width <= 57 ? loadFewBits(packed, bit) : loadBits(packed, bit)) & mask
        bit &+= width
        value = value &+ least &+ Int64(bitPattern: delta)
        target.append(T(truncatingIfNeeded: value))
      }
    }
    last = value
  }

  /// At least the 57 bits from a position on; zeros behind the end.
  @inline(__always)
  private static func loadFewBits(_ bytes: RawSpan, _ bit: Int) -> UInt64 {
    let first = bit &>> 3
    guard first &+ 8 <= bytes.byteCount else { return loadBits(bytes, bit) }
    let bits = UInt64(
      littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: first, as: UInt64.self))
    return bits &>> UInt64(truncatingIfNeeded: bit & 7)
  }

  /// The 64 bits from a position on; zeros behind the end.
  @inline(__always)
  private static func loadBits(_ bytes: RawSpan, _ bit: Int) -> UInt64 {
    let first = bit &>> 3
    let shift = UInt64(truncatingIfNeeded: bit & 7)
    if first &+ 9 <= bytes.byteCount {
      let low = UInt64(
        littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: first, as: UInt64.self))
      let high = UInt64(bytes.unsafeLoad(fromUncheckedByteOffset: first &+ 8, as: UInt8.self))
      return shift == 0 ? low : low &>> shift | high &<< (64 &- shift)
    }
    var low: UInt64 = 0
    for index in 0..<8 where first + index < bytes.byteCount {
      low |= UInt64(bytes.unsafeLoad(fromByteOffset: first + index, as: UInt8.self)) << UInt64(8 * index)
    }
    guard shift != 0 else { return low }
    let high =
      first + 8 < bytes.byteCount ? UInt64(bytes.unsafeLoad(fromByteOffset: first + 8, as: UInt8.self)) : 0
    return low >> shift | high << (64 - shift)
  }
}

/// Decodes DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY into strings end to end.
enum DeltaStringReader {
  private static let damaged = FormatError.malformed("delta-encoded strings do not fit their lengths")
  private static let tooLarge = FormatError.outOfRange(
    "the strings of one page pass 2 GiB, which is more than is held at once")

  /// Decodes lengths and then bytes.
  static func lengths(_ page: RawSpan, count: Int) throws(FormatError) -> StringArena {
    let (lengths, offset) = try DeltaReader.decode(page, count: count, as: Int32.self)
    var arena = StringArena()
    arena.ends.reserveCapacity(count + 1)
    var end = 0
    let present = page.byteCount - offset
    for length in lengths {
      guard length >= 0, Int(length) <= present - end else { throw damaged }
      end += Int(length)
      guard end <= Int(Int32.max) else { throw tooLarge }
      arena.ends.append(Int32(end))
    }
    arena.bytes.append(page.extracting(offset..<offset + end))
    return arena
  }

  /// Decodes strings of which each shares a prefix with the one before.
  ///
  /// The whole may be far larger than the page, so ``PageLimit`` bounds it before memory is taken.
  static func prefixed(_ page: RawSpan, count: Int) throws(FormatError) -> StringArena {
    let (prefixes, offset) = try DeltaReader.decode(page, count: count, as: Int32.self)
    let suffixes = try lengths(page.extracting(offset...), count: count)
    let limit = PageLimit.bytes(of: page)
    var total = suffixes.bytes.count
    for prefix in prefixes {
      guard prefix >= 0 else { throw damaged }
      total += Int(prefix)
      guard total <= limit else {
        throw .unsupported(
          "the strings of a page of \(page.byteCount) bytes take more than \(limit) bytes, more than is held at once"
        )
      }
    }
    var arena = StringArena()
    arena.ends.reserveCapacity(count + 1)
    arena.bytes.reserveCapacity(total)
    var previous = 0..<0
    for index in 0..<count {
      let prefix = Int(prefixes[index])
      guard prefix <= previous.count else { throw damaged }
      let start = arena.bytes.count
      arena.bytes.append(contentsOf: arena.bytes[previous.lowerBound..<previous.lowerBound + prefix])
      arena.bytes.append(
        contentsOf: suffixes.bytes[Int(suffixes.ends[index])..<Int(suffixes.ends[index + 1])])
      previous = start..<arena.bytes.count
      arena.ends.append(Int32(truncatingIfNeeded: arena.bytes.count))
    }
    return arena
  }
}
