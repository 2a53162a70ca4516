import TarnBytes
import TarnCDC

/// The event with which Lambda hands over a batch of a stream's records.
///
/// By "Process Amazon Kinesis Data Streams records with Lambda" and "Process DynamoDB records with Lambda" in the AWS
/// Lambda Developer Guide: `Records`, each with its sequence number in `kinesis` or `dynamodb`.
struct StreamEvent: Sendable {
  /// One record.
  struct Element: Sendable {
    /// Where it stands in the event.
    var range: Range<Int>
    /// By what it is named in the answer.
    var sequenceNumber: String
  }

  /// The records, in the stream's order.
  private(set) var elements: [Element] = []

  /// Looks through an event.
  ///
  /// - Throws: `ChangeError` where it is none, or a record has no sequence number, without which no answer can name it. Such
  ///   a number is of digits alone: files of dead letters are called by it.
  init(_ event: RawSpan) throws(ChangeError) {
    var scanner = JSONScanner(event)
    var hasRecords = false
    do {
      try scanner.beginObject()
      while let key = try scanner.nextKey() {
        if scanner.matches(key, "Records"), try scanner.peek() == .array {
          hasRecords = true
          try scanner.beginArray()
          while try scanner.nextElement() { try take(&scanner) }
        } else {
          try scanner.skipValue()
        }
      }
    } catch {
      throw .event("it is no JSON object: \(error)")
    }
    guard scanner.isAtEnd() else { throw .event("more than one JSON object is there") }
    guard hasRecords else {
      throw .event("Records is missing: it is no event of Kinesis or DynamoDB Streams")
    }
    if let broken = elements.firstIndex(where: { $0.sequenceNumber.isEmpty }) {
      throw .event(
        "record \(broken + 1) has no sequence number: it is no event of Kinesis or DynamoDB Streams")
    }
  }

  @_lifetime(scanner: copy scanner)
  private mutating func take(_ scanner: inout JSONScanner) throws(JSONError) {
    let isObject = try scanner.peek() == .object
    let start = scanner.offset
    var number = ""
    if isObject {
      try scanner.beginObject()
      while let key = try scanner.nextKey() {
        let carries = scanner.matches(key, "kinesis") || scanner.matches(key, "dynamodb")
        guard carries, try scanner.peek() == .object else {
          try scanner.skipValue()
          continue
        }
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
          let isNumber = scanner.matches(key, "sequenceNumber") || scanner.matches(key, "SequenceNumber")
          if isNumber, try scanner.peek() == .string {
            let text = scanner.string(try scanner.readString())
            number = text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? text : ""
          } else {
            try scanner.skipValue()
          }
        }
      }
    } else {
      try scanner.skipValue()
    }
    elements.append(Element(range: start..<scanner.offset, sequenceNumber: number))
  }
}
