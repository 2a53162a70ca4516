import TarnBytes
import TarnCDC
import TarnColumns
import TarnStorage
import TarnTestSupport
import Testing

@Suite("Columns that are found as records are read")
struct OneReadingTests {
  private static let schema = Schema([
    Field("id", .string), Field("part", .string), Field("n", .int64),
    Field("d", .decimal(precision: 38, scale: 2)),
  ])
  private static let table = Schema([
    Field("id", .string), Field("part", .string), Field("n", .int64),
    Field("d", .decimal(precision: 10, scale: 2)),
  ])
  private static let names = ["x", "y", "z", "a-b", "a.b", "X", "é\\u0301", "n", "d", "part"]

  /// Values of plain JSON, few of which are unlike their neighbours.
  private static let plain = [
    "1", "2", "-7", "9007199254740993", #""part""#, "1.5", "0.25", "1e3", #""text""#, #""q\"\u00e9""#, "true",
    "null",
    "[1,2]",
    #"{"k":null}"#, "123456789012345678901234567890", "0.00000000000000000001", "1e400",
  ]
  /// Attribute values, likewise.
  private static let attributes = [
    #"{"N":"1"}"#, #"{"N":"2"}"#, #"{"N":"1.25"}"#, #"{"N":"12345678901234567890123"}"#, #"{"S":"text"}"#,
    #"{"S":"a\n\u00e9"}"#, #"{"B":"AAH+"}"#, #"{"BOOL":true}"#, #"{"NULL":true}"#, #"{"L":[{"N":"1"}]}"#,
    #"{"M":{"k":{"S":"v"}}}"#, #"{"N":"1E-20"}"#, #"{"N":"none"}"#, #"{"B":"?"}"#,
  ]

  /// Members of a row or image: most of a name's values are alike.
  private static func members(
    _ random: inout SeededGenerator, _ values: [String], _ seed: Int
  ) -> String {
    var members: [String] = []
    for (number, name) in names.enumerated() where random.below(3) > 0 {
      // Of columns that are there, most values are numbers and texts.
      let usual = ["n": seed % 3, "d": seed % 2, "part": 4][name] ?? (number * 5 + seed) % 9
      let value = random.below(25) == 0 ? values[random.below(values.count)] : values[usual]
      members.append("\"\(name)\":\(value)")
      if random.below(1_500) == 0 { members.append("\"\(name)\":\(value)") }
    }
    return members.joined(separator: ",")
  }

  private static func rows(_ seed: Int) -> String {
    var random = SeededGenerator(seed: UInt64(seed))
    return (0..<40).map { row in
      let id = random.below(15) == 0 ? "" : #""id":"\#(row)""#
      return "{" + [id, members(&random, plain, seed)].filter { !$0.isEmpty }.joined(separator: ",") + "}\n"
    }.joined()
  }

  private static func changes(_ seed: Int) -> String {
    var random = SeededGenerator(seed: UInt64(seed))
    return (0..<40).map { row in
      let kind = ["INSERT", "MODIFY", "REMOVE"][random.below(3)]
      let new = kind == "REMOVE" ? nil : members(&random, attributes, seed)
      let old = kind == "INSERT" ? nil : members(&random, attributes, seed)
      return change(kind, id: "\(row)", new: new, old: old) + "\n"
    }.joined()
  }

  /// Reads a text, a few rows at a time.
  private static func read<Builder: RowBuilder, Batch>(
    _ text: String, _ builder: inout Builder, _ finish: (inout Builder) throws -> Batch
  ) async throws -> (batches: [Batch], rejected: [RejectedRecord]) {
    let storage = InMemoryStorage()
    try await storage.put(Array(text.utf8), at: "in.jsonl", if: .always)
    var reader = RecordReader(storage: storage, paths: ["in.jsonl"])
    var found: (batches: [Batch], rejected: [RejectedRecord]) = ([], [])
    var more = true
    while more {
      more = try await reader.read(to: &builder, limit: 9) { found.rejected.append($0) }
      found.batches.append(try finish(&builder))
    }
    return found
  }

  private static func growing() -> GrowingColumns {
    GrowingColumns(schema, widening: table, texts: ["id", "part"])
  }

  private static func lines(_ batches: [RecordBatch]) -> [String] {
    batches.flatMap { batch in
      (0..<batch.count).map { row in
        var line: [UInt8] = []
        batch.appendJSONLine(row, to: &line)
        return String(decoding: line, as: UTF8.self)
      }
    }
  }

