import TarnBytes

/// Answers the event with which a delivery stream asks a function to transform records: from bytes to bytes, with no tree
/// of either, one record in memory at a time beside event and answer.
///
/// ```swift
/// let answer = try FirehoseTransformation().response(to: event)   // plain JSON lines
/// for failure in answer.failures { print(failure.recordID, failure.reason) }
///
/// let partitioned = try FirehoseTransformation().response(to: event) {
///   (record, text, output) throws(RejectionReason) in
///   if record.isExpiry { return }                                 // without bytes it is dropped
///   try output.appendLine(record, in: text)
///   output.partitionKeys["exchange"] = record.attribute("exchange", in: text)
/// }
/// ```
///
/// Every recordId is answered once. A record whose change records cannot all be taken is `ProcessingFailed`, alone; its
/// data goes back as it came, as the developer guide's functions do. Firehose does not ask again for such a record: it
/// writes it under its error prefix (`processing-failed`), from where ``ChangeRecords`` and `tarn ingest` read its
/// `rawData`. That is also what becomes of records for whose output the answer has no room: Lambda takes 6 MB, base64
/// included. A buffer hint of at most 3 MB leaves room where the output is no longer than the input.
///
/// By "Transform source data", "Required parameters for data transformation" and "Handle failure in data transformation"
/// in the Amazon Data Firehose Developer Guide.
public struct FirehoseTransformation: Sendable {
  /// What makes the output of a change record.
  ///
  /// It gets the record, the text in which its ranges lie, which lasts for the call only, and the output, to which changes
  /// of the same record of the stream may have appended before. What it throws fails that record of the stream.
  public typealias Transform = (borrowing ChangeRecord, RawSpan, inout TransformedRecord)
    throws(RejectionReason) -> Void

  /// How the change records are written; nil where each tells that by its members.
  public var shape: ChangeShape?
  /// Bytes that the answer may have: somewhat fewer than the 6 MiB that Lambda takes.
  public var responseLimit = 6_000_000

  /// Takes records of every shape.
  public init() {}

  /// The answer in which each change is a line of plain JSON; see ``TransformedRecord/appendLine(_:in:)``.
  ///
  /// - Throws: ``ChangeError`` with `event` where the bytes are no event of a delivery stream.
  public func response(to event: [UInt8]) throws(ChangeError) -> FirehoseResponse {
    try response(to: event) { (record, text, output) throws(RejectionReason) in
      try output.appendLine(record, in: text)
    }
  }

  /// The answer with what a function makes of each change.
  ///
  /// - Parameters:
  ///   - event: The event, as JSON.
  ///   - transform: Makes the output of a change.
  /// - Throws: ``ChangeError`` with `event` where the bytes are no event of a delivery stream.
  public func response(to event: [UInt8], transform: Transform) throws(ChangeError) -> FirehoseResponse {
    let found = try FirehoseEvent(event.span.bytes)
    return withoutActuallyEscaping(transform) { transform in
      var run = TransformationRun(shape, responseLimit, transform)
      return run.answer(found, event.span.bytes)
    }
  }
}

/// The work on one event.
private struct TransformationRun {
  private var consumer: TransformingConsumer
  private let limit: Int
  private var response = FirehoseResponse()
  /// Bytes that the records to come take at least.
  private var reserved = FirehoseResponse.frame
  /// The sequence number's digits, and behind them the data of the present record.
  private var text: [UInt8] = []

  init(_ shape: ChangeShape?, _ limit: Int, _ transform: @escaping FirehoseTransformation.Transform) {
    consumer = TransformingConsumer(scan: ChangeScan(shape), transform: transform)
    self.limit = limit
  }

  mutating func answer(_ event: FirehoseEvent, _ bytes: RawSpan) -> FirehoseResponse {
    let scanner = JSONScanner(bytes)
    reserved += event.records.reduce(0) { $0 + Self.leastBytes($1) }
    response.bytes.reserveCapacity(min(limit, bytes.byteCount))
    response.begin()
    for (number, element) in event.records.enumerated() {
      if number > 0 { response.bytes.append(0x2c) }
      reserved -= Self.leastBytes(element)
      if let problem = transform(element, scanner) {
        fail(element, problem, scanner)
      } else {
        succeed(element, scanner)
      }
    }
    response.end()
    response.changes = consumer.count
    return response
  }

  /// What an answer without data takes, with a comma.
  private static func leastBytes(_ element: FirehoseEvent.Element) -> Int {
    "{\"recordId\":\"\",\"result\":\"ProcessingFailed\",\"data\":\"\"},".utf8.count + element.id.count
  }

