import Foundation
import TarnBytes
import TarnCDC
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

@Suite("One form for change records of every shape")
struct NormalFormTests {
  /// All that a record says.
  private struct Told: Equatable {
    var kind: ChangeKind
    var id: String?
    var table: String?
    var time: Int64?
    var precision: EventTimePrecision?
    var sequence: String?
    var index: Int?
    var user: UserIdentity?
    var isExpiry: Bool
    var keys: String?
    var newImage: String?
    var oldImage: String?
  }

  private func told(
    _ text: [UInt8], as shape: ChangeShape? = nil, withImages: Bool = true
  ) throws -> [Told] {
    var all: [Told] = []
    // Some samples have what is no change record, too.
    try ChangeRecords.read(text, shape: shape, rejected: { _ in }) { record, text in
      func string(_ range: Range<Int>?) -> String? {
        guard withImages, let range else { return nil }
        let image = text.extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        return image.filter { !$0.isWhitespace }
      }
      all.append(
        Told(
          kind: record.kind, id: record.eventID(in: text), table: record.tableName(in: text),
          time: record.eventTime, precision: record.eventTimePrecision,
          sequence: record.sequenceNumber(in: text), index: record.aggregateIndex,
          user: record.userIdentity(in: text), isExpiry: record.isExpiry, keys: string(record.keysRange),
          newImage: string(record.newImageRange), oldImage: string(record.oldImageRange)))
    }
    return all
  }

  private func lines(_ text: [UInt8], as shape: ChangeShape? = nil) throws -> [UInt8] {
    var out: [UInt8] = []
    try ChangeRecords.read(text, shape: shape, rejected: { _ in }) { record, text throws(RejectionReason) in
      try record.appendNormalForm(text, to: &out)
    }
    return out
  }

