import TarnBytes
import TarnCompression

/// An object container file: a schema, and values in blocks.
///
/// It is read whole: what Hudi keeps in such files are plans and metadata of one action each.
/// Source: Avro specification 1.11, "Object Container Files"; Hudi's have one block with one record, and no codec.
package struct AvroContainer: Sendable {
  /// The schema's text as the file has it.
  package let schema: String
  /// The values, in their order.
  package let values: [AvroValue]

  /// `Obj`, and the format's version.
  package static let magic: [UInt8] = [0x4f, 0x62, 0x6a, 0x01]
  private static let markerSize = 16
  private static let schemaKey = "avro.schema"
  private static let codecKey = "avro.codec"

  /// Reads a file.
  ///
  /// - Throws: ``AvroError``; `unsupported` where its blocks are compressed in a way that is not taken.
  package init(_ bytes: [UInt8]) throws(AvroError) { try self.init(bytes.span.bytes) }

  /// Reads a file.
  ///
  /// - Throws: ``AvroError``; `unsupported` where its blocks are compressed in a way that is not taken.
  package init(_ bytes: RawSpan) throws(AvroError) {
    var reader = ByteReader(bytes)
    let magic = try Self.bytes(&reader, Self.magic.count, "the file's mark")
    guard magic.isEqual(to: Self.magic.span.bytes) else {
      throw AvroError(.malformed, at: 0, "it is no container file of Avro, which begins with Obj and 1")
    }
    var metadata: [String: [UInt8]] = [:]
    let header = try AvroDecoder(AvroLayout(.map(.bytes))).value(from: &reader)
    if case .map(let entries) = header {
      for entry in entries { if case .bytes(let bytes) = entry.value { metadata[entry.key] = bytes } }
    }
    guard let schema = metadata[Self.schemaKey] else {
      throw AvroError(.malformed, at: reader.offset, "the file has no \(Self.schemaKey)")
    }
    let codecName = metadata[Self.codecKey].map { String(decoding: $0, as: UTF8.self) } ?? "null"
    guard let codec = AvroCodec(rawValue: codecName) else {
      throw AvroError(.unsupported, at: reader.offset, "the codec \(codecName)")
    }
    let marker = try Self.bytes(&reader, Self.markerSize, "the mark between blocks").copied()
    self.schema = String(decoding: schema, as: UTF8.self)
    let layout = try AvroLayout(parsing: schema)
    var walk = AvroWalk(layout)
    var values: [AvroValue] = []
    var decompressor = Decompressor()
    while !reader.isAtEnd {
      let start = reader.offset
      let count = try Self.count(&reader)
      let size = try Self.count(&reader)
      guard let size = Int(exactly: size) else {
        throw AvroError(.malformed, at: start, "a block of \(size) bytes")
      }
      let data = try Self.bytes(&reader, size, "a block of \(size) bytes")
      try Self.read(count, from: data, at: start, codec, &decompressor, &walk, layout, into: &values)
      guard try Self.bytes(&reader, Self.markerSize, "the mark behind a block").isEqual(to: marker.span.bytes)
      else {
        throw AvroError(.malformed, at: start, "no mark follows the block")
      }
    }
    self.values = values
  }

  /// Reads the values of a block.
  private static func read(
    _ count: Int64, from data: RawSpan, at start: Int, _ codec: AvroCodec,
    _ decompressor: inout Decompressor, _ walk: inout AvroWalk, _ layout: AvroLayout,
    into values: inout [AvroValue]
  ) throws(AvroError) {
    let plain = try codec.decompressed(data, at: start, with: &decompressor)
    var reader = ByteReader(plain.bytes)
    for _ in 0..<count { values.append(try walk.value(layout.root, &reader, depth: 0)) }
    guard reader.isAtEnd else {
      throw AvroError(
        .malformed, at: start, "\(reader.remaining) bytes follow the \(count) values of the block")
    }
  }

  private static func count(_ reader: inout ByteReader) throws(AvroError) -> Int64 {
    let start = reader.offset
    let number: Int64
    do { number = try reader.readZigZag() } catch { throw AvroError(error, "a block's count or size") }
    guard number >= 0 else { throw AvroError(.malformed, at: start, "a block's count or size of \(number)") }
    return number
  }

  @_lifetime(copy reader)
  private static func bytes(
    _ reader: inout ByteReader, _ count: Int, _ wanted: String
  ) throws(AvroError) -> RawSpan {
    do { return try reader.readBytes(count) } catch { throw AvroError(error, wanted) }
  }

  /// A file of one block.
  ///
  /// The mark between blocks is made of what they hold: it must only be unlikely within them, and so a file is
  /// the same each time it is made.
  ///
  /// - Throws: ``AvroError``: `mismatch` where the schema has no place for a value.
  package static func bytes(
    of values: [AvroValue], schema: String, codec: AvroCodec = .null
  ) throws(AvroError) -> [UInt8] {
    let encoder = AvroEncoder(try AvroLayout(parsing: schema))
    var plain: [UInt8] = []
    for value in values { try encoder.append(value, to: &plain) }
    let data = try codec.compressed(plain)
    var metadata = [AvroValue.Entry(schemaKey, .bytes(Array(schema.utf8)))]
    if codec != .null { metadata.append(.init(codecKey, .bytes(Array(codec.rawValue.utf8)))) }
    var out = magic
    try AvroEncoder(AvroLayout(.map(.bytes))).append(.map(metadata), to: &out)
    var marker: [UInt8] = []
    for seed: UInt64 in 0..<2 {
      marker.appendBigEndian(XXH64.hash(data.span.bytes, seed: XXH64.hash(out.span.bytes, seed: seed)))
    }
    out += marker
    guard !values.isEmpty else { return out }
    out.appendZigZag(Int64(values.count))
    out.appendZigZag(Int64(data.count))
    return out + data + marker
  }
}
