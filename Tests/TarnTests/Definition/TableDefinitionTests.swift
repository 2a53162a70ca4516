import Tarn
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

@Suite struct TableDefinitionTests {
  static let schema = Schema([
    Field("id", .string), Field("n", .int32), Field("d", .double), Field("f", .float),
    Field("bytes", .binary),
    Field("flag", .boolean),
  ])

  static func expectNoTable(
    _ words: String, code: TableError.Code = .mismatch, schema: Schema = schema, key: [String] = ["id"],
    partition: [String] = [], ordering: String? = nil, options: TableOptions = TableOptions()
  ) async throws {
    let storage = InMemoryStorage()
    await expectRefusal(code, words) {
      _ = try await SmallTable(
        schema, key: key, partitionedBy: partition, orderedBy: ordering, options: options, storage: storage)
    }
    #expect(try await storage.listAll(prefix: "").objects.isEmpty)
  }

  @Test func columnsThatDoNotFitAreRefusedAndNothingIsWritten() async throws {
    try await Self.expectNoTable("key column", key: [])
    try await Self.expectNoTable("key column nobody", key: ["nobody"])
    try await Self.expectNoTable("partition column nobody", partition: ["nobody"])
    try await Self.expectNoTable("ordering column nobody", ordering: "nobody")
    try await Self.expectNoTable("named twice", key: ["id", "id"])
    try await Self.expectNoTable("named twice", partition: ["n", "n"])
    for name in ["d", "f", "bytes"] {
      try await Self.expectNoTable("cannot be a key column", key: [name])
      try await Self.expectNoTable("cannot be a partition column", partition: [name])
    }
    for name in ["bytes", "flag"] { try await Self.expectNoTable("cannot order rows", ordering: name) }
    try await Self.expectNoTable("twice", schema: Schema(Self.schema.fields + [Field("n", .string)]))
    for name in ["", "1a", "a-b", "a b", "é", "a.b"] {
      try await Self.expectNoTable("Avro", schema: Schema(Self.schema.fields + [Field(name, .int32)]))
    }
    let nested = DataType.list(Field("element", .int32))
    try await Self.expectNoTable(
      "column list", code: .unsupported, schema: Schema(Self.schema.fields + [Field("list", nested)]))
  }

  @Test func timesOfTheDayAreRefusedInTablesAndBatches() async throws {
    let schema = Schema(Trade.schema.fields + [Field("at", .time)])
    await #expect { _ = try await TableFixture(schema: schema) } throws: {
      ($0 as? TableError)?.code == .mismatch && "\($0)".contains("at")
    }
    let fixture = try await TableFixture()
    var batch = try Trade.batch([Trade("a", 1, "OKX")])
    batch.schema.fields.append(Field("at", .time))
    batch.columns.append(Column(nulls: 1, of: .time))
    let rows = batch
    await #expect { try await fixture.table.upsert(rows) } throws: { ($0 as? TableError)?.code == .mismatch }
  }

  @Test(arguments: [(0, 0), (39, 0), (10, -1), (10, 11), (-1, -2)])
  func decimalsThatCannotBeAreRefused(_ precision: Int, _ scale: Int) async throws {
    let type = DataType.decimal(precision: precision, scale: scale)
    try await Self.expectNoTable(
      "column price", schema: Schema([Field("id", .string), Field("price", type)]))
    let small = try await SmallTable(Schema([Field("id", .string)]))
    await expectRefusal(.mismatch, "column price") {
      try await small.table.upsert(try batch(["id": try texts("a"), "price": Column(nulls: 1, of: type)]))
    }
  }

  @Test func namesAreLettersDigitsAndLowLines() async throws {
    for name in ["", "a b", "a-b", "é", "a/b"] {
      var options = TableOptions()
      options.name = name
      try await Self.expectNoTable("no table name", options: options)
    }
    for (place, name) in [
      ("lake/trades", "trades"), ("my-table/", "my_table"), ("é.x", "__x"), (".", "table"), ("a/..", "a"),
    ] {
      let table = try await Table.create(
        at: .storage(InMemoryStorage(), name: place), schema: Self.schema, recordKey: ["id"])
      #expect(table.properties.name == name)
      #expect(table.properties.databaseName == "")
    }
  }

  @Test func aPlaceThatIsTakenOrEmptyIsSaid() async throws {
    let small = try await SmallTable(Self.schema)
    let before = try await small.contents()
    await expectRefusal(.tableExists) { _ = try await SmallTable(Self.schema, storage: small.storage) }
    #expect(try await small.contents() == before)
    await expectRefusal(.noTable) { _ = try await Table.open(at: .storage(InMemoryStorage(), name: "x")) }
  }

  @Test func inputTypesBecomeThoseOfHudi() async throws {
    let small = try await SmallTable(
      Schema([
        Field("id", .string), Field("a", .int8), Field("b", .int16),
        Field("c", .timestamp(.milliseconds, .local)),
        Field("_hoodie_record_key", .string),
      ]))
    #expect(
      try await small.table.schema()
        == Schema([
          Field("id", .string), Field("a", .int32), Field("b", .int32),
          Field("c", .timestamp(.milliseconds, .instant)),
        ]))
  }
}