  /// Records of DynamoDB's own, with all that such can have.
  private static let records = [
    change("INSERT", new: #""a":{"S":"\u00e9\n"},"b":{"M":{"c":{"L":[{"NULL":true}]}}}"#),
    change("MODIFY", new: #""a":{"NS":["1","2"]}"#, old: #""a":{"B":"AAE="}"#, time: 1_705_312_800_123_456),
    #"{"eventName":"REMOVE","userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},"tableName":"T","dynamodb":{"ApproximateCreationDateTime":1705312800,"SequenceNumber":"000123456789012345678901","Keys":{"id":{"S":"1"}}}}"#,
    #"{"eventName":"REMOVE","dynamodb":{"ApproximateCreationDateTime":1705312800123,"ApproximateCreationDateTimePrecision":"MILLISECOND","SubsequenceNumber":7,"Keys":{"id":{"N":"1"}}}}"#,
    #"{"eventName":"REMOVE","eventID":"\"quoted\"","eventSourceARN":"arn:aws:dynamodb:r:1:table/U/stream/x","dynamodb":{"Keys":{"id":{"N":"1"}}}}"#,
    #"{"eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":"2024-01-15T10:00:00Z","NewImage":{}}}"#,
  ]

  @Test("A record is read again to the same record, and its line is the same again")
  func again() throws {
    let text = Array(Self.records.joined(separator: "\n").utf8)
    let lines = try lines(text)
    #expect(lines.filter { $0 == 0x0a }.count == Self.records.count)
    let before = try told(text)
    #expect(try told(lines) == before && before.count == Self.records.count)
    #expect(try self.lines(lines) == lines)
  }

  @Test("Line breaks within a record are no part of it")
  func lineBreaks() throws {
    let text =
      "{\"eventName\":\"INSERT\",\n\"dynamodb\":{\"NewImage\":\r\n{\n \"a\": {\"S\":\"x\\ny\"}\n}}}"
    let line = try lines(Array(text.utf8))
    #expect(line.filter { $0 == 0x0a }.count == 1 && line.last == 0x0a)
    #expect(String(decoding: line, as: UTF8.self).contains("{\"a\":{\"S\":\"x\\ny\"}}"))
  }

  @Test("Plain JSON becomes attributes, and all else stays")
  func plain() throws {
    let rows = [
      (
        #"{"op":"u","before":{"id":1},"after":{"id":1,"t":"é\\n","b":true,"z":null,"l":[1.50,{"x":"y"}]},"source":{"ts_us":1700000000000003,"table":"orders"}}"#,
        #"{"eventName":"MODIFY","tableName":"orders","dynamodb":{"ApproximateCreationDateTime":1700000000000003,"ApproximateCreationDateTimePrecision":"MICROSECOND","NewImage":{"id":{"N":"1"},"t":{"S":"é\\n"},"b":{"BOOL":true},"z":{"NULL":true},"l":{"L":[{"N":"1.50"},{"M":{"x":{"S":"y"}}}]}},"OldImage":{"id":{"N":"1"}}},"eventSource":"aws:dynamodb"}"#
      ),
      (
        #"{"Op":"D","id":"a"}"#,
        #"{"eventName":"REMOVE","dynamodb":{"OldImage":{"id":{"S":"a"}}},"eventSource":"aws:dynamodb"}"#
      ),
      (
        #"{"event_name":"INSERT","event_id":"e","event_time":1700000000,"event_sequence":"12","id":"a","n":-1e5}"#,
        #"{"eventID":"e","eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1700000000,"NewImage":{"id":{"S":"a"},"n":{"N":"-1e5"}},"SequenceNumber":"12"},"eventSource":"aws:dynamodb"}"#
      ),
      (
        #"{"Keys":{"id":{"S":"a"}},"Metadata":{"WriteTimestampMicros":{"N":"4"}}}"#,
        #"{"eventName":"REMOVE","dynamodb":{"ApproximateCreationDateTime":4,"ApproximateCreationDateTimePrecision":"MICROSECOND","Keys":{"id":{"S":"a"}}},"eventSource":"aws:dynamodb"}"#
      ),
    ]
    for (text, expected) in rows {
      let line = try lines(Array(text.utf8))
      #expect(String(decoding: line, as: UTF8.self) == expected + "\n")
      // Images are written otherwise; all else is the same.
      #expect(try told(line, withImages: false) == (try told(Array(text.utf8), withImages: false)))
    }
  }

  @Test("What no attribute can have is an error that names it, and nothing is written")
  func refused() throws {
    let number = String(repeating: "1", count: 39)
    for (text, what) in [
      (#"{"Op":"I","id":"a","n":\#(number)}"#, "attribute \"n\" of NewImage"),
      (#"{"Op":"D","id":"a","n":1e200}"#, "attribute \"n\" of OldImage"),
      (#"{"op":"c","after":{"m":{"n":1e200}}}"#, "attribute \"m\" of NewImage"),
    ] {
      var out: [UInt8] = [1]
      do {
        try ChangeRecords.read(Array(text.utf8)) { record, text throws(RejectionReason) in
          try record.appendNormalForm(text, to: &out)
        }
        Issue.record("nothing was thrown")
      } catch {
        #expect(error.record?.reason.code == .badAttribute)
        #expect(error.description.contains(what), "\(error)")
      }
      #expect(out == [1])
    }
  }

  @Test("Times that contradict their precision are written as finely as they are")
  func times() throws {
    let texts = [
      (#"1705312800123.5,"ApproximateCreationDateTimePrecision":"MILLISECOND""#, 1_705_312_800_123_500),
      (#""9999-12-31T23:59:59Z""#, 253_402_300_799_000_000), ("-5", -5_000_000),
    ]
    for (time, expected) in texts {
      let text = #"{"eventName":"REMOVE","dynamodb":{"Keys":{},"ApproximateCreationDateTime":\#(time)}}"#
      #expect(try told(lines(Array(text.utf8))).map(\.time) == [Int64(expected)])
    }
  }

  @Test("Samples of every shape come out as the records that they are")
  func samples() throws {
    let folder = try TestWorld.requireShared("aws/samples")
    for name in [
      "kinesis-ddb-records.jsonl", "streams-records.jsonl", "streams-lambda-event.json",
      "kinesis-lambda-event.json", "firehose-transform-event.json",
      "export-full-mock.jsonl", "export-incremental.jsonl",
    ] {
      let text = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
      let before = try told(text)
      #expect(try told(lines(text)) == before && !before.isEmpty, "\(name)")
    }
  }

  @Test("Rows of Parquet say the same")
  func parquet() async throws {
    let text = Array(Self.records.joined(separator: "\n").utf8)
    var rows = NormalRows()
    #expect(try await readAll([("in", text)], into: &rows).isEmpty)
    let storage = InMemoryStorage()
    let object = try await storage.writer(at: "out")
    var writer = try ParquetWriter(schema: NormalRows.schema, to: object)
    try await writer.append(try rows.takeRows())
    _ = try await writer.finish()
    var lines = ChangeNormalizer()
    let file = try await storage.readAll("out")
    #expect(try await readAll([("out", file)], into: &lines).isEmpty)
    #expect(try lines.takeLines() == self.lines(text))
  }
}
