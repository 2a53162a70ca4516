import TarnBytes
import TarnCDC
import TarnColumns
import TarnStorage
import TarnTestSupport
import Testing

@Suite("Shapes of change records")
struct ShapeTests {
  private static let schema = Schema(
    [Field("id", .string), Field("n", .decimal(precision: 20, scale: 3)), Field("t", .string)]
      + EventColumn.fields)

  /// Reads a text, and gives the rows as text.
  private func read(
    _ text: String, as shape: ChangeShape? = nil, table: String? = nil
  ) async throws -> (rows: [String], rejected: [String]) {
    var builder = try ChangeBatchBuilder(schema: Self.schema, keyFields: ["id"], table: table, shape: shape)
    let rejected = try await readAll(text, into: &builder)
    let batch = try builder.finish()
    let columns = ["id", "n", "t", EventColumn.name, EventColumn.time].map { batch.rows.texts($0) }
    let rows =
      batch.rows.count == 0
      ? []
      : (0..<batch.count).map { row in
        (batch.isDelete[row] ? "- " : "+ ") + columns.map { $0[row] }.joined(separator: " ")
      }
    return (rows, rejected.map(\.reason.description))
  }

  @Test("Full exports give insertions")
  func fullExport() async throws {
    let text = """
      {"Item":{"id":{"S":"a"},"n":{"N":"1.5"},"t":{"S":"x"}}}
      {"Item": {"id": {"S": "b"}, "n": {"N": "-2"}}}{"Item":{"id":{"S":"c"}}}
      """
    #expect(
      try await read(text).rows == [
        "+ a 1500 x INSERT null", "+ b -2000 null INSERT null", "+ c null null INSERT null",
      ])
  }

  @Test("Incremental exports give what happened in their window, with every way of writing the time")
  func incrementalExport() async throws {
    let text = """
      {"Metadata":{"WriteTimestampMicros":{"N":"1680109764000001"}},"Keys":{"id":{"S":"a"}},"NewImage":{"id":{"S":"a"},"n":{"N":"1"}}}
      {"Metadata":{"WriteTimestampMicros":"1680109764000002"},"Keys":{"id":{"S":"a"}},"OldImage":{"id":{"S":"a"}},"NewImage":{"id":{"S":"a"},"n":{"N":"2"}}}
      {"Metadata":{"WriteTimestampMicros":1680109764000003},"Keys":{"id":{"S":"a"}},"OldImage":{"id":{"S":"a"},"t":{"S":"x"}}}
      {"Keys":{"id":{"S":"b"}},"Metadata":{"WriteTimestampMicros":{"N":"4"}}}
      """
    let found = try await read(text)
    #expect(
      found.rows == [
        "+ a 1000 null INSERT 1680109764000001", "+ a 2000 null MODIFY 1680109764000002",
        "- a null x REMOVE 1680109764000003", "- b null null REMOVE 4",
      ])
    #expect(found.rejected.isEmpty)
  }

  @Test("Debezium's envelope, with its schema or without, gives the change and its time in the database")
  func debezium() async throws {
    let text = """
      {"op":"c","before":null,"after":{"id":"a","n":1.25,"t":null},"source":{"ts_ms":1700000000001,"table":"orders"},"ts_ms":1700000000999}
      {"schema":{"type":"struct","op":"x"},"payload":{"before":{"id":"a"},"after":{"id":"a","n":2},"op":"u","ts_ms":1700000000002,"source":{"table":"orders"}}}
      {"before":{"id":"a","t":"é\\n"},"after":null,"source":{"ts_us":1700000000000003,"ts_ms":1700000000000,"ts_ns":1700000000000003000,"table":"orders"},"op":"d"}
      {"op":"r","after":{"id":"b"},"source":{"table":"orders"}}
      """
    let found = try await read(text)
    #expect(
      found.rows == [
        "+ a 1250 null INSERT 1700000000001000", "+ a 2000 null MODIFY 1700000000002000",
        "- a null é\n REMOVE 1700000000000003", "+ b null null INSERT null",
      ])
    #expect(found.rejected.isEmpty)
    #expect(try await read(text, table: "orders").rows.count == 4)
    #expect(try await read(text, table: "others").rows.isEmpty)
    let bad = [
      (#"{"op":"t","before":null,"after":{"id":"a"}}"#, "not c, r, u or d"),
      (#"{"op":"c","before":{"id":"a"},"after":null}"#, "after is missing"),
      (#"{"op":"d","after":{"id":"a"}}"#, "before is missing"),
      (#"{"payload":{"after":{"id":"a"}}}"#, "op is missing"),
      (#"{"op":"c","after":{"id":"a"},"ts_ms":"soon"}"#, "no time"),
    ]
    for (line, reason) in bad {
      let found = try await read(line)
      #expect(found.rows.isEmpty)
      #expect(found.rejected.count == 1 && found.rejected[0].contains(reason), "\(found.rejected)")
    }
  }

  @Test("Rows of DMS have their operation beside their columns")
  func dms() async throws {
    let found = try await read(
      #"{"Op":"I","id":"a","n":1}{"Op":"U","id":"a","n":2.5,"t":"x"}{"Op":"D","id":"a"}{"Op":"X","id":"a"}"#)
    #expect(
      found.rows == ["+ a 1000 null INSERT null", "+ a 2500 x MODIFY null", "- a null null REMOVE null"])
    // One letter does not tell that it is no operation.
    #expect(found.rejected == ["not a change record: Op is \"X\", not I, U or D"])
  }

  @Test("Attributes with event_name beside them have its members for what the record tells of itself")
  func eventName() async throws {
    let found = try await read(
      #"""
      {"event_name":"INSERT","event_id":"e1","event_time":1700000000,"id":"a","n":1,"t":"x"}
      {"id":"a","n":"2.5","event_name":"MODIFY","event_time":"2023-11-14T22:13:20.000001Z","event_sequence":"0017"}
      {"event_name":"REMOVE","event_time":1700000000123,"id":"a"}
      {"event_name":"CREATE","id":"a"}
      {"event_name":"INSERT"}
      {"event_name":"INSERT","event_time":"soon","id":"a"}
      """#)
    #expect(
      found.rows == [
        "+ a 1000 x INSERT 1700000000000000", "+ a 2500 null MODIFY 1700000000000001",
        "- a null null REMOVE 1700000000123000",
      ])
    #expect(found.rejected.count == 3)
  }

  @Test("Objects of several shapes may stand in one file, and each is told by itself")
  func mixed() async throws {
    let lines = [
      change(id: "1", new: ""), #"{"Op":"I","id":"2"}"#, #"{"Item":{"id":{"S":"3"}}}"#,
      change(id: "4", new: ""),
      #"{"op":"c","after":{"id":"5"}}"#, #"{"event_name":"INSERT","id":"6","Op":"D","op":"d","before":{}}"#,
      #"{"Records":[\#(change(id: "7", new: ""))]}"#, #"{"event_name":"INSERT","id":"8"}"#,
    ]
    let found = try await read(lines.joined() + lines.joined(separator: "\n"))
    let ids = found.rows.map { String($0.split(separator: " ")[1]) }
    #expect(ids == ["1", "2", "3", "4", "5", "6", "7", "8", "1", "2", "3", "4", "5", "6", "7", "8"])
    #expect(found.rejected.isEmpty, "\(found.rejected)")
  }

  @Test("A shape that is named is the only one, and what carries records is opened all the same")
  func named() async throws {
    let row = #"{"Op":"I","id":"1","event_name":"REMOVE","Records":[]}"#
    #expect(try await read(row, as: .dms).rows == ["+ 1 null null INSERT null"])
    // Attributes beside event_name may have any names.
    #expect(try await read(row).rows.map { $0.prefix(1) } == ["-"])
    let other = try await read(change(new: "") + #"{"id":"1"}"#, as: .dms)
    #expect(other.rows.isEmpty)
    #expect(other.rejected == Array(repeating: "not a change record: Op is missing", count: 2))
    #expect(
      try await read(#"{"Records":[{"kinesis":{"data":"eyJPcCI6IkkiLCJpZCI6IjEifQ=="}}]}"#, as: .dms).rows
        .count == 1)
    for shape in ChangeShape.allCases { #expect(try await read("{}", as: shape).rejected.count == 1) }
  }

  @Test("No flipped byte of a record of any shape crashes the reader")
  func mutations() async throws {
    let event =
      "{\"Records\":[{\"kinesis\":{\"data\":\"eyJPcCI6IkkiLCJpZCI6IjEifQ==\",\"sequenceNumber\":\"1\"}}]}"
    let debezium =
      #"{"schema":{},"payload":{"op":"u","before":{"id":"é"},"after":{"id":"a","n":1.5e2},"source":{"ts_us":17,"table":"o"}}}"#
    let export =
      #"{"Metadata":{"WriteTimestampMicros":{"N":"4"}},"Keys":{"id":{"S":"b"}},"NewImage":{"id":{"S":"b"},"n":{"N":"1"}}}"#
    let row = #"{"event_name":"INSERT","event_id":"e","event_time":17,"event_sequence":"1","id":"a","n":[1]}"#
    var builder = try ChangeBatchBuilder(schema: Self.schema, keyFields: ["id"])
    for text in [event, debezium, export, row] {
      let bytes = Array((text + text).utf8)
      for index in 0..<bytes.count / 2 {
        for flip: UInt8 in [0x01, 0x20, 0x80, bytes[index] ^ 0x22, bytes[index] ^ 0x7d] {
          var broken = bytes
          broken[index] ^= flip
          _ = try await readAll([("a", broken)], into: &builder, chunk: 97)
        }
      }
    }
    #expect(try builder.finish().count > 0)
  }
}