  /// Reads until nothing is found any more, as one must who keeps no values.
  ///
  /// - Parameter make: A builder of columns, and of who owns them.
  /// - Returns: What the last reading made, and whether the first one had been enough.
  private static func compare<Builder: RowBuilder, Batch>(
    _ text: String, _ make: (GrowingColumns, ColumnOwners) throws -> Builder,
    owners: (Builder) -> ColumnOwners, finish: (inout Builder) throws -> Batch, rows: (Batch) -> RecordBatch,
    completed: (inout Builder, [Batch]) -> [Batch]?
  ) async throws -> Bool {
    var first = try make(growing(), ColumnOwners())
    let once = try await read(text, &first, finish)
    var columns = growing()
    var known = ColumnOwners()
    while true {
      var builder = try make(columns, known)
      let again = try await read(text, &builder, finish)
      known = owners(builder)
      guard builder.found.newFields.isEmpty, builder.found.widerFields.isEmpty else {
        columns.grow(by: builder.found)
        continue
      }
      guard let whole = completed(&first, once.batches) else { return false }
      #expect(whole.map { rows($0).schema.summary } == again.batches.map { rows($0).schema.summary })
      #expect(lines(whole.map(rows)) == lines(again.batches.map(rows)))
      // The reasons may name other types.
      #expect(once.rejected.map(\.offset) == again.rejected.map(\.offset))
      #expect(owners(first).pairs.map(\.column) == known.pairs.map(\.column))
      return true
    }
  }

  @Test("One reading of rows makes of them what reading them again does")
  func rowsAreReadOnce() async throws {
    var enough = 0
    for seed in 0..<120 {
      let wasEnough = try await Self.compare(Self.rows(seed)) { columns, owners in
        try RowBatchBuilder(
          schema: columns.schema, keyFields: ["id"], unknown: .leaveOut, owners: owners,
          widening: columns.widening, keepsNewValues: true)
      } owners: {
        $0.found.owners
      } finish: {
        try $0.finish()
      } rows: {
        $0
      } completed: {
        $0.completed($1)
      }
      if wasEnough { enough += 1 }
    }
    // The others hold a name twice, or a number beyond a double.
    #expect(enough > 40, "\(enough)")
  }

  @Test("One reading of changes makes of them what reading them again does")
  func changesAreReadOnce() async throws {
    var enough = 0
    for seed in 0..<120 {
      let wasEnough = try await Self.compare(Self.changes(seed)) { columns, owners in
        try ChangeBatchBuilder(
          schema: columns.schema, keyFields: ["id"], partitionFields: ["part"], owners: owners,
          widening: columns.widening, keepsNewValues: true)
      } owners: {
        $0.found.owners
      } finish: {
        try $0.finish()
      } rows: {
        $0.rows
      } completed: {
        $0.completed($1)
      }
      if wasEnough { enough += 1 }
    }
    #expect(enough > 40, "\(enough)")
  }

  @Test("A batch without a value that came later has the column all the same")
  func laterColumns() async throws {
    let text =
      #"{"id":"1"}"# + "\n" + #"{"id":"2","x":7,"d":1.234}"# + "\n" + #"{"id":"3","x":null,"d":5.678}"#
    var builder = try RowBatchBuilder(
      schema: Self.schema, keyFields: ["id"], unknown: .leaveOut, widening: Self.growing().widening,
      keepsNewValues: true)
    let found = try await readAll(text, into: &builder)
    #expect(found.isEmpty)
    let batch = try builder.finish()
    let completed = builder.completed([batch])
    let whole = try #require(completed)
    #expect(whole[0].schema.summary.suffix(2) == ["d: decimal(38,3)", "x: long"])
    #expect(whole[0].texts("x") == ["null", "7", "null"])
    #expect(whole[0].texts("d") == ["null", "1234", "5678"])
    builder.keepsNewValues = false
    let again = builder.completed(whole)
    #expect(again == nil)
  }

  @Test("Rows of which nothing is known are read once, into the columns that an inference finds")
  func nothingIsKnown() async throws {
    var enough = 0
    for seed in 0..<120 {
      let text = Self.rows(seed)
      var builder = try RowBatchBuilder(
        schema: Schema([]), unknown: .leaveOut, keepsNewValues: true, preferred: ["X"])
      let once = try await Self.read(text, &builder) { try $0.finish() }
      guard let whole = builder.completed(once.batches) else { continue }
      enough += 1
      var inference = SchemaInference(.rows, preferred: ["X"])
      _ = try await Self.read(text, &inference)
      #expect(whole.allSatisfy { $0.schema == inference.schema })
      #expect(builder.found.owners.pairs.map(\.column) == inference.owners.pairs.map(\.column))
      var known = try RowBatchBuilder(schema: inference.schema, owners: inference.owners)
      let again = try await Self.read(text, &known) { try $0.finish() }
      #expect(once.rejected.isEmpty && again.rejected.isEmpty)
      #expect(Self.lines(whole) == Self.lines(again.batches))
    }
    #expect(enough > 40, "\(enough)")
  }

  private static func read(_ text: String, _ inference: inout SchemaInference) async throws {
    let storage = InMemoryStorage()
    try await storage.put(Array(text.utf8), at: "in.jsonl", if: .always)
    var reader = RecordReader(storage: storage, paths: ["in.jsonl"])
    _ = try await reader.read(into: &inference, limit: .max)
  }
}
