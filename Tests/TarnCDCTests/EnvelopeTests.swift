import Foundation
import TarnBytes
import TarnCDC
import TarnColumns
import TarnStorage
import TarnTestSupport
import Testing

@Suite("Records within events and answers")
struct EnvelopeTests {
  private static let records = (1...3).map { change(id: "\($0)", new: "\"n\":{\"N\":\"\($0)\"}") }

  /// Reads a text, and gives the ids of the rows and what was rejected.
  private func read(
    _ text: String, chunk: Int = 1 << 20
  ) async throws -> (ids: [String], counts: ChangeCounts, rejected: [RejectedRecord]) {
    var builder = try RecordReaderTests.builder()
    let rejected = try await readAll(text, into: &builder, chunk: chunk)
    return (try builder.finish().rows.texts("id"), builder.counts, rejected)
  }

  /// Every way in which records are carried.
  private static func envelopes(_ data: [String]) -> [(name: String, text: String)] {
    let base64 = data.map { Data($0.utf8).base64EncodedString() }
    func list(_ element: (Int, String) -> String) -> String {
      base64.enumerated().map(element).joined(separator: ",\n  ")
    }
    return [
      (
        "Kinesis event",
        "{\"Records\":["
          + list {
            "{\"kinesis\":{\"partitionKey\":\"p\",\"sequenceNumber\":\"4959\($0)\",\"data\":\"\($1)\"},"
              + "\"eventName\":\"aws:kinesis:record\",\"eventSource\":\"aws:kinesis\"}"
          } + "]}"
      ),
      (
        "one element of a Kinesis event",
        base64.map {
          "{\"kinesis\":{\"data\":\"\($0)\",\"sequenceNumber\":\"1\"},\"eventName\":\"aws:kinesis:record\"}"
        }.joined()
      ),
      (
        "Firehose event",
        "{\"invocationId\":\"i\",\"records\":["
          + list {
            "{\"recordId\":\"\($0)\",\"data\":\"\($1)\",\"kinesisRecordMetadata\":{\"sequenceNumber\":\"77\",\"subsequenceNumber\":\"\($0)\"}}"
          } + "]}"
      ),
      (
        "GetRecords of Kinesis",
        "{\n \"Records\": ["
          + list { "{\"SequenceNumber\":\"\($0)\",\"Data\":\"\($1)\",\"PartitionKey\":\"p\"}" }
          + "],\"MillisBehindLatest\":0}"
      ),
      (
        "error prefix",
        base64.map { "{\"attemptsMade\":4,\"errorCode\":\"Lambda.FunctionError\",\"rawData\":\"\($0)\"}\n" }
          .joined()
      ),
    ]
  }

  @Test("Events, answers and failed records give up what they carry, whatever the size of the reads")
  func carried() async throws {
    var all = Self.envelopes(Self.records)
    all.append(("Streams event", "{\"Records\":[\(Self.records.joined(separator: " , "))]}"))
    all.append(("Streams records", Self.records.joined()))
    for (name, text) in all {
      for chunk in [7, 100, 1 << 20] {
        let found = try await read(text + "\n" + text, chunk: chunk)
        #expect(found.ids == ["1", "2", "3", "1", "2", "3"], "\(name)")
        #expect(found.rejected.isEmpty, "\(name): \(found.rejected)")
      }
    }
  }

  @Test("What carries one text may carry several records, or an event in turn")
  func nested() async throws {
    let event = Self.envelopes([Self.records[0] + Self.records[1], Self.records[2] + "\n"])[0].text
    #expect(try await read(event).ids == ["1", "2", "3"])
    for (name, text) in Self.envelopes([event]) {
      #expect(try await read(text).ids == ["1", "2", "3"], "\(name)")
    }
    var deep = Self.records[0]
    for _ in 0..<8 { deep = Self.envelopes([deep])[4].text }
    let found = try await read(deep + Self.records[1])
    #expect(found.ids == ["2"])
    #expect(found.rejected.map(\.reason.code) == [.badEnvelope])
  }

