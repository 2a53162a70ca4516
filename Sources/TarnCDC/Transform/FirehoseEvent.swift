import TarnBytes

/// The event that a delivery stream calls a function with, as it stands in its text.
///
/// By "Transform source data in Amazon Data Firehose" in its guide, and the event types of aws-lambda-go
/// (`events/firehose.go`): `records` with `recordId`, `data` in base64 and, where a Kinesis stream is the source,
/// `kinesisRecordMetadata`.
struct FirehoseEvent: Sendable {
  /// One record of the event: offsets only.
  struct Element: Sendable {
    /// Where the recordId stands, between its quotes.
    var id = 0..<0
    /// The data; nil where there is none.
    var data: JSONText?
    /// Where the digits of the Kinesis sequence number stand.
    var sequenceNumber: Range<Int>?
    /// The place in the record of Kinesis that aggregated it with others.
    var subsequenceNumber: Int?
  }

  /// The records in their order.
  private(set) var records: [Element] = []

  /// Looks through an event.
  ///
  /// - Throws: ``ChangeError`` where it is none, or a record has no recordId, without which nobody can answer.
  init(_ event: RawSpan) throws(ChangeError) {
    var scanner = JSONScanner(event)
    var hasRecords = false
    do {
      try scanner.beginObject()
      while let key = try scanner.nextKey() {
        if scanner.matches(key, "records"), try scanner.peek() == .array {
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
    guard hasRecords else { throw .event("records is missing: it is no event of a delivery stream") }
    if let broken = records.firstIndex(where: { $0.id.isEmpty }) {
      throw .event("record \(broken + 1) has no recordId, so that it cannot be answered")
    }
  }

  @_lifetime(scanner: copy scanner)
  private mutating func take(_ scanner: inout JSONScanner) throws(JSONError) {
    var element = Element()
    guard try scanner.peek() == .object else {
      try scanner.skipValue()
      return records.append(element)
    }
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      if scanner.matches(key, "recordId"), try scanner.peek() == .string {
        element.id = try scanner.readString().range
      } else if scanner.matches(key, "data"), try scanner.peek() == .string {
        element.data = try scanner.readString()
      } else if scanner.matches(key, "kinesisRecordMetadata"), try scanner.peek() == .object {
        try takeMetadata(&scanner, &element)
      } else {
        try scanner.skipValue()
      }
    }
    records.append(element)
  }

  @_lifetime(scanner: copy scanner)
  private func takeMetadata(_ scanner: inout JSONScanner, _ element: inout Element) throws(JSONError) {
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      let kind = try scanner.peek()
      if scanner.matches(key, "sequenceNumber"), kind == .string {
        element.sequenceNumber = SequenceNumber.digits(try scanner.readString(), scanner)
      } else if scanner.matches(key, "subsequenceNumber"), kind == .string {
        // Some write it as a text.
        element.subsequenceNumber = Int(scanner.string(try scanner.readString()))
      } else if scanner.matches(key, "subsequenceNumber"), kind == .number {
        element.subsequenceNumber = Int(scanner.string(try scanner.readNumber()))
      } else {
        try scanner.skipValue()
      }
    }
  }
}
