import CryptoStream
import Foundation
import RuntimeStandIn

/// A stand-in for a delivery stream: records come in, the function transforms them, and objects come out.
///
/// Records are buffered by size and time twice, before the function and before the objects; whichever is reached first
/// counts. Times come in from outside, so that a test can say what time it is.
struct Delivery {
  /// Makes of an event what the function answers.
  typealias Function = (_ event: [UInt8]) throws -> RuntimeStandIn.Outcome
  /// Writes an object.
  typealias Writer = (_ path: String, _ bytes: [UInt8]) throws -> Void

  /// What was delivered.
  struct Counts: Equatable {
    var records = 0
    var transformed = 0
    var dropped = 0
    var failed = 0
    var objects = 0
  }

  private(set) var counts = Counts()

  private let settings: Settings
  private let function: Function
  private let write: Writer
  /// Records that wait for the function, with their bytes.
  private var waiting: [StreamRecord] = []
  private var waitingBytes = 0
  /// Objects that are growing, by their partition keys; nil stands for failed records.
  private var growing: [[String: String]?: GrowingObject] = [:]
  private var calls = 0

  private struct GrowingObject {
    var text = Data()
    /// The arrival of its oldest record.
    var oldest: Int64
    /// When it was begun.
    var begun: Int64
  }

  init(_ settings: Settings, function: @escaping Function, write: @escaping Writer) {
    self.settings = settings
    self.function = function
    self.write = write
  }

  /// Takes a record.
  ///
  /// - Parameter now: The time, in milliseconds since 1970.
  mutating func take(_ data: Data, now: Int64) throws {
    if waitingBytes + data.count > settings.functionBuffer { try transform(now: now) }
    waiting.append(StreamRecord(data: data, arrival: now))
    waitingBytes += data.count
    counts.records += 1
    try tick(now: now)
  }

  /// Does what is due.
  mutating func tick(now: Int64) throws {
    if let first = waiting.first, now - first.arrival >= settings.functionInterval { try transform(now: now) }
    for (keys, object) in growing
    where object.text.count >= settings.buffer || now - object.begun >= settings.interval {
      try finish(keys, object)
    }
  }

  /// Delivers all that is there.
  mutating func end(now: Int64) throws {
    try transform(now: now)
    for (keys, object) in growing { try finish(keys, object) }
  }

  private mutating func transform(now: Int64) throws {
    guard !waiting.isEmpty else { return }
    let records = waiting
    (waiting, waitingBytes) = ([], 0)
    calls += 1
    let event = TransformEvent(
      invocationId: "invocation-\(calls)",
      deliveryStreamArn: "arn:aws:firehose:us-east-1:123456789012:deliverystream/\(settings.name)",
      records: records.enumerated().map { index, record in
        .init(recordId: "\(calls)-\(index)", approximateArrivalTimestamp: record.arrival, data: record.data)
      })
    let bytes = Array(try JSONEncoder().encode(event))
    var attempts = 0
    var failure = ""
    while attempts <= settings.retries {
      attempts += 1
      switch try function(bytes) {
      case .answer(let answer):
        return try deliver(records, event, Data(answer), attempts: attempts, now: now)
      case .failure(_, let body), .initFailure(let body): failure = body
      }
    }
    for record in records {
      try fail(record, "Lambda.FunctionError", failure, attempts: attempts, now: now)
    }
  }

  private mutating func deliver(
    _ records: [StreamRecord], _ event: TransformEvent, _ bytes: Data, attempts: Int, now: Int64
  ) throws {
    let answer = try? JSONDecoder().decode(TransformAnswer.self, from: bytes)
    var answers: [String: TransformAnswer.Record] = [:]
    for record in answer?.records ?? [] where answers.updateValue(record, forKey: record.recordId) != nil {
      answers[record.recordId]?.result = "twice"
    }
    for (record, asked) in zip(records, event.records) {
      let found = answers[asked.recordId]
      switch found?.result {
      case "Ok":
        counts.transformed += 1
        let keys = found?.metadata?.partitionKeys ?? [:]
        try append(found?.data ?? Data(), of: record, to: .some(keys), now: now)
      case "Dropped": counts.dropped += 1
      case "ProcessingFailed":
        try fail(
          record, "Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record",
          attempts: attempts,
          now: now)
      default:
        try fail(
          record, "Lambda.MissingRecordId", "The record is not there once in the function's answer.",
          attempts: attempts, now: now)
      }
    }
  }

  private mutating func fail(
    _ record: StreamRecord, _ code: String, _ message: String, attempts: Int, now: Int64
  ) throws {
    counts.failed += 1
    let failed = FailedRecord(
      attemptsMade: attempts, arrivalTimestamp: record.arrival, errorCode: code, errorMessage: message,
      attemptEndingTimestamp: now, rawData: record.data, lambdaArn: settings.function)
    try append(try JSONEncoder().encode(failed) + Data("\n".utf8), of: record, to: nil, now: now)
  }

  private mutating func append(
    _ text: Data, of record: StreamRecord, to keys: [String: String]?, now: Int64
  ) throws {
    var object = growing[keys] ?? GrowingObject(oldest: record.arrival, begun: now)
    object.text += text
    object.oldest = min(object.oldest, record.arrival)
    growing[keys] = object
    if object.text.count >= settings.buffer { try finish(keys, object) }
  }

  private mutating func finish(_ keys: [String: String]?, _ object: GrowingObject) throws {
    growing[keys] = nil
    let path = try ObjectPlace.path(
      settings, time: object.oldest, id: UUID().uuidString.lowercased(), keys: keys ?? [:],
      errorType: keys == nil ? "processing-failed" : nil)
    let text = Array(object.text)
    try write(path, keys == nil ? text : Gzip.compress(text))
    counts.objects += 1
  }
}
