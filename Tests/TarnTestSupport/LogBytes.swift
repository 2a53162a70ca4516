import TarnBytes

/// Log files in Hudi's format, made byte by byte.
public struct LogBytes: Sendable {
  /// The file.
  public var bytes: [UInt8] = []

  /// Makes an empty file.
  public init() {}

  /// Appends a block.
  ///
  /// - Parameters:
  ///   - kind: The number of what it holds.
  ///   - header: Texts under the numbers of what they mean, in their order.
  public mutating func append(
    kind: UInt32, version: UInt32 = 1, header: [(UInt32, String)], content: [UInt8],
    footer: [UInt8] = [0, 0, 0, 0]
  ) {
    var body: [UInt8] = []
    body.appendBigEndian(version)
    body.appendBigEndian(kind)
    body.appendBigEndian(UInt32(header.count))
    for (key, text) in header {
      body.appendBigEndian(key)
      body.appendBigEndian(UInt32(text.utf8.count))
      body.append(text: text)
    }
    body.appendBigEndian(Int64(content.count))
    body += content + footer
    let size = Int64(body.count + 8)
    bytes.append(text: "#HUDI#")
    bytes.appendBigEndian(size)
    bytes += body
    bytes.appendBigEndian(size + 6)
  }

  /// The content of a block of records of Avro.
  public static func content(of records: [[UInt8]], version: UInt32 = 3) -> [UInt8] {
    var content: [UInt8] = []
    content.appendBigEndian(version)
    content.appendBigEndian(UInt32(records.count))
    for record in records {
      content.appendBigEndian(UInt32(record.count))
      content += record
    }
    return content
  }
}
