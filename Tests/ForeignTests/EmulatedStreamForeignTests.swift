import Foundation
import Tarn
import TarnBytes
import TarnCDC
import TarnIngest
import TarnStorage
import TarnTestSupport
import Testing

/// Changes of a table in an emulator of DynamoDB, by its stream into a table here: what is left there is what is here.
@Suite(.serialized) struct EmulatedStreamForeignTests {
  private static let python = TestWorld.root + "/.build/emulator/bin/python"

  /// What the emulator's stream and table say.
  private struct Emulated {
    /// Answers of GetRecords, which have the records as the events of Lambda do.
    var answers: [[UInt8]]
    /// The items that are left, as lines of a full export.
    var items: [UInt8]
  }

  private func emulated(seed: Int, changes: Int) async throws -> Emulated {
    try TestWorld.require(
      "the emulator of DynamoDB (Tests/run prepares it)",
      FileManager.default.isExecutableFile(atPath: Self.python))
    return try await TestWorld.withTemporaryFolder { folder in
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Self.python)
      process.arguments = [TestWorld.root + "/Tests/Foreign/emulator.py", folder, "\(seed)", "\(changes)"]
      try process.run()
      process.waitUntilExit()
      try #require(process.terminationStatus == 0)
      return Emulated(
        answers: try TestWorld.lines(of: folder + "/answers.jsonl").map { Array($0.utf8) },
        items: Array(try TestWorld.lines(of: folder + "/items.jsonl").joined(separator: "\n").utf8))
    }
  }

  private func table() async throws -> Table {
    let schema = Schema(
      [
        Field("pk", .string), Field("sk", .int64), Field("text", .string),
        Field("total", .decimal(precision: 10, scale: 2)), Field("mixed", .string), Field("count", .int64),
      ] + EventColumn.fields)
    return try await Table.create(
      at: .storage(InMemoryStorage(), name: "memory/orders"), schema: schema, recordKey: ["pk", "sk"],
      orderedBy: EventColumn.time)
  }

  /// A table's rows as lines, without the columns of the event.
  private func rows(_ table: Table) async throws -> [String] {
    let names = try await table.schema().names.filter { !$0.hasPrefix("_event") }
    var batches: [RecordBatch] = []
    for try await batch in try await table.snapshot().select(names) { batches.append(batch) }
    return WideRows.lines(batches)
  }

  /// The rows that the items which are left make.
  private func expected(_ emulated: Emulated) async throws -> [String] {
    let table = try await table()
    var builder = try builder(try await table.schema(), ColumnOwners(), keepsNewValues: true)
    try builder.append(emulated.items)
    let batch = try builder.finish()
    let found = builder.found
    let whole = try #require(builder.completed([batch])?.first)
    // Items of an export have no time, and no row of it needs another's.
    let rows = whole.rows
    let plain = try await Table.create(
      at: .storage(InMemoryStorage(), name: "memory/items"),
      schema: Schema(rows.schema.fields.filter { !$0.name.hasPrefix("_event") }), recordKey: ["pk", "sk"])
    let names = rows.schema.names.filter { !$0.hasPrefix("_event") }
    try await plain.remembering(found.owners).upsert(try rows.select(names))
    return try await self.rows(plain)
  }

  private func builder(
    _ schema: Schema, _ owners: ColumnOwners, keepsNewValues: Bool = false
  ) throws -> ChangeBatchBuilder {
    try ChangeBatchBuilder(
      schema: schema, keyFields: ["pk", "sk"], owners: owners, keepsNewValues: keepsNewValues)
  }

  @Test("The stream handler, with each event twice")
  func handler() async throws {
    let emulated = try await emulated(seed: 1, changes: 300)
    let table = try await table()
    let handler = StreamHandler(table)
    for answer in emulated.answers + emulated.answers {
      let done = try await handler.handle(answer)
      #expect(done.failedSequenceNumber == nil, "\(done.failure.map { "\($0)" } ?? "")")
    }
    #expect(try await rows(table) == (try await expected(emulated)))
  }

  @Test("The transformation, whose lines are read as a delivery stream leaves them")
  func transformation() async throws {
    let emulated = try await emulated(seed: 2, changes: 300)
    var lines: [UInt8] = []
    for answer in emulated.answers {
      var records: [String] = []
      try ChangeRecords.read(answer) { record, text in
        let data = Base64.encode(text.extracting(record.range).withUnsafeBytes { Array($0) })
        records.append("{\"recordId\":\"\(records.count)\",\"data\":\"\(data)\"}")
      }
      let event = "{\"records\":[\(records.joined(separator: ","))]}"
      let response = try FirehoseTransformation().response(to: Array(event.utf8))
      #expect(response.failures.isEmpty, "\(response.failures)")
      let answers = try #require(try JSONValue(parsing: response.bytes)["records"]?.elements)
      #expect(answers.count == records.count)
      for record in answers {
        let data = Base64.decode(Array(record["data"]?.string?.utf8 ?? "".utf8).span.bytes)
        lines += try #require(data)
      }
    }
    let table = try await table()
    // As events of Kinesis, each line a record of its own.
    let texts = lines.split(separator: 0x0a).enumerated().map { index, line in
      "{\"kinesis\":{\"sequenceNumber\":\"\(index + 1)\",\"data\":\"\(Base64.encode(Array(line)))\"}}"
    }
    let done = try await StreamHandler(table).handle(
      Array("{\"Records\":[\(texts.joined(separator: ","))]}".utf8))
    #expect(done.failedSequenceNumber == nil, "\(done.failure.map { "\($0)" } ?? "")")
    #expect(done.counts.records == texts.count)
    #expect(try await rows(table) == (try await expected(emulated)))
  }
}
