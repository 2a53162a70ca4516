import TarnBytes

/// A Kinesis record that holds several records of users, as the Kinesis Producer Library makes them.
///
/// By "KPL aggregated record format" in that library's repository (`aggregation-format.md`): four bytes of magic, a
/// message of protocol buffers, and the 16 bytes of its MD5. Of the message,
/// `AggregatedRecord { repeated Record records = 3; }` and `Record { required bytes data = 3; }` are wanted here.
enum AggregatedRecord {
  private static let magic: [UInt8] = [0xf3, 0x89, 0x9a, 0xc2]
  private static let checksumBytes = 16

  /// Whether bytes begin as aggregated records do, which no JSON text does.
  static func isOne(_ bytes: RawSpan) -> Bool {
    bytes.withUnsafeBytes { $0.starts(with: magic) }
  }

  /// Where the data of the records stand within one, in their order.
  ///
  /// - Throws: ``RejectionReason`` where the checksum is wrong, or the message is none.
  static func records(in bytes: RawSpan) throws(RejectionReason) -> [Range<Int>] {
    let end = bytes.byteCount - checksumBytes
    guard isOne(bytes), end >= magic.count else {
      throw .badEnvelope("the aggregated record ends before its checksum")
    }
    let found = MD5.checksum(bytes.extracting(magic.count..<end))
    let isRight = bytes.extracting(end...).withUnsafeBytes { $0.elementsEqual(found) }
    guard isRight else {
      throw .badEnvelope("the checksum of the aggregated record is wrong: it was damaged, fetch it again")
    }
    var records: [Range<Int>] = []
    var message = ProtobufReader(bytes, magic.count..<end)
    while let field = try message.next() {
      guard field.number == 3 else { continue }
      guard let range = field.bytes else {
        throw .badEnvelope("a record of the aggregated record is no message")
      }
      var record = ProtobufReader(bytes, range)
      var data: Range<Int>?
      while let field = try record.next() {
        if field.number == 3 { data = field.bytes }
      }
      guard let data else { throw .badEnvelope("a record of the aggregated record has no data") }
      records.append(data)
    }
    return records
  }
}

/// Reads the fields of one message of protocol buffers, one after the other.
private struct ProtobufReader: ~Escapable {
  /// A field, and where its bytes stand if it has a length.
  struct Field {
    var number: UInt64
    var bytes: Range<Int>?
  }

  private let bytes: RawSpan
  private var offset: Int
  private let end: Int

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, _ range: Range<Int>) {
    self.bytes = bytes
    offset = range.lowerBound
    end = min(range.upperBound, bytes.byteCount)
  }

  /// The next field; nil behind the last.
  @_lifetime(self: copy self)
  mutating func next() throws(RejectionReason) -> Field? {
    guard offset < end else { return nil }
    let tag = try number()
    switch tag & 7 {
    case 0:
      _ = try number()
      return Field(number: tag >> 3)
    case 1: try skip(8)
    case 2:
      let declared = try number()
      guard let length = Int(exactly: declared), length <= end - offset else { throw Self.cut }
      defer { offset += length }
      return Field(number: tag >> 3, bytes: offset..<offset + length)
    case 5: try skip(4)
    default: throw .badEnvelope("the aggregated record has a field of the unknown wire type \(tag & 7)")
    }
    return Field(number: tag >> 3)
  }

  private static var cut: RejectionReason { .badEnvelope("a field of the aggregated record ends behind it") }

  @_lifetime(self: copy self)
  private mutating func skip(_ count: Int) throws(RejectionReason) {
    guard count <= end - offset else { throw Self.cut }
    offset += count
  }

  @_lifetime(self: copy self)
  private mutating func number() throws(RejectionReason) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard offset < end else { throw Self.cut }
      let byte = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
      offset += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw .badEnvelope("a number of the aggregated record has more than ten bytes")
  }
}
