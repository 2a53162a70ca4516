import Foundation
import TarnBytes
import TarnCDC
import TarnColumns
import TarnTestSupport
import Testing

@Suite("Change records into batches")
struct ChangeBatchTests {
  static let schema = Schema(
    [Field("id", .string), Field("part", .string), Field("n", .int64)] + EventColumn.fields)

  func batch(
    _ text: String, _ schema: Schema = schema, partitions: [String] = ["part"]
  ) async throws -> (ChangeBatch, ChangeBatchBuilder, [RejectedRecord]) {
    var builder = try ChangeBatchBuilder(schema: schema, keyFields: ["id"], partitionFields: partitions)
    let rejected = try await readAll(text, into: &builder)
    let batch = try builder.finish()
    return (batch, builder, rejected)
  }

  @Test("INSERT, MODIFY and REMOVE become rows to upsert and to delete, with the event columns")
  func kinds() async throws {
    let text = [
      change("INSERT", id: "1", new: #""part":{"S":"a"},"n":{"N":"1"}"#, time: 1_705_312_800_000_001),
      change("MODIFY", id: "1", new: #""part":{"S":"a"}"#, old: #""part":{"S":"a"},"n":{"N":"1"}"#),
      change("REMOVE", id: "1", old: #""part":{"S":"a"},"n":{"N":"oops"}"#),
      change("REMOVE", id: "2"),
    ].joined()
    let (batch, builder, rejected) = try await batch(text)
    #expect(rejected.isEmpty)
    #expect((0..<4).map { batch.isDelete[$0] } == [false, false, true, true])
    #expect(batch.rows.texts("id") == ["1", "1", "1", "2"])
    #expect(batch.rows.texts("part") == ["a", "a", "a", "null"])
    #expect(batch.rows.texts("n") == ["1", "null", "null", "null"])
    #expect(batch.rows.texts("_event_id") == ["e1", "e1", "e1", "e2"])
    #expect(batch.rows.texts("_event_name") == ["INSERT", "MODIFY", "REMOVE", "REMOVE"])
    #expect(batch.rows.texts("_event_time").first == "1705312800000001")
    #expect(builder.counts.inserts == 1 && builder.counts.modifies == 1 && builder.counts.removes == 2)
  }

  @Test("A MODIFY that changes the partition value deletes the old row first")
  func moves() async throws {
    let text =
      change("MODIFY", id: "1", new: #""part":{"S":"b"}"#, old: #""part":{"S":"a"}"#)
      + change("MODIFY", id: "2", new: #""part":{"S":"b"}"#, old: "")
      + change("MODIFY", id: "3", new: #""part":{"S":"b"},"n":{"N":"1.5"}"#, old: #""part":{"S":"a"}"#)
      + change("MODIFY", id: "4", new: #""part":{"S":"b"}"#)
    let (batch, builder, rejected) = try await batch(text)
    #expect(batch.rows.texts("id") == ["1", "1", "2", "2", "4"])
    #expect(batch.rows.texts("part") == ["a", "b", "null", "b", "b"])
    #expect((0..<5).map { batch.isDelete[$0] } == [true, false, true, false, false])
    #expect(builder.counts.moves == 2)
    #expect(builder.counts.modifies == 3)
    #expect(rejected.count == 1)
  }

  @Test("Keys fill in what NewImage lacks")
  func keysFillIn() async throws {
    let text =
      #"{"eventName":"INSERT","dynamodb":{"Keys":{"id":{"S":"k"}},"NewImage":{"n":{"N":"7"}}}}"#
    let (batch, _, rejected) = try await batch(text)
    #expect(rejected.isEmpty)
    #expect(batch.rows.texts("id") == ["k"])
    #expect(batch.rows.texts("_event_id") == ["null"])
    #expect(batch.rows.texts("_event_time") == ["null"])
  }

  @Test("A rejected row leaves its neighbours whole, wherever it fails")
  func rejectedRows() async throws {
    let schema = Schema((0..<5).map { Field("c\($0)", .int64) } + Self.schema.fields)
    var text = ""
    for row in 0..<40 {
      let bad = row % 4 == 1 ? row / 4 % 6 : -1
      let fields = (0..<5).map { #""c\#($0)":{"N":"\#($0 == bad ? "0.5" : "\(row)")"}"# }
      text += change("INSERT", id: "\(row)", new: fields.joined(separator: ",")) + "\n"
    }
    let (batch, builder, rejected) = try await batch(text, schema)
    let kept = (0..<40).filter { $0 % 4 != 1 || $0 / 4 % 6 == 5 }
    #expect(rejected.map(\.line) == (1...40).filter { !kept.contains($0 - 1) })
    for column in ["c0", "c4", "id"] { #expect(batch.rows.texts(column) == kept.map { "\($0)" }) }
    #expect(batch.rows.texts("_event_id") == kept.map { "e\($0)" })
    #expect(batch.count == builder.counts.records)
    #expect(rejected.first?.reason.description.contains("column c0: 0.5 does not fit long") == true)
    #expect(rejected.first?.reason.description.contains("create --schema") == true)
  }

  @Test("Attributes without column are counted, with the types that would fit")
  func newFields() async throws {
    let text =
      change(id: "1", new: #""x":{"N":"1"},"y":{"BOOL":true},"z":{"N":"1.5"}"#)
      + change(id: "2", new: #""x":{"N":"2"},"z":{"S":"a"},"w":{"L":[]}"#)
    let (_, builder, _) = try await batch(text)
    let found = builder.found.newFields.map { "\($0.field.name): \($0.field.type.name) \($0.count)" }
    #expect(found == ["x: long 2", "y: boolean 1", "z: string 2", "w: string 1"])
  }

  @Test("An attribute that was NULL in all records makes no column until a value tells its type")
  func untyped() async throws {
    let nulls = change(id: "1", new: #""x":{"NULL":true}"#)
    let (_, builder, _) = try await batch(nulls)
    #expect(builder.found.newFields.isEmpty && builder.found.untypedNames == ["x"])
    #expect(builder.found.owners.count == 0)
    let (_, later, _) = try await batch(nulls + change(id: "2", new: #""x":{"N":"1.5"}"#))
    #expect(later.found.newFields.map(\.field.type) == [.decimal(precision: 38, scale: 18)])
    #expect(later.found.untypedNames.isEmpty)
  }

  private func named(_ id: String, _ table: String?, arn: Bool = false) -> String {
    let image = #"{"id":{"S":"\#(id)"}}"#
    let body = #""eventName":"INSERT","dynamodb":{"Keys":\#(image),"NewImage":\#(image)}"#
    guard let table else { return "{\(body)}" }
    return arn
      ? #"{\#(body),"eventSourceARN":"arn:aws:dynamodb:r:1:table/\#(table)/stream/2024-01-15T10:00:00.000"}"#
      : #"{"tableName":"\#(table)",\#(body)}"#
  }

  @Test("Records of another DynamoDB table are told apart, by tableName or by the stream's ARN")
  func tables() async throws {
    let text =
      named("1", "T") + named("2", "U") + named("3", "T", arn: true) + named("4", "TU", arn: true)
      + named("5", nil)
    let schema = Schema([Field("id", .string)])
    var first = try ChangeBatchBuilder(schema: schema, keyFields: ["id"])
    #expect(
      try await readAll(text, into: &first).map(\.reason) == [
        .otherTable(name: "U", expected: "T"), .otherTable(name: "TU", expected: "T"),
      ])
    #expect(try first.finish().rows.texts("id") == ["1", "3", "5"])
    var chosen = try ChangeBatchBuilder(schema: schema, keyFields: ["id"], table: "TU")
    let rejected = try await readAll(text, into: &chosen)
    #expect(
      rejected.map(\.reason.description) == [
        "not a change record: it does not say whether it is of the table TU"
      ])
    #expect(try chosen.finish().rows.texts("id") == ["4"])
    #expect(chosen.counts.otherTables == 3 && chosen.counts.records == 1)
    var inference = SchemaInference(.changeRecords, table: "U")
    #expect(try await readAll(named("1", "T") + named("2", "U"), into: &inference).isEmpty)
    #expect(inference.count == 1)
  }

  static let conversions: [(DataType, String, String?)] = [
    (.int64, #"{"N":"-9223372036854775808"}"#, "-9223372036854775808"),
    (.int64, #"{"N":"9223372036854775808"}"#, nil),
    (.int64, #"{"N":"5.0"}"#, "5"), (.int64, #"{"N":"1E+2"}"#, "100"), (.int64, #"{"N":"1.5"}"#, nil),
    (.int64, #"{"S":"12"}"#, "12"), (.int64, #"{"S":"x"}"#, nil), (.int64, #"{"BOOL":true}"#, nil),
    (.int64, #"{"NULL":true}"#, "null"), (.int32, #"{"N":"2147483648"}"#, nil),
    (.int32, #"{"N":"-7"}"#, "-7"),
    (.int16, #"{"N":"40000"}"#, nil), (.int8, #"{"N":"-128"}"#, "-128"),
    (.decimal(precision: 10, scale: 2), #"{"N":"12.5"}"#, "1250"),
    (.decimal(precision: 10, scale: 2), #"{"N":"12.505"}"#, nil),
    (.decimal(precision: 4, scale: 2), #"{"N":"99.99"}"#, "9999"),
    (.decimal(precision: 4, scale: 2), #"{"N":"100"}"#, nil),
    (
      .decimal(precision: 38, scale: 0), #"{"N":"12345678901234567890123456789012345678"}"#,
      "12345678901234567890123456789012345678"
    ),
    (
      .decimal(precision: 38, scale: 37), #"{"N":"3.1415926535897932384626433832795028842"}"#,
      "31415926535897932384626433832795028842"
    ),
    (.decimal(precision: 38, scale: 18), #"{"N":"1E-19"}"#, nil),
    (.decimal(precision: 38, scale: 18), #"{"N":"-0.000"}"#, "0"),
    (.decimal(precision: 38, scale: 30), #"{"N":"123456.789"}"#, "123456789000000000000000000000000000"),
    (.double, #"{"N":"0.1"}"#, "0.1"), (.double, #"{"N":"9.99E+125"}"#, "9.99e+125"),
    (.double, #"{"N":"0x1p3"}"#, nil),
    (.double, #"{"N":"123456789012345678.123456789"}"#, "1.2345678901234568e+17"),
    (.double, #"{"S":"NaN"}"#, "nan"),
    (.double, #"{"N":"NaN"}"#, nil), (.double, #"{"N":"123456789012345678901234567890123456789"}"#, nil),
    (.float, #"{"N":"16777217"}"#, "16777216.0"), (.float, #"{"N":"1E+100"}"#, nil),
    (.double, #"{"S":"infinity"}"#, nil),
    (.string, #"{"N":"1.50"}"#, "1.50"), (.string, #"{"N":"nope"}"#, nil),
    (.string, #"{"BOOL":false}"#, "false"),
    (.string, #"{"B":"AQ=="}"#, "AQ=="), (.string, #"{"B":"?"}"#, nil),
    (.string, #"{"S":"\u00e9\""}"#, "é\""),
    (.string, #"{"L":[{"S":"a"},{"N":"1.0"},{"NULL":true}]}"#, #"["a",1,null]"#),
    (.string, #"{"M":{"b":{"BOOL":true},"a":{"SS":["y","x"]}}}"#, #"{"a":["x","y"],"b":true}"#),
    (.string, #"{"L":[{"N":"x"}]}"#, nil), (.string, #"{"SS":[]}"#, nil),
    (.boolean, #"{"BOOL":true}"#, "true"),
    (.boolean, #"{"S":"true"}"#, nil), (.boolean, #"{"N":"1"}"#, nil),
    (.binary, #"{"B":"AAH+/w=="}"#, "[0, 1, 254, 255]"),
    (.binary, #"{"S":"AQ=="}"#, nil), (.binary, #"{"B":"A"}"#, nil), (.date, #"{"S":"1970-01-02"}"#, "1"),
    (.date, #"{"S":"1970-02-30"}"#, nil), (.date, #"{"N":"1"}"#, nil),
    (.timestamp(.microseconds, .instant), #"{"S":"1970-01-01T00:00:01.5Z"}"#, "1500000"),
    (.timestamp(.microseconds, .instant), #"{"S":"1970-01-01T02:00:00+02:00"}"#, "0"),
    (.timestamp(.milliseconds, .instant), #"{"S":"1970-01-01T00:00:00.0015Z"}"#, nil),
    (.timestamp(.microseconds, .local), #"{"S":"1970-01-01 00:00:00.000001"}"#, "1"),
    (.timestamp(.microseconds, .local), #"{"S":"1970-01-01T00:00:00Z"}"#, nil),
    (.timestamp(.microseconds, .instant), #"{"S":"yesterday"}"#, nil),
    (.timestamp(.milliseconds, .instant), #"{"N":"17"}"#, nil),
  ]

  @Test("Values are converted exactly, or rejected", arguments: conversions)
  func conversion(_ type: DataType, _ value: String, _ expected: String?) async throws {
    let schema = Schema([Field("id", .string), Field("v", type)])
    let (batch, _, rejected) = try await batch(change(new: "\"v\":\(value)"), schema, partitions: [])
    #expect(batch.rows.texts("v") == (expected.map { [$0] } ?? []), "\(rejected)")
    #expect(rejected.isEmpty == (expected != nil))
    if expected == nil, let reason = rejected.first?.reason, reason.code == .misfit {
      #expect(reason.column == "v")
    }
  }

  @Test(
    "Creation times of every precision become microseconds",
    arguments: [
      ("1705312800000123", nil, 1_705_312_800_000_123), ("1705312890000", nil, 1_705_312_890_000_000),
      ("1705312891000", "MILLISECOND", 1_705_312_891_000_000),
      ("1705312800000000", "MICROSECOND", 1_705_312_800_000_000),
      ("1795494167.542", nil, 1_795_494_167_542_000), ("1.46480527E9", nil, 1_464_805_270_000_000),
      ("1705312800", nil, 1_705_312_800_000_000), ("1e30", nil, nil), ("5", "NANOSECOND", nil),
      ("1E400", nil, nil), ("\"2024-01-15T10:00:00Z\"", nil, 1_705_312_800_000_000),
      ("\"2024-01-15T11:00:00.000123+01:00\"", "MILLISECOND", 1_705_312_800_000_123),
      ("\"2024-01-15 10:00:00\"", nil, 1_705_312_800_000_000), ("\"1705312800\"", nil, nil),
      ("\"2024-01-15T10:00:00.0000001Z\"", nil, nil), ("\"\"", nil, nil), ("true", nil, nil),
    ] as [(String, String?, Int64?)])
  func times(_ text: String, _ precision: String?, _ expected: Int64?) throws {
    let extra = precision.map { ",\"ApproximateCreationDateTimePrecision\":\"\($0)\"" } ?? ""
    let bytes = Array(
      "{\"dynamodb\":{\"ApproximateCreationDateTime\":\(text)\(extra),\"Keys\":{}},\"eventName\":\"REMOVE\"}"
        .utf8)
    var scanner = JSONScanner(bytes.span.bytes)
    var record = ChangeRecord()
    do {
      try record.scan(&scanner)
      #expect(record.eventTime == expected)
    } catch {
      #expect(expected == nil)
    }
  }

  @Test("A record tells what it holds and where")
  func views() throws {
    let bytes = Array(
      #"  {"eventID":"x\u0041","tableName":"Orders","eventName":"REMOVE","userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},"dynamodb":{"Keys":{"id":{"S":"1"}},"OldImage":{"id":{"S":"1"}}}}"#
        .utf8)
    var scanner = JSONScanner(bytes.span.bytes)
    var record = ChangeRecord()
    try record.scan(&scanner)
    #expect(record.kind == .remove)
    #expect(record.isExpiry)
    #expect(record.eventID(in: scanner) == "xA")
    #expect(record.tableName(in: scanner) == "Orders")
    #expect(record.range == 2..<bytes.count)
    #expect(record.keysRange.map { scanner.string($0) } == #"{"id":{"S":"1"}}"#)
    #expect(record.oldImageRange != nil)
    #expect(record.newImageRange == nil)
  }

  @Test("Every sample of both shapes is taken, or rejected for want of a new image")
  func samples() async throws {
    let folder = try TestWorld.requireShared("aws/samples")
    for (file, taken) in [("kinesis-ddb-records.jsonl", 10), ("streams-records.jsonl", nil as Int?)] {
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file)")))
      var inference = SchemaInference(.changeRecords)
      #expect(try await readAll([(file, bytes)], into: &inference).isEmpty)
      #expect(inference.keyFields == ["pk", "sk"])
      var builder = try ChangeBatchBuilder(
        schema: inference.schema, keyFields: inference.keyFields, partitionFields: ["pk"])
      let rejected = try await readAll([(file, bytes)], into: &builder)
      #expect(rejected.allSatisfy { $0.reason.description.contains("without NewImage") })
      if let taken { #expect(builder.counts.records == taken) }
      #expect(builder.counts.records + rejected.count == inference.count)
      let batch = try builder.finish()
      #expect(batch.count == builder.counts.records)
      #expect(batch.rows.texts("ns").contains("[-3,1,2.5]"))
      #expect(batch.rows.texts("n_dec").contains("3.1415926535897932384626433832795028842"))
      #expect(inference.schema["n_int"]?.type == .int64)
      #expect(inference.schema["n_max"]?.type == .string)
      #expect(inference.schema["b"]?.type == .binary)
      #expect(inference.schema["t"]?.type == .boolean)
      #expect(inference.schema["nul"] == nil)
      #expect(inference.warnings.contains { $0.contains("n_max") })
    }
  }

  @Test("Files of other shapes are rejected record by record, or by their format, and crash nothing")
  func otherSamples() async throws {
    let folder = try TestWorld.requireShared("aws/samples")
    for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file)")))
      var builder = try ChangeBatchBuilder(schema: Self.schema, keyFields: ["id"])
      guard !file.contains("ion.") else {
        await #expect(throws: ChangeError.self) { try await readAll([(file, bytes)], into: &builder) }
        continue
      }
      _ = try await readAll([(file, bytes)], into: &builder)
      var rows = SchemaInference(.rows)
      _ = try await readAll([(file, bytes)], into: &rows, chunk: 333)
    }
  }
}
