import DynamoDBJSON
import TarnBytes
import TarnCDC
import TarnColumns
import TarnTestSupport
import Testing

@Suite struct TransformTests {
  /// An event of a delivery stream whose records have these data; their ids are `r0`, `r1` and so on.
  private func event(_ data: [String], sequences: Bool = false) -> [UInt8] {
    let records = data.enumerated().map { index, text in
      let metadata =
        sequences
        ? ",\"kinesisRecordMetadata\":{\"sequenceNumber\":\"\(1_000 + index)\",\"subsequenceNumber\":0,"
          + "\"partitionKey\":\"p\",\"shardId\":\"s\",\"approximateArrivalTimestamp\":1705312801000}" : ""
      return "{\"recordId\":\"r\(index)\",\"approximateArrivalTimestamp\":1705312801000,"
        + "\"data\":\"\(Base64.encode(Array(text.utf8)))\"\(metadata)}"
    }
    return Array(
      "{\"invocationId\":\"i\",\"region\":\"us-east-1\",\"records\":[\(records.joined(separator: ","))]}".utf8
    )
  }

  private struct Answer {
    var id: String
    var result: String
    var data: String
    var keys: [String: String] = [:]
  }

  private func answers(_ response: FirehoseResponse) throws -> [Answer] {
    let parsed = try JSONValue(parsing: response.bytes)
    let records = try #require(parsed["records"]?.elements)
    return try records.map { record in
      let data = try #require(record["data"]?.string)
      let decoded = Base64.decode(Array(data.utf8).span.bytes)
      let bytes = try #require(decoded)
      var answer = Answer(
        id: try #require(record["recordId"]?.string), result: try #require(record["result"]?.string),
        data: String(decoding: bytes, as: UTF8.self))
      for member in record["metadata"]?["partitionKeys"]?.members ?? [] {
        answer.keys[member.key] = member.value.string
      }
      return answer
    }
  }

