import TarnBytes

/// A record or row that could not be taken: where it stands, why, and its bytes.
public struct RejectedRecord: Sendable, Hashable, CustomStringConvertible {
  /// Path of the file.
  public var source: String
  /// Line of the record's first byte, from 1.
  public var line: Int
  /// Offset of the record's first byte in the file's text, decompressed.
  public var offset: Int
  /// What is wrong with it.
  public var reason: RejectionReason
  /// Its bytes, or as many of them as ``keptBytes``: others come in further pieces.
  public var bytes: [UInt8]
  /// How many records seem to begin in it; 0 for a further piece of one.
  public var records: Int
  /// Offset of the first piece of a further one.
  public var continues: Int?

  /// How many bytes one piece has at most: more than DynamoDB or a stream lets a record have.
  public static let keptBytes = 4 << 20

  /// Its number, from 1, among the records that the object at ``offset`` carries; nil where it is that object.
  public var number: Int?
  /// The sequence number of what carried it, in digits, where it has one.
  public var sequenceNumber: String?
  /// Its place within an aggregated record of the Kinesis Producer Library, from 0.
  public var aggregateIndex: Int?

  /// Makes a rejected record of its parts.
  public init(
    source: String, line: Int, offset: Int, reason: RejectionReason, bytes: [UInt8], records: Int = 1,
    continues: Int? = nil, number: Int? = nil
  ) {
    self.source = source
    self.line = line
    self.offset = offset
    self.reason = reason
    self.bytes = bytes
    self.records = records
    self.continues = continues
    self.number = number
  }

  /// Where it stands and why it was rejected.
  public var description: String {
    let place = number.map { ", record \($0)" } ?? ""
    return "\(source), line \(line) (offset \(offset)\(place)): \(reason)"
  }

  /// One line of a dead-letter file, its line end included.
  ///
  /// `record` is the text, or base64 where it is not UTF-8; `encoding` is then `base64`. A record that stood within another
  /// object has its ``number``, and what that object alone told of its order as `sequenceNumber` and `subsequenceNumber`.
  /// A further piece of a long record has `continues`, the offset of the first. Readers of change records take such lines
  /// for the records in them, so that a dead-letter file can be read again once its records are mended, or the table is.
  public func jsonLine() -> [UInt8] {
    var out: [UInt8] = []
    out.append(text: "{\"source\":")
    out.appendJSON(string: source)
    out.append(text: ",\"line\":\(line),\"offset\":\(offset)")
    if let number { out.append(text: ",\"number\":\(number)") }
    if let sequenceNumber {
      out.append(text: ",\"sequenceNumber\":")
      out.appendJSON(string: sequenceNumber)
    }
    if let aggregateIndex { out.append(text: ",\"subsequenceNumber\":\(aggregateIndex)") }
    if let continues { out.append(text: ",\"continues\":\(continues)") }
    out.append(text: ",\"reason\":")
    out.appendJSON(string: reason.description)
    out.append(text: ",\"record\":")
    if UTF8Text.isValid(bytes.span.bytes) {
      out.appendJSON(string: bytes.span.bytes)
    } else {
      out.append(0x22)
      Base64.append(bytes.span.bytes, to: &out)
      out.append(text: "\",\"encoding\":\"base64\"")
    }
    out.append(text: "}\n")
    return out
  }
}
