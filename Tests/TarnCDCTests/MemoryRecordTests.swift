import TarnBytes
import TarnCDC
import TarnColumns
import TarnStorage
import Testing

@Suite("Change records in memory")
struct MemoryRecordTests {
  /// What a record tells of itself.
  private struct Told: Equatable {
    var kind: ChangeKind
    var sequence: String?
    var index: Int?
    var precision: EventTimePrecision?
    var isExpiry = false
  }

  private func told(_ text: String, as shape: ChangeShape? = nil) throws -> [Told] {
    var all: [Told] = []
    try ChangeRecords.read(Array(text.utf8), shape: shape) { record, text in
      all.append(
        Told(
          kind: record.kind, sequence: record.sequenceNumber(in: text), index: record.aggregateIndex,
          precision: record.eventTimePrecision, isExpiry: record.isExpiry))
    }
    return all
  }

  @Test("A record tells its sequence number, its own or that of what carried it")
  func sequence() throws {
    let own =
      #"{"eventName":"REMOVE","dynamodb":{"Keys":{"id":{"S":"1"}},"SequenceNumber":"130216000000000015968936790"}}"#
    #expect(
      try told(own + "{\"Records\":[\(own)]}").map(\.sequence)
        == Array(repeating: "130216000000000015968936790", count: 2))
    let data = Base64.encode(Array(change("REMOVE").utf8))
    let kinesis = "{\"Records\":[{\"kinesis\":{\"data\":\"\(data)\",\"sequenceNumber\":\"4959\"}}]}"
    #expect(try told(kinesis).map(\.sequence) == ["4959"])
    for place in ["3", "\"3\""] {
      let firehose =
        "{\"records\":[{\"recordId\":\"r\",\"data\":\"\(data)\",\"kinesisRecordMetadata\":{\"subsequenceNumber\":\(place),"
        + "\"sequenceNumber\":\"77\"}}]}"
      let found = try told(firehose)
      #expect(found.map(\.sequence) == ["77"] && found.map(\.index) == [3])
    }
    #expect(try told(change("REMOVE")).map(\.sequence) == [nil])
    #expect(throws: ChangeError.self) {
      try told(#"{"eventName":"REMOVE","dynamodb":{"Keys":{"id":{"S":"1"}},"SequenceNumber":"1x"}}"#)
    }
  }

  @Test("A record tells how finely its time is written, and who made the change")
  func timeAndUser() throws {
    func record(_ time: String, _ more: String = "", _ user: String = "null") -> String {
      "{\"eventName\":\"REMOVE\",\"userIdentity\":\(user),\"dynamodb\":{\"Keys\":{\"id\":{\"S\":\"1\"}},"
        + "\"ApproximateCreationDateTime\":\(time)\(more)}}"
    }
    let times: [(String, EventTimePrecision)] = [
      (record("1700000000"), .second), (record("1.7E9"), .second), (record("1700000000.25"), .millisecond),
      (record("1700000000123"), .millisecond), (record("1700000000000000"), .microsecond),
      (record("1700000000123", ",\"ApproximateCreationDateTimePrecision\":\"MILLISECOND\""), .millisecond),
      (record("\"2023-11-14T22:13:20Z\""), .second), (record("\"2023-11-14T22:13:20.5Z\""), .millisecond),
      (record("\"2023-11-14T22:13:20.000001Z\""), .microsecond),
    ]
    for (text, precision) in times { #expect(try told(text).map(\.precision) == [precision], "\(text)") }
    #expect(try told(change("REMOVE")).map(\.precision) == [.microsecond])
    let expiry = record("1", "", #"{"type":"Service","principalId":"dynamodb.amazonaws.com"}"#)
    #expect(try told(expiry).map(\.isExpiry) == [true])
    try ChangeRecords.read(Array(expiry.utf8)) { record, text in
      #expect(
        record.userIdentity(in: text) == UserIdentity(type: "Service", principalID: "dynamodb.amazonaws.com"))
    }
    try ChangeRecords.read(Array(change("REMOVE").utf8)) { record, text in
      #expect(record.userIdentity(in: text) == nil && !record.isExpiry)
    }
  }

  @Test("Compressed bytes are read, and what is cut off is an error")
  func compressed() throws {
    let text = Array((0..<200).map { change(id: "\($0)", new: "") }.joined().utf8)
    for bytes in [text, try Deflated.gzip(text), try Deflated.zstd(text)] {
      var count = 0
      try ChangeRecords.read(bytes) { _, _ in count += 1 }
      #expect(count == 200)
    }
    let cut = Array(try Deflated.gzip(text).dropLast(4))
    #expect(throws: ChangeError.self) { try ChangeRecords.read(cut) { _, _ in } }
  }

  @Test("A file of every codec of delivery streams is read, whatever its name and the size of the reads")
  func delivered() async throws {
    // Three records `{"Op":"I","id":"7"}` each, by Python's `zipfile` and `python-snappy`.
    let files = [
      "UEsDBBQAAAAIAFdigV3wXNFLFwAAADkAAAABAAAAYatW8i9QslLyVNJRykwBMsyVaquJEgIAUEsBAhQDFAAAAAgAV2"
        + "KBXfBc0UsXAAAAOQAAAAEAAAAAAAAAAAAAAIABAAAAAGFQSwUGAAAAAAEAAQAvAAAANgAAAAAA",
      "/wYAAHNOYVBwWQAcAAC1q/o+OUh7Ik9wIjoiSSIsImlkIjoiNyJ9lhMA",
      "AAAAOQAAABg5SHsiT3AiOiJJIiwiaWQiOiI3In2WEwA=",
    ]
    for chunk in [1, 64, 1 << 20] {
      for text in files {
        let bytes = Base64.decode(Array(text.utf8).span.bytes)
        var builder = try RecordReaderTests.builder()
        let rejected = try await readAll(
          [("delivered-1-2024-01-31-00-00-00-7f", try #require(bytes))], into: &builder, chunk: chunk)
        #expect(rejected.isEmpty)
        #expect(try builder.finish().rows.texts("id") == ["7", "7", "7"])
      }
    }
  }

  @Test("Rows of a Parquet file are records, also where a folder has nothing else", arguments: [1, 1 << 20])
  func parquet(_ chunk: Int) async throws {
    // Written by pyarrow: `event_name`, `event_time`, `id` and `n` of four records, the last without key.
    let text =
      "UEFSMRUEFTwVPkwVBhUAEgAAHiQGAAAASU5TRVJUAQo8TU9ESUZZBgAAAFJFTU9WRRUAFRQVGCwVCBUQFQYVBhwAAA"
      + "AKJAIAAAAIAQIDZAAVBBUwFTRMFQYVABIAABhcAUAeGCQKBgACQB4YJAoGAANAHhgkCgYAFQAVFBUYLBUIFRAVBhUG"
      + "HAAAAAokAgAAAAMHAgMkABUEFRQVGEwVBBUAEgAACiQBAAAAYQEAAABiFQAVEhUWLBUIFRAVBhUGHAAAAAkgAgAAAA"
      + "MHAQMEFQQVMBUuTBUGFQASAAAYBAEACQE8AgAAAAAAAAADAAAAAAAAABUAFRQVGCwVCBUQFQYVBhwAAAAKJAIAAAAD"
      + "DQIDJAAVBBlcNQAYBnNjaGVtYRUIABUMJQIYCmV2ZW50X25hbWUlAEwcAAAAFQQlAhgKZXZlbnRfdGltZQAVDCUCGA"
      + "JpZCUATBwAAAAVBCUCGAFuABYIGRwZTCYAHBUMGTUABhAZGApldmVudF9uYW1lFQIWCBaSARaYASZiJggpLBUEFQAV"
      + "AgAVABUQFQIAPBYwGQYZJgAIAAAAJgAcFQQZNQAGEBkYCmV2ZW50X3RpbWUVAhYIFoYBFo4BJvABJqABKSwVBBUAFQ"
      + "IAFQAVEBUCADwpBhkmAgYAAAAmABwVDBk1AAYQGRgCaWQVAhYIFmgWcCbiAiauAiksFQQVABUCABUAFRAVAgA8FgYZ"
      + "BhkmAgYAAAAmABwVBBk1AAYQGRgBbhUCFggWhgEWiAEm6AMmngMpLBUEFQAVAgAVABUQFQIAPCkGGSYCBgAAABaGBB"
      + "YIJggWngQAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRlMHAAAHAAAHAAAHAAAAIUBAABQQVIx"
    let decoded = Base64.decode(Array(text.utf8).span.bytes)
    let bytes = try #require(decoded)
    let storage = InMemoryStorage()
    try await storage.put(bytes, at: "in/2024/01/delivered", if: .always)
    try await storage.put([], at: "in/_SUCCESS", if: .always)
    let listing = try await ChangeSource.list(in: storage, under: "in")
    #expect(listing.files == ["in/2024/01/delivered"] && listing.left == ["in/_SUCCESS"])
    let schema = Schema([Field("id", .string), Field("n", .int64)] + EventColumn.fields)
    var builder = try ChangeBatchBuilder(schema: schema, keyFields: ["id"])
    var options = RecordReader.Options()
    options.chunk = chunk
    var reader = RecordReader(storage: storage, paths: listing.files, options: options)
    var rejected: [RejectedRecord] = []
    #expect(try await !reader.read(into: &builder, limit: 100) { rejected.append($0) })
    let batch = try builder.finish()
    #expect(batch.rows.texts("id") == ["a", "a", "b"])
    #expect(batch.rows.texts("n") == ["1", "null", "2"])
    #expect(batch.rows.texts(EventColumn.name) == ["INSERT", "MODIFY", "REMOVE"])
    #expect(
      batch.rows.texts(EventColumn.time) == ["1700000000000001", "1700000000000002", "1700000000000003"])
    #expect(rejected.map(\.line) == [4])
    #expect(throws: ChangeError.self) { try ChangeRecords.read(bytes) { _, _ in } }
    for cut in [4, 100, bytes.count - 1] {
      try await storage.put(Array(bytes.prefix(cut)), at: "cut", if: .always)
      var reader = RecordReader(storage: storage, paths: ["cut"])
      do {
        _ = try await reader.read(into: &builder, limit: 100)
        Issue.record("nothing was thrown")
      } catch { #expect(error.code == .parquet && error.path == "cut") }
    }
  }

  @Test("A record that the caller refuses is rejected, and others come")
  func refused() throws {
    var rejected: [String] = []
    var taken = 0
    let text = (0..<5).map { change(id: "\($0)", new: "") }.joined() + "broken"
    try ChangeRecords.read(Array(text.utf8), name: "event") { (record) throws(ChangeError) in
      rejected.append(record.description)
    } each: { (record, text) throws(RejectionReason) in
      guard record.eventID(in: text) != "e3" else { throw .refused(why: "not wanted") }
      taken += 1
    }
    #expect(taken == 4)
    #expect(
      rejected.count == 2 && rejected[0].hasSuffix("not wanted") && rejected[0].hasPrefix("event, line 1"))
  }

  @Test("Builder and inference take bytes in memory")
  func builders() throws {
    let text = Array((change(id: "a", new: "\"n\":{\"N\":\"1\"}") + change("REMOVE", id: "b")).utf8)
    var inference = SchemaInference(.changeRecords)
    try inference.append(text)
    #expect(inference.keyFields == ["id"])
    var builder = try ChangeBatchBuilder(schema: inference.schema, keyFields: ["id"])
    try builder.append(text)
    try builder.append(text)
    let batch = try builder.finish()
    #expect(batch.rows.texts("id") == ["a", "b", "a", "b"])
    #expect(builder.counts.removes == 2)
    #expect(throws: ChangeError.self) { try builder.append([0x7b]) }
    try builder.append([])
  }

  @Test("Amazon Ion is refused by its name", arguments: [1, 1 << 20])
  func ion(_ chunk: Int) async throws {
    let text = Array("$ion_1_0 {Item:{pk:\"a\",sk:2.}}\n".utf8)
    for bytes in [text, try Deflated.gzip(text), [0xe0, 0x01, 0x00, 0xea, 0xd3, 0x80, 0x80, 0x80, 0x80]] {
      var builder = try RecordReaderTests.builder()
      do {
        _ = try await readAll([("data/x.ion.gz", bytes)], into: &builder, chunk: chunk)
        Issue.record("nothing was thrown")
      } catch let error as ChangeError {
        // The binary form is no gzip, whatever the file is called.
        #expect(error.description.contains("Ion") || error.code == .compression, "\(error)")
      }
    }
  }
}