  /// Transforms the changes of a record.
  ///
  /// - Returns: What is wrong with it; nil where all were taken.
  private mutating func transform(
    _ element: FirehoseEvent.Element, _ scanner: borrowing JSONScanner
  ) -> String? {
    consumer.output.reset()
    guard let data = element.data else { return "the record has no data" }
    text.removeAll(keepingCapacity: true)
    var part = Envelope.Part(range: 0..<0, isDecoded: true)
    if let digits = element.sequenceNumber {
      text.append(scanner.raw(digits))
      part.sequenceNumber = 0..<digits.count
    }
    part.aggregateIndex = element.subsequenceNumber
    let start = text.count
    let isBase64 =
      data.isEscaped
      ? Base64.append(decoding: scanner.unescaped(data.range).span.bytes, to: &text)
      : Base64.append(decoding: scanner.raw(data), to: &text)
    guard isBase64 else { return "the data is no base64" }
    part.range = start..<text.count
    let before = consumer.seen
    let whole = text
    Self.take(part, whole.span.bytes, &consumer)
    if let rejected = consumer.scan.rejections.first {
      consumer.scan.rejections = []
      return rejected.number > 1
        ? "record \(rejected.number) in it: \(rejected.reason)" : "\(rejected.reason)"
    }
    return consumer.seen > before ? nil : "it holds no change record"
  }

  /// Takes the changes of the data, or of each record that it aggregates.
  private static func take(
    _ part: Envelope.Part, _ bytes: RawSpan, _ consumer: inout TransformingConsumer
  ) {
    var number = 0
    guard AggregatedRecord.isOne(bytes.extracting(part.range)) else {
      return consumer.takePart(part, bytes, &number, depth: 0)
    }
    do throws(RejectionReason) {
      let records = try AggregatedRecord.records(in: bytes.extracting(part.range))
      for (index, record) in records.enumerated() {
        var inner = part
        inner.range = part.range.lowerBound + record.lowerBound..<part.range.lowerBound + record.upperBound
        inner.aggregateIndex = index
        consumer.takePart(inner, bytes, &number, depth: 0)
      }
    } catch {
      var broken = part
      broken.problem = error
      consumer.takePart(broken, bytes, &number, depth: 0)
    }
  }

  private mutating func succeed(_ element: FirehoseEvent.Element, _ scanner: borrowing JSONScanner) {
    let start = response.bytes.count
    let output = consumer.output.bytes
    let isDropped = output.isEmpty
    begin(element, isDropped ? "Dropped" : "Ok", scanner)
    let room = limit - reserved - response.bytes.count
    // Whole groups of four letters, and what ends the record.
    guard isDropped || output.count / 3 < (room - 8) / 4 else {
      return failForRoom(element, from: start, scanner)
    }
    Base64.append(output.span.bytes, to: &response.bytes)
    response.bytes.append(0x22)
    if !isDropped, !consumer.output.partitionKeys.isEmpty { appendPartitionKeys() }
    response.bytes.append(0x7d)
    guard isDropped || response.bytes.count + reserved <= limit else {
      return failForRoom(element, from: start, scanner)
    }
    if isDropped { response.dropped += 1 } else { response.transformed += 1 }
  }

  private mutating func failForRoom(
    _ element: FirehoseEvent.Element, from start: Int, _ scanner: borrowing JSONScanner
  ) {
    response.bytes.removeLast(response.bytes.count - start)
    let why =
      "its output does not fit into an answer of \(limit) bytes: let the stream's buffer hint be smaller"
    fail(element, why, scanner)
  }

  private mutating func appendPartitionKeys() {
    response.bytes.append(text: ",\"metadata\":{\"partitionKeys\":{")
    for (number, key) in consumer.output.partitionKeys.sorted(by: { $0.key < $1.key }).enumerated() {
      if number > 0 { response.bytes.append(0x2c) }
      response.bytes.appendJSON(string: key.key)
      response.bytes.append(0x3a)
      response.bytes.appendJSON(string: key.value)
    }
    response.bytes.append(text: "}}")
  }

  /// Answers that a record failed, with its data as it came where there is room.
  private mutating func fail(
    _ element: FirehoseEvent.Element, _ reason: String, _ scanner: borrowing JSONScanner
  ) {
    begin(element, "ProcessingFailed", scanner)
    if let data = element.data, response.bytes.count + data.range.count + 2 + reserved <= limit {
      response.bytes.append(scanner.raw(data))
    }
    response.bytes.append(text: "\"}")
    response.failures.append(.init(recordID: scanner.string(element.id), reason: reason))
  }

  private mutating func begin(
    _ element: FirehoseEvent.Element, _ result: StaticString, _ scanner: borrowing JSONScanner
  ) {
    response.bytes.append(literal: "{\"recordId\":\"")
    response.bytes.append(scanner.raw(element.id))
    response.bytes.append(literal: "\",\"result\":\"")
    response.bytes.append(literal: result)
    response.bytes.append(literal: "\",\"data\":\"")
  }
}

/// Hands changes to the function that transforms them.
private struct TransformingConsumer: ChangeConsumer {
  var scan: ChangeScan
  let transform: FirehoseTransformation.Transform
  var output = TransformedRecord()
  /// Changes that were handed over, and those of them that the function took.
  var (seen, count) = (0, 0)

  init(scan: ChangeScan, transform: @escaping FirehoseTransformation.Transform) {
    self.scan = scan
    self.transform = transform
  }

  func isFull(limit: Int) -> Bool { false }

  mutating func takeRecord(_ scanner: borrowing JSONScanner) throws(RejectionReason) {
    seen += 1
    try transform(scan.record, scanner.bytes, &output)
    count += 1
  }
}