@Suite struct TableOptionTests {
  static let schema = Schema([Field("id", .string)])

  @Test func optionsComeBackFromTheProperties() async throws {
    var options = TableOptions()
    options.tarn.smallFileLimit = 1_000
    options.tarn.targetFileSize = 2_000
    options.tarn.rowGroupSize = 4_096
    options.tarn.pageRows = 5
    options.tarn.compression = .gzip(level: 3)
    options.bloomFilter = .hudi
    let small = try await SmallTable(Self.schema, options: options)
    let entries = try await Table.open(at: small.table.location).properties.entries
    #expect(entries["tarn.small.file.limit.bytes"] == "1000")
    #expect(entries["tarn.target.file.size.bytes"] == "2000")
    #expect(entries["tarn.row.group.size.bytes"] == "4096")
    #expect(entries["tarn.page.rows"] == "5")
    #expect(entries["tarn.codec"] == "gzip:3")
    #expect(entries["tarn.bloom.filter"] == "hudi")
    // Hudi's filter takes 431 kB a file.
    let report = try await small.table.upsert(try batch(["id": try texts("a")]))
    #expect(report.bytesWritten > 400_000)
    let plain = try await SmallTable(Self.schema)
    let standard = try await Table.open(at: plain.table.location).properties.entries
    #expect(standard["tarn.codec"] == nil && standard["tarn.page.rows"] == nil)
  }

  @Test(arguments: [
    "tarn.page.rows=0", "tarn.page.rows=many", "tarn.page.rows=99999999999999999999",
    "tarn.small.file.limit.bytes=-1", "tarn.target.file.size.bytes=10", "tarn.row.group.size.bytes=1",
    "tarn.codec=lzo", "tarn.codec=zstd:99", "tarn.codec=gzip:x", "tarn.codec=uncompressed:1", "tarn.codec=",
    "tarn.bloom.filter=none",
  ]) func damagedOptionsAreRefusedBeforeAWrite(_ line: String) async throws {
    let small = try await SmallTable(Self.schema)
    try await small.table.upsert(try batch(["id": try texts("a")]))
    try await small.appendProperties(line)
    let before = try await small.contents()
    await expectRefusal(.damaged, "hoodie.properties", line) {
      try await small.table.upsert(try batch(["id": try texts("b")]))
    }
    #expect(try await small.contents() == before)
    // Reading does not need them.
    #expect(try await small.table.snapshot().count() == 1)
  }

  @Test(arguments: [
    "tarn.codec=zstd", "tarn.codec=gzip", "tarn.codec=uncompressed", "tarn.bloom.filter=file",
  ])
  func shortFormsAreTaken(_ line: String) async throws {
    let small = try await SmallTable(Self.schema)
    try await small.appendProperties(line)
    #expect(try await small.table.upsert(try batch(["id": try texts("b")])).inserted == 1)
  }

  @Test func optionsThatMakeNoSenseMakeNoTable() async throws {
    let changes: [(inout TarnOptions) -> Void] = [
      { $0.pageRows = 0 }, { $0.smallFileLimit = -1 }, { $0.targetFileSize = 0 }, { $0.rowGroupSize = 0 },
      { $0.compression = .zstd(level: 40) }, { $0.compression = .gzip(level: 0) },
    ]
    for change in changes {
      var options = TableOptions()
      change(&options.tarn)
      try await TableDefinitionTests.expectNoTable("tarn.", options: options)
    }
  }
}
