import TarnBytes

/// A block of a log file: what its frame tells, and where its content lies.
///
/// Source: part B of the format, sections 1.3 to 1.6; `HoodieLogBlock`.
package struct LogBlock: Sendable, Hashable {
  /// What a block holds.
  package enum Kind: UInt32, Sendable, Hashable {
    /// Nothing: its header says what is to be done.
    case command = 0
    /// Keys that leave the table.
    case delete = 1
    /// A part of the file that is no block, as a writer leaves it that died. It is passed over, and tells of no rows.
    case corrupt = 2
    /// Records of Avro.
    case avro = 3
    /// An HFile.
    case hfile = 4
    /// A Parquet file.
    case parquet = 5
    /// Changes of rows, as records of Avro.
    case changes = 6
  }

  /// What a header's entry means; texts all.
  package enum Key: UInt32, Sendable, Hashable {
    /// The instant that wrote the block.
    case instant = 0
    /// The instant that a command rolls back.
    case targetInstant = 1
    /// The Avro schema of the content.
    case schema = 2
    /// The number of the command; 0 is to roll back.
    case command = 3
    /// Instants whose blocks this one replaces.
    case replacedInstants = 4
    /// Rows of the base file that the block is about, as a bitmap.
    case positions = 5
    /// A number by which writers of one release knew blocks written twice.
    case identifier = 6
    /// Whether records have the updated columns alone.
    case isPartial = 7
    /// Instant of the base file that the positions are of.
    case positionsInstant = 8
  }

  /// What it holds.
  package let kind: Kind
  /// Where it lies in the file, frame and all.
  package let range: Range<Int>
  /// The header.
  package let header: [Key: String]
  /// Where its content lies in the file.
  package let content: Range<Int>

  /// `#HUDI#`, with which every block begins.
  package static let magic: [UInt8] = [0x23, 0x48, 0x55, 0x44, 0x49, 0x23]
  /// Bytes in front of what the block's size counts: the magic and the size.
  static let prefix = 14
  /// The least size: version, kind, counts of header and footer, lengths of content and block.
  static let leastSize = 32

  /// The instant that wrote the block.
  package var instant: String? { header[.instant] }
  /// The Avro schema of the content.
  package var schema: String? { header[.schema] }

  /// A part of the file that is no block.
  static func corrupt(_ range: Range<Int>) -> LogBlock {
    LogBlock(kind: .corrupt, range: range, header: [:], content: range.upperBound..<range.upperBound)
  }
}

/// What stands in a block between its size and its content.
struct LogBlockHead {
  let version: UInt32
  let kind: UInt32
  let header: [(key: UInt32, text: String?)]
  let contentLength: Int64
  /// Number of bytes read.
  let length: Int

  init(_ bytes: RawSpan) throws(ByteError) {
    var reader = ByteReader(bytes)
    version = try reader.readBigEndian()
    kind = try reader.readBigEndian()
    header = try Self.map(&reader)
    contentLength = try reader.readBigEndian()
    length = reader.offset
  }

  /// A header or a footer; texts that are no UTF-8 are nil.
  static func map(_ reader: inout ByteReader) throws(ByteError) -> [(key: UInt32, text: String?)] {
    let start = reader.offset
    let count: Int32 = try reader.readBigEndian()
    guard count >= 0 else { throw .badLength(offset: start) }
    var entries: [(key: UInt32, text: String?)] = []
    for _ in 0..<count {
      let key: UInt32 = try reader.readBigEndian()
      let length: Int32 = try reader.readBigEndian()
      let bytes = try reader.readBytes(Int(length))
      let isText = UTF8Text.isValid(bytes)
      entries.append((key, isText ? bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } : nil))
    }
    return entries
  }
}
