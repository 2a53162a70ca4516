import TarnBytes

/// Makes a log file in memory, block behind block.
///
/// Source: part B of the format, sections 1.3 to 1.6; `HoodieLogFormatWriter`.
package struct LogWriter: Sendable {
  /// The file so far.
  package private(set) var bytes: [UInt8] = []

  /// The version of the frame of a block.
  private static let frameVersion: UInt32 = 1
  /// The version of a content of records.
  private static let recordsVersion: UInt32 = 3

  /// Begins an empty file.
  package init() {}

  /// Appends a block.
  ///
  /// - Parameter header: Texts, in their order.
  package mutating func append(
    _ kind: LogBlock.Kind, header: [(key: LogBlock.Key, text: String)], content: [UInt8]
  ) {
    var body: [UInt8] = []
    body.appendBigEndian(Self.frameVersion)
    body.appendBigEndian(kind.rawValue)
    body.appendBigEndian(UInt32(header.count))
    for entry in header {
      body.appendBigEndian(entry.key.rawValue)
      body.appendBigEndian(UInt32(entry.text.utf8.count))
      body.append(text: entry.text)
    }
    body.appendBigEndian(Int64(content.count))
    body += content
    // The footer, which is empty in all that is known.
    body.appendBigEndian(UInt32(0))
    let size = Int64(body.count + 8)
    bytes += LogBlock.magic
    bytes.appendBigEndian(size)
    bytes += body
    bytes.appendBigEndian(size + 6)
  }

  /// Appends a block of records of Avro.
  ///
  /// - Parameters:
  ///   - records: Each by itself, encoded by the schema.
  ///   - schema: The schema's text.
  package mutating func append(records: [[UInt8]], schema: String) {
    var content: [UInt8] = []
    content.appendBigEndian(Self.recordsVersion)
    content.appendBigEndian(UInt32(records.count))
    for record in records {
      content.appendBigEndian(UInt32(record.count))
      content += record
    }
    append(.avro, header: [(.schema, schema)], content: content)
  }
}
