import TarnBytes

/// The records that an object carries, taken out of it.
///
/// It opens the events that AWS Lambda gets from DynamoDB Streams, Kinesis and Firehose, by "Using AWS Lambda with
/// Kinesis" and "Amazon Data Firehose data transformation" in their guides; the answers of GetRecords, by the API
/// references of Kinesis and of DynamoDB Streams; single elements of these; the records that Firehose leaves under
/// its error prefix, with the bytes in `rawData`; and dead letters, as ``RejectedRecord/jsonLine()`` writes them.
struct Envelope: Sendable {
  /// A record's text, or texts, without what stood around it.
  struct Part: Sendable {
    /// Where it stands: in ``decoded``, or in the text of the envelope.
    var range: Range<Int>
    var isDecoded = false
    /// Where the sequence number of what carried it stands in ``decoded``.
    var sequenceNumber: Range<Int>?
    /// Its place within an aggregated record.
    var aggregateIndex: Int?
    /// Why there is nothing to be read.
    var problem: RejectionReason?
  }

  /// The bytes that stood in base64.
  private(set) var decoded: [UInt8] = []
  /// The parts in their order.
  private(set) var parts: [Part] = []

  /// Opens the object that comes next in a text, which has been scanned before.
  @_lifetime(scanner: copy scanner)
  init(_ scanner: inout JSONScanner) throws(JSONError) {
    scanner.skipWhitespace()
    let start = scanner.offset
    var carrier = Carrier()
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      let isList = scanner.matches(key, "Records") || scanner.matches(key, "records")
      if isList, try scanner.peek() == .array {
        try scanner.beginArray()
        while try scanner.nextElement() { try openElement(&scanner) }
      } else {
        try carrier.take(&scanner, key)
      }
    }
    if carrier.data != nil || carrier.letter != nil { append(carrier, start..<scanner.offset, scanner) }
  }

  /// What carries one record.
  private struct Carrier {
    /// Bytes in base64.
    var data: JSONText?
    /// The text of a record that could not be taken, which counts where there is no ``data``.
    var letter: JSONText?
    /// Whether ``letter`` is in base64.
    var isEncoded = false
    /// Whether ``letter`` goes on where another one ends.
    var isContinued = false
    var sequenceNumber: Range<Int>?
    var aggregateIndex: Int?
    /// Whether it is a change record itself.
    var isRecord = false

    /// Takes the value of a member.
    @_lifetime(scanner: copy scanner)
    mutating func take(_ scanner: inout JSONScanner, _ key: JSONText) throws(JSONError) {
      switch try scanner.peek() {
      case .object:
        if scanner.matches(key, "dynamodb") {
          isRecord = true
        } else if scanner.matches(key, "kinesis") || scanner.matches(key, "kinesisRecordMetadata") {
          try scanner.beginObject()
          while let inner = try scanner.nextKey() { try take(&scanner, inner) }
          return
        }
      case .string:
        let text = try scanner.readString()
        if scanner.matches(key, "data") || scanner.matches(key, "Data") || scanner.matches(key, "rawData") {
          data = text
        } else if scanner.matches(key, "record") {
          letter = text
        } else if scanner.matches(key, "encoding") {
          isEncoded = scanner.string(text) == "base64"
        } else if scanner.matches(key, "sequenceNumber") || scanner.matches(key, "SequenceNumber") {
          sequenceNumber = SequenceNumber.digits(text, scanner)
        } else if scanner.matches(key, "subsequenceNumber") {
          // Some write it as a text.
          aggregateIndex = Int(scanner.string(text))
        }
        return
      case .number where scanner.matches(key, "subsequenceNumber"):
        aggregateIndex = Int(scanner.string(try scanner.readNumber()))
        return
      case .number where scanner.matches(key, "continues"): isContinued = true
      default: break
      }
      try scanner.skipValue()
    }
  }

  @_lifetime(scanner: copy scanner)
  private mutating func openElement(_ scanner: inout JSONScanner) throws(JSONError) {
    let kind = try scanner.peek()
    let start = scanner.offset
    guard kind == .object else {
      try scanner.skipValue()
      parts.append(
        Part(range: start..<scanner.offset, problem: .notAChangeRecord("an element of Records is \(kind)")))
      return
    }
    var carrier = Carrier()
    try scanner.beginObject()
    while let key = try scanner.nextKey() { try carrier.take(&scanner, key) }
    append(carrier, start..<scanner.offset, scanner)
  }

  /// Appends what a carrier has.
  ///
  /// - Parameter range: Where it stands.
  private mutating func append(_ carrier: Carrier, _ range: Range<Int>, _ scanner: borrowing JSONScanner) {
    guard !carrier.isRecord else { return parts.append(Part(range: range)) }
    guard let data = carrier.data ?? carrier.letter else {
      return parts.append(Part(range: range, problem: .notAChangeRecord("it has neither data nor dynamodb")))
    }
    var sequence: Range<Int>?
    if let digits = carrier.sequenceNumber {
      sequence = decoded.count..<decoded.count + digits.count
      decoded.append(scanner.raw(digits))
    }
    let start = decoded.count
    guard !carrier.isContinued else {
      return parts.append(
        Part(range: range, problem: .badEnvelope("it goes on where another ends: put their texts together")))
    }
    if carrier.data == nil, !carrier.isEncoded {
      decoded += scanner.unescaped(data.range)
      return parts.append(
        Part(
          range: start..<decoded.count, isDecoded: true, sequenceNumber: sequence,
          aggregateIndex: carrier.aggregateIndex))
    }
    let isBase64 =
      data.isEscaped
      ? Base64.append(decoding: scanner.unescaped(data.range).span.bytes, to: &decoded)
      : Base64.append(decoding: scanner.raw(data), to: &decoded)
    guard isBase64 else {
      return parts.append(Part(range: range, problem: .badEnvelope("the data is no base64")))
    }
    let whole = Part(
      range: start..<decoded.count, isDecoded: true, sequenceNumber: sequence,
      aggregateIndex: carrier.aggregateIndex)
    guard AggregatedRecord.isOne(decoded.span.bytes.extracting(whole.range)) else {
      return parts.append(whole)
    }
    do {
      let records = try AggregatedRecord.records(in: decoded.span.bytes.extracting(whole.range))
      for (index, record) in records.enumerated() {
        var part = whole
        part.range = start + record.lowerBound..<start + record.upperBound
        part.aggregateIndex = index
        parts.append(part)
      }
    } catch {
      var broken = whole
      broken.problem = error
      parts.append(broken)
    }
  }
}