  @Test("A carried record that cannot be taken is rejected alone, with its bytes and number")
  func brokenWithin() async throws {
    let bad = "{\"eventName\":\"INSERT\",\"dynamodb\":{\"Keys\":{}}}"
    for (name, text) in Self.envelopes([Self.records[0], bad, "not json", Self.records[2]]) {
      let found = try await read("\n" + text)
      #expect(found.ids == ["1", "3"], "\(name)")
      #expect(
        found.rejected.map { String(decoding: $0.bytes, as: UTF8.self) } == [bad, "not json"], "\(name)")
      #expect(found.rejected.map(\.reason.code) == [.noNewImage, .notJSON])
      #expect(found.counts.records == 2 && found.counts.rejected == 2)
      guard !name.hasPrefix("one"), name != "error prefix" else { continue }
      #expect(found.rejected.map(\.number) == [2, 3], "\(name)")
      #expect(found.rejected.allSatisfy { $0.line == 2 && $0.offset == 1 })
      let letter = try #require(found.rejected.first).jsonLine()
      #expect(try JSONValue(parsing: letter)["number"]?.integer == 2)
    }
    let streams = try await read("{\"Records\":[\(Self.records[0]),{\"eventName\":\"INSERT\"},7]}")
    #expect(streams.ids == ["1"])
    #expect(streams.rejected.map(\.reason.code) == [.notAChangeRecord, .notAChangeRecord])
  }

  @Test("Dead letters are read again as the records in them, with what their carriers told of their order")
  func deadLetters() async throws {
    let bad = "{\"eventName\":\"INSERT\",\"dynamodb\":{\"Keys\":{\"id\":{\"S\":\"ü\\n2\"}}}}"
    for (name, text) in Self.envelopes([Self.records[0], bad]) {
      let letters = try await read(text).rejected.map { $0.jsonLine() }
      let letter = String(decoding: try #require(letters.first), as: UTF8.self)
      // What could not be taken cannot be taken again, until it is mended.
      let again = try await read(letter)
      #expect(again.rejected.map { String(decoding: $0.bytes, as: UTF8.self) } == [bad], "\(name)")
      #expect(again.rejected.map(\.reason.code) == [.noNewImage], "\(name)")
      let mended = letter.replacing(
        #"\"Keys\":{"#, with: #"\"NewImage\":{\"id\":{\"S\":\"2\"}},\"Keys\":{"#)
      var told: [String?] = []
      try ChangeRecords.read(Array((mended + mended).utf8)) { record, bytes in
        told.append(record.sequenceNumber(in: bytes))
      }
      let sequence: String? =
        switch name {
        case "Kinesis event": "49591"
        case "one element of a Kinesis event", "GetRecords of Kinesis": "1"
        case "Firehose event": "77"
        default: nil
        }
      #expect(told == [sequence, sequence], "\(name): \(mended)")
      if name == "Firehose event" { #expect(letter.contains("\"subsequenceNumber\":1")) }
    }
    let binary = RejectedRecord(
      source: "f", line: 1, offset: 0, reason: .refused(why: "so"),
      bytes: Array(Self.records[1].utf8) + [0xff])
    #expect(try await read(String(decoding: binary.jsonLine(), as: UTF8.self)).ids == ["2"])
    let piece = #"{"source":"f","line":1,"offset":9,"continues":0,"reason":"r","record":"}}"}"#
    #expect(try await read(piece + Self.records[2]).ids == ["3"])
    #expect(try await read(piece).rejected.map(\.reason.code) == [.badEnvelope])
    // A row that has such columns is a row.
    let row = #"{"event_name":"INSERT","id":"7","source":"s","reason":"r","record":"{}"}"#
    #expect(try await read(row).ids == ["7"])
  }

  @Test("Of records in one object, that of a refused row goes alone")
  func refused() async throws {
    for (name, text) in Self.envelopes(Self.records) {
      for chunk in [50, 1 << 20] {
        var builder = try RecordReaderTests.builder()
        builder.refusals = RowRefusals([1: "so it is"])
        let rejected = try await readAll(text, into: &builder, chunk: chunk)
        #expect(rejected.map { String(decoding: $0.bytes, as: UTF8.self) } == [Self.records[1]], "\(name)")
        #expect(rejected.map(\.reason.code) == [.refused])
        #expect(builder.refusals?.found == [1] && builder.refusals?.rowCount == 3, "\(name)")
      }
    }
  }

  @Test("Data that is no base64, or is cut off, is an error of its own")
  func badBase64() async throws {
    for data in ["e30", "e3*=", "e30=e30=", "A"] {
      let found = try await read("{\"Records\":[{\"kinesis\":{\"data\":\"\(data)\"}}]}\(Self.records[0])")
      #expect(found.ids == ["1"])
      #expect(found.rejected.map(\.reason.code) == [.badEnvelope], "\(data)")
    }
  }

  @Test("An event that is cut off, or broken, is rejected, and reading goes on behind it")
  func cutEvent() async throws {
    let event = "{\"Records\":[{\"kinesis\":{\"data\":\"e30=\""
    for chunk in [9, 1 << 20] {
      let found = try await read("\(event)\n\(Self.records[1])\n", chunk: chunk)
      #expect(found.ids == ["2"])
      #expect(found.rejected.map(\.reason.code) == [.notJSON])
    }
  }

  // MARK: Aggregated records

  /// A frame of two records, written out by the format's description; its checksum is that of `md5sum`.
  private static func frame() -> [UInt8] {
    func record(_ id: Int) -> [UInt8] {
      let text =
        "{\"eventID\":\"e\(id)\",\"eventName\":\"INSERT\",\"dynamodb\":{\"ApproximateCreationDateTime\":1705312800000000,"
        + "\"Keys\":{\"id\":{\"S\":\"\(id)\"}},\"NewImage\":{\"id\":{\"S\":\"\(id)\"},\"n\":{\"N\":\"\(id)\"}},"
        + "\"ApproximateCreationDateTimePrecision\":\"MICROSECOND\"}}"
      // Both indices, 216 bytes of data, and a tag `t` of `v`.
      let inner: [UInt8] =
        [0x08, 0x00, 0x10, 0x00, 0x1a, 0xd8, 0x01] + text.utf8 + [
          0x22, 0x06, 0x0a, 0x01, 0x74, 0x12, 0x01, 0x76,
        ]
      return [0x1a, UInt8(inner.count & 0x7f | 0x80), UInt8(inner.count >> 7)] + inner
    }
    let message: [UInt8] = [0x0a, 0x03] + "key".utf8 + [0x12, 0x02] + "17".utf8 + record(1) + record(2)
    let checksum: [UInt8] = [
      0x33, 0x4b, 0xd6, 0x8f, 0x54, 0x18, 0x66, 0x90, 0x35, 0x50, 0x6d, 0x6a, 0xec, 0x51, 0x08, 0x41,
    ]
    return [0xf3, 0x89, 0x9a, 0xc2] + message + checksum
  }

  private static func event(_ data: [UInt8]) -> String {
    "{\"Records\":[{\"kinesis\":{\"data\":\"\(Data(data).base64EncodedString())\",\"sequenceNumber\":\"49\"}}]}"
  }

  @Test("An aggregated record gives its records, each with its place")
  func aggregated() async throws {
    let found = try await read(Self.event(Self.frame()))
    #expect(found.rejected.isEmpty, "\(found.rejected)")
    #expect(found.ids == ["1", "2"])
  }

  @Test("An aggregated record with a wrong checksum, or cut off, is an error wherever it is damaged")
  func damagedAggregate() async throws {
    let frame = Self.frame()
    for index in 4..<frame.count {
      var damaged = frame
      damaged[index] ^= 0x10
      let found = try await read(Self.event(damaged))
      #expect(found.ids.isEmpty)
      #expect(found.rejected.map(\.reason.code) == [.badEnvelope])
    }
    for length in [4, 5, 19, 20, 100, frame.count - 1] {
      let found = try await read(Self.event(Array(frame.prefix(length))))
      #expect(found.rejected.map(\.reason.code) == [.badEnvelope], "\(length)")
    }
    // Without the magic it is no aggregated record, and no JSON either.
    #expect(try await read(Self.event(Array(frame.dropFirst(3)))).rejected.map(\.reason.code) == [.notJSON])
  }

  // MARK: Samples

  @Test("The samples of every envelope are read", .enabled(if: Samples.areThere))
  func samples() async throws {
    let expected = try await ids(of: "kinesis-ddb-records.jsonl")
    #expect(expected.ids.count == 10)
    for (name, more, rejected) in [
      ("kinesis-lambda-event.json", 2, 1), ("kinesis-getrecords-response.json", 2, 1),
      ("firehose-transform-event.json", 0, 1),
    ] {
      let found = try await ids(of: name)
      #expect(Array(found.ids.prefix(10)) == expected.ids, "\(name)")
      #expect(found.rejected.count == rejected, "\(name): \(found.rejected)")
      #expect(found.ids.count == 10 + more, "\(name)")
    }
    #expect(try await ids(of: "streams-records.jsonl").rejected.count < 24)
    #expect(try await ids(of: "streams-lambda-event.json").ids.count == 7)
    let failed = try await ids(of: "firehose-failed-record.jsonl")
    #expect(failed.rejected.map { String(decoding: $0.bytes, as: UTF8.self) } == ["not json at all"])
  }

  private func ids(of sample: String) async throws -> (ids: [String], rejected: [RejectedRecord]) {
    let schema = Schema([Field("pk", .string), Field("sk", .int64)])
    var builder = try ChangeBatchBuilder(schema: schema, keyFields: ["pk", "sk"])
    let rejected = try await readAll([(sample, try Samples.bytes(sample))], into: &builder)
    let rows = try builder.finish().rows
    return (zip(rows.texts("pk"), rows.texts("sk")).map { "\($0)/\($1)" }, rejected)
  }
}

/// Samples of what AWS writes, where they are at hand.
enum Samples {
  static var areThere: Bool { TestWorld.shared("aws/samples") != nil }

  static func bytes(_ name: String) throws -> [UInt8] {
    let path = try #require(TestWorld.shared("aws/samples/\(name)"))
    return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
  }
}