  @Test("A change becomes a line of plain JSON with what tells of it")
  func line() throws {
    let attributes = """
      "n":{"N":"1.50"},"z":{"N":"+007"},"t":{"S":"a\\n\\"b\\""},"b":{"B":"AAE="},"yes":{"BOOL":true},"no":{"NULL":true},\
      "m":{"M":{"b":{"N":"2"},"a":{"L":[{"S":"x"}]}}},"set":{"NS":["10","9"]}
      """
    let response = try FirehoseTransformation().response(
      to: event([change("INSERT", new: attributes)], sequences: true))
    let answer = try #require(try answers(response).first)
    #expect(answer.result == "Ok")
    #expect(
      answer.data == """
        {"event_name":"INSERT","event_id":"e1","event_time":"2024-01-15T10:00:00.000000Z","event_sequence":"1000",\
        "id":"1","n":1.50,"z":7,"t":"a\\n\\"b\\"","b":"AAE=","yes":true,"no":null,"m":{"a":["x"],"b":2},"set":[9,10]}

        """)
    #expect(response.transformed == 1 && response.changes == 1 && response.failures.isEmpty)
  }

  @Test("A deletion has the keys, also without an image")
  func deletion() throws {
    let response = try FirehoseTransformation().response(
      to: event([change("REMOVE"), change("REMOVE", id: "2", old: "\"a\":{\"S\":\"x\"}")]))
    let lines = try answers(response).map(\.data)
    #expect(lines[0].hasSuffix(",\"id\":\"1\"}\n"))
    #expect(lines[1].hasSuffix(",\"id\":\"2\",\"a\":\"x\"}\n"))
  }

  @Test("What cannot be taken fails alone, with its data and the reason")
  func failures() throws {
    let taken = "\"event_time\":{\"S\":\"x\"}"
    let response = try FirehoseTransformation().response(
      to: event([
        "not json", change(new: ""), change("MODIFY"), "", change(id: "4", new: taken),
        change(id: "5", new: ""),
        change(new: "\"n\":{\"N\":\"x\"}"), change(new: "\"b\":{\"B\":\"A\"}"), "{\"a\":1}",
        change(id: "9", new: "") + "{\"b\":2}",
      ]))
    let found = try answers(response)
    #expect(found.map(\.id) == (0..<10).map { "r\($0)" })
    #expect(
      found.map { $0.result == "Ok" } == [false, true, false, false, false, true, false, false, false, false])
    #expect(found[0].data == "not json")
    #expect(response.failures.map(\.recordID) == ["r0", "r2", "r3", "r4", "r6", "r7", "r8", "r9"])
    #expect(response.failures[0].reason.hasPrefix("not JSON"))
    #expect(response.failures[2].reason == "it holds no change record")
    #expect(response.failures[3].reason.contains("\"event_time\" of NewImage"))
    #expect(response.failures[7].reason.hasPrefix("record 2 in it: not a change record"))
    #expect(response.transformed == 2)
  }

  @Test("Data that is no base64, or is not there, fails alone")
  func badData() throws {
    let text = """
      {"records":[{"recordId":"a","data":"###"},{"recordId":"b"},{"data":"\(Base64.encode(Array(change(new: "").utf8)))",\
      "recordId":"c"}]}
      """
    let response = try FirehoseTransformation().response(to: Array(text.utf8))
    #expect(response.failures.map(\.recordID) == ["a", "b"])
    #expect(response.transformed == 1)
  }

  @Test(
    "Bytes that are no event are an error, and not an answer",
    arguments: [
      "", "[]", "{}", "{\"records\":[1]}", "{\"records\":[{\"data\":\"\"}]}", "{\"records\":[",
      "{\"records\":[]}{}",
    ])
  func noEvent(_ text: String) {
    #expect { try FirehoseTransformation().response(to: Array(text.utf8)) } throws: {
      ($0 as? ChangeError)?.code == .event
    }
  }

  @Test("Each recordId is answered once where the answer is full, within the limit")
  func limit() throws {
    let long = String(repeating: "x", count: 1_000)
    let data = (0..<50).map { change(id: "\($0)", new: "\"s\":{\"S\":\"\(long)\"}") }
    var transformation = FirehoseTransformation()
    for limit in [20_000, 20_001, 20_002, 20_003, 33_333, 6_000_000] {
      transformation.responseLimit = limit
      let response = try transformation.response(to: event(data))
      #expect(response.bytes.count <= limit)
      #expect(try answers(response).map(\.id) == (0..<50).map { "r\($0)" })
      #expect(response.transformed + response.failures.count == 50)
      #expect(limit < 6_000_000 ? response.transformed > 5 : response.transformed == 50)
      #expect(response.failures.allSatisfy { $0.reason.contains("does not fit") })
    }
  }

  @Test("A function chooses what is written, dropped and failed, and the keys of the partition")
  func function() throws {
    let data = [
      change(id: "1", new: "\"x\":{\"S\":\"a\\u00e9\"},\"n\":{\"N\":\"5\"}"), change("REMOVE", id: "2"),
      change(id: "3", new: ""),
    ]
    let response = try FirehoseTransformation().response(to: event(data)) {
      (record, text, output) throws(RejectionReason) in
      if record.kind == .remove { return }
      guard let x = record.attribute("x", in: text) else { throw .refused(why: "no x") }
      output.bytes.append(text: x)
      output.partitionKeys = ["x": x, "n": record.attribute("n", in: text) ?? ""]
    }
    let found = try answers(response)
    #expect(found.map(\.result) == ["Ok", "Dropped", "ProcessingFailed"])
    #expect(found[0].data == "aé")
    #expect(found[0].keys == ["x": "aé", "n": "5"])
    #expect(response.failures.map(\.recordID) == ["r2"])
    #expect(response.failures.map(\.reason) == ["no x"])
    #expect(response.dropped == 1)
  }

  /// The rows that records become, with the columns of the event.
  private func rows(_ bytes: [UInt8]) throws -> [String] {
    let schema = Schema(
      [
        Field("id", .string), Field("n", .decimal(precision: 38, scale: 10)), Field("s", .string),
        Field("m", .string),
        Field("b", .binary),
        // What numbers the events are stands among the facts.
      ] + EventColumn.fields.filter { $0.name != EventColumn.sequence })
    var builder = try ChangeBatchBuilder(schema: schema, keyFields: ["id"])
    try builder.append(bytes)
    let batch = try builder.finish()
    let columns = schema.fields.map { batch.rows.texts($0.name) }
    return (0..<batch.rows.count).map { row in
      columns.map { $0[row] }.joined(separator: "|") + (batch.isDelete[row] ? "|delete" : "")
    }
  }

  @Test("Lines and records are read back as the changes that they were made of", arguments: [false, true])
  func roundTrip(_ asRecords: Bool) throws {
    let values =
      "\"n\":{\"N\":\"-12.50\"},\"s\":{\"S\":\"\\u00e9\\ud83d\\ude00 \\\\\"},\"m\":{\"M\":{\"z\":{\"SS\":[\"b\",\"a\"]},"
      + "\"a\":{\"N\":\"1\"}}},\"b\":{\"B\":\"AAH+/w==\"},\"Keys\":{\"M\":{}},\"records\":{\"L\":[]},\"rawData\":{\"S\":\"x\"}"
    let data = [
      change(id: "1", new: values), change("MODIFY", id: "1", new: values, old: ""),
      change("REMOVE", id: "1", old: values), change("REMOVE", id: "2"),
      change(id: "3", new: "\n \"n\" : { \"N\" : \"1E2\" } "),
      "{\"eventName\":\"REMOVE\",\"userIdentity\":{\"type\":\"Service\",\"principalId\":\"dynamodb.amazonaws.com\"},"
        + "\"dynamodb\":{\"ApproximateCreationDateTime\":1705312800,\"Keys\":{\"id\":{\"S\":\"4\"}},"
        + "\"SequenceNumber\":\"77\"}}",
      "{\"eventName\":\"INSERT\",\"tableName\":\"T\",\"dynamodb\":{\"ApproximateCreationDateTime\":1705312800123,"
        + "\"NewImage\":{\"id\":{\"S\":\"5\"}}}}",
      "{\"eventName\":\"INSERT\",\"tableName\":\"T\",\"dynamodb\":{\"NewImage\":{\"id\":{\"S\":\"6\"}}}}",
    ]
    let response = try FirehoseTransformation().response(to: event(data, sequences: true)) {
      (record, text, output) throws(RejectionReason) in
      if asRecords {
        try output.appendRecord(record, in: text)
      } else {
        try output.appendLine(record, in: text)
      }
    }
    #expect(response.failures.isEmpty)
    let text = try answers(response).map(\.data).joined()
    #expect(text.utf8.count { $0 == 0x0a } == data.count)
    #expect(try rows(Array(text.utf8)) == (try rows(Array(data.joined().utf8))))
    let kept = try facts(Array(text.utf8))
    #expect(kept == (try facts(event(data, sequences: true))))
    #expect(kept.map(\.sequence) == (0..<8).map { $0 == 5 ? "77" : "\(1_000 + $0)" })
  }

  private struct Facts: Equatable {
    var time: Int64?
    var precision: EventTimePrecision?
    var sequence: String?
    var table: String?
    var id: String?
  }

  private func facts(_ bytes: [UInt8]) throws -> [Facts] {
    var found: [Facts] = []
    try ChangeRecords.read(bytes) { record, text in
      found.append(
        Facts(
          time: record.eventTime, precision: record.eventTimePrecision,
          sequence: record.sequenceNumber(in: text), table: record.tableName(in: text),
          id: record.eventID(in: text)))
    }
    return found
  }

  @Test("Records that one record of the stream aggregates become its lines, with their places")
  func aggregated() throws {
    let inner = [change(id: "1", new: ""), change(id: "2", new: "")]
    var message: [UInt8] = []
    for text in inner {
      var record: [UInt8] = [0x08, 0x00, 0x1a]
      record.appendVarint(UInt64(text.utf8.count))
      record.append(text: text)
      message.append(0x1a)
      message.appendVarint(UInt64(record.count))
      message += record
    }
    let whole = [0xf3, 0x89, 0x9a, 0xc2] + message + MD5.checksum(message.span.bytes)
    let text = "{\"records\":[{\"recordId\":\"a\",\"data\":\"\(Base64.encode(whole))\"}]}"
    let response = try FirehoseTransformation().response(to: Array(text.utf8))
    let lines = try #require(try answers(response).first).data
    #expect(lines.split(separator: "\n").count == 2)
    #expect(response.changes == 2)
    var places: [Int?] = []
    try ChangeRecords.read(Array(lines.utf8)) { record, _ in places.append(record.aggregateIndex) }
    #expect(places == [nil, 1])

    var broken = whole
    broken[broken.count - 1] ^= 1
    let again = "{\"records\":[{\"recordId\":\"a\",\"data\":\"\(Base64.encode(broken))\"}]}"
    #expect(try FirehoseTransformation().response(to: Array(again.utf8)).failures.count == 1)
  }

  @Test("A real event's shape is answered", .enabled(if: Samples.areThere))
  func sample() throws {
    let event = try Samples.bytes("firehose-transform-event.json")
    let response = try FirehoseTransformation().response(to: event)
    #expect(response.transformed == 10)
    #expect(response.failures.count == 1)
    #expect(try answers(response).count == 11)
  }
}
