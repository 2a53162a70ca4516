import TarnBytes
import TarnColumns

/// Decodes one column chunk into a column.
struct ChunkDecoder {
  let leaf: LeafColumn
  let metadata: ChunkMetadata
  let rows: Int

  /// Where the page that could not be decoded begins in the chunk.
  private(set) var failedAt = 0

  init(leaf: LeafColumn, metadata: ChunkMetadata, rows: Int) {
    self.leaf = leaf
    self.metadata = metadata
    self.rows = rows
  }

  /// Rows for which memory is taken before any page has been seen.
  private var expected: Int { min(rows, 1 << 20) }

  /// Decodes the chunk's bytes.
  mutating func decode(_ chunk: RawSpan, _ scratch: inout PageScratch) throws(FormatProblem) -> Column {
    switch leaf.physical {
    case .boolean:
      let reader = try run(BooleanSink(), chunk, &scratch)
      return try column(.boolean(reader.sink.bits.bitmap()), reader.validity)
    case .int32:
      let reader = try run(FixedSink(NumberLoader<Int32>(), expected: expected), chunk, &scratch)
      return try column(Conversions.values(reader.sink.values, leaf), reader.validity)
    case .int64:
      let reader = try run(FixedSink(NumberLoader<Int64>(), expected: expected), chunk, &scratch)
      return try column(try Conversions.values(reader.sink.values, leaf), reader.validity)
    case .int96:
      let reader = try run(FixedSink(Int96Loader(), expected: expected), chunk, &scratch)
      return try column(.int64(reader.sink.values), reader.validity)
    case .float:
      let reader = try run(FixedSink(NumberLoader<Float>(), expected: expected), chunk, &scratch)
      return try column(.float(reader.sink.values), reader.validity)
    case .double:
      let reader = try run(FixedSink(NumberLoader<Double>(), expected: expected), chunk, &scratch)
      return try column(.double(reader.sink.values), reader.validity)
    case .fixedByteArray where leaf.conversion == .decimal && leaf.byteLength <= 16:
      let loader = DecimalLoader(width: leaf.byteLength)
      let reader = try run(FixedSink(loader, expected: expected), chunk, &scratch)
      return try column(.decimal(reader.sink.values), reader.validity)
    case .byteArray, .fixedByteArray:
      let length = leaf.physical == .fixedByteArray ? leaf.byteLength : nil
      let reader = try run(BytesSink(fixedLength: length, expected: expected), chunk, &scratch)
      return try column(try Conversions.values(reader.sink.strings, leaf), reader.validity)
    }
  }

  private mutating func run<Sink: ValueSink>(
    _ sink: Sink, _ chunk: RawSpan, _ scratch: inout PageScratch
  ) throws(FormatProblem) -> PageReader<Sink> {
    var reader = PageReader(leaf: leaf, codec: metadata.codec, rows: rows, sink: sink)
    do {
      try reader.read(chunk, &scratch)
    } catch {
      failedAt = reader.pageStart
      throw error
    }
    return reader
  }

  private func column(_ values: Column.Values, _ validity: BitBuffer?) throws(FormatProblem) -> Column {
    do {
      return try Column(type: leaf.field.type, values: values, validity: validity?.bitmap())
    } catch {
      throw .malformed("the values do not fit the column's type")
    }
  }
}

/// Makes values in memory of stored ones where they differ, once a chunk.
enum Conversions {
  static func values(_ stored: [Int32], _ leaf: LeafColumn) -> Column.Values {
    switch leaf.conversion {
    case .int8: .int8(stored.map { Int8(truncatingIfNeeded: $0) })
    case .int16: .int16(stored.map { Int16(truncatingIfNeeded: $0) })
    case .uint8: .int32(stored.map { $0 & 0xff })
    case .uint16: .int32(stored.map { $0 & 0xffff })
    case .uint32: .int64(stored.map { Int64(UInt32(bitPattern: $0)) })
    case .decimal: .decimal(stored.map { Int128($0) })
    case .none, .uint64, .nanoseconds: .int32(stored)
    }
  }

  static func values(_ stored: [Int64], _ leaf: LeafColumn) throws(FormatProblem) -> Column.Values {
    switch leaf.conversion {
    case .uint64: return .decimal(stored.map { Int128(UInt64(bitPattern: $0)) })
    case .decimal: return .decimal(stored.map { Int128($0) })
    case .nanoseconds:
      guard stored.allSatisfy({ $0 % 1_000 == 0 }) else {
        throw .outOfRange("a timestamp has nanoseconds, which would be lost: only microseconds are kept")
      }
      return .int64(stored.map { $0 / 1_000 })
    default: return .int64(stored)
    }
  }

  static func values(_ stored: StringArena, _ leaf: LeafColumn) throws(FormatProblem) -> Column.Values {
    if leaf.conversion == .decimal { return .decimal(try decimals(stored)) }
    do {
      return .bytes(try ByteStrings(offsets: stored.ends, bytes: stored.bytes))
    } catch {
      throw .malformed("strings do not span their bytes")
    }
  }

  /// Decimals of any length, most significant byte first.
  private static func decimals(_ stored: StringArena) throws(FormatProblem) -> [Int128] {
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
