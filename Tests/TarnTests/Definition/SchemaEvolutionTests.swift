import Tarn
import TarnColumns
import TarnTestSupport
import Testing

@Suite struct SchemaEvolutionTests {
  static let schema = Schema([
    Field("id", .string), Field("n", .int64), Field("price", .decimal(precision: 10, scale: 2)),
    Field("at", .timestamp(.microseconds, .instant)),
  ])

  static func integers(_ values: Int64...) -> Column {
    column(.int64) { for value in values { $0.append(value) } }
  }

  @Test func aNewColumnIsNullInOlderRowsAndAMissingOneInNewer() async throws {
    let small = try await SmallTable(Self.schema)
    try await small.table.upsert(try batch(["id": try texts("a", "b"), "n": Self.integers(1, 2)]))
    try await small.table.upsert(
      try batch([
        "extra": try texts("new"), "id": try texts("b"), "small": column(.int16) { $0.append(Int16(7)) },
      ]))
    let rows = try await small.rows()
    #expect(json(rows["n"]) == ["1", "null"])
    #expect(json(rows["extra"]) == ["null", "\"new\""])
    #expect(json(rows["small"]) == ["null", "7"])
    #expect(
      try await small.table.schema()
        == Schema(Self.schema.fields + [Field("extra", .string), Field("small", .int32)]))
    // The first snapshot's files do not have the column at all.
    #expect(
      try await small.rows { try $0.select("extra").where(try Condition(parsing: "extra is null")) }.count
        == 1)
    try await small.table.upsert(try batch(["id": try texts("c")]))
    #expect(try await small.rows().count == 3)
    #expect(try await small.table.schema().fields.count == 6)
  }

  @Test func narrowerInputIsWidened() async throws {
    let small = try await SmallTable(Self.schema)
    try await small.table.upsert(
      try batch([
        "id": try texts("a"), "n": column(.int32) { $0.append(Int32.min) },
        "price": column(.decimal(precision: 5, scale: 1)) { $0.append(Int128(-15)) },
        "at": column(.timestamp(.milliseconds, .instant)) { $0.append(Int64(1)) },
      ]))
    let rows = try await small.rows()
    #expect(json(rows["n"]) == ["-2147483648"])
    #expect(json(rows["price"]) == ["\"-1.50\""])
    #expect(json(rows["at"]) == ["\"1970-01-01T00:00:00.001000Z\""])
    #expect(small.warnings.all.isEmpty)
  }

  @Test func whatDoesNotFitIsRefusedBeforeAnythingIsWritten() async throws {
    let small = try await SmallTable(
      Schema([Field("id", .string), Field("n", .int32), Field("must", .string, isNullable: false)]))
    try await small.table.upsert(
      try batch(["id": try texts("a"), "n": column(.int32) { $0.append(Int32(1)) }, "must": try texts("x")]))
    let before = try await small.contents()
    let must = try texts("x")
    for (other, name) in [
      (try texts("1"), "string"), (column(.double) { $0.append(1.0) }, "double"),
      (Column(nulls: 1, of: .date), "date"),
    ] {
      await expectRefusal(.mismatch, "column n", name, "int in the table") {
        try await small.table.upsert(try batch(["id": try texts("b"), "n": other, "must": must]))
      }
    }
    await expectRefusal(.unsupported, "column list", "nested") {
      try await small.table.upsert(
        try batch([
          "id": try texts("b"), "must": must, "list": Column(nulls: 1, of: .list(Field("element", .int32))),
        ]))
    }
    await expectRefusal(.badRow, "row 1", "must") {
      try await small.table.upsert(try batch(["id": try texts("b", "c"), "must": try texts("x", nil)]))
    }
    await expectRefusal(.badRow, "must") { try await small.table.upsert(try batch(["id": try texts("b")])) }
    for name in ["a b", "1st", "é", ""] {
      await expectRefusal(.mismatch, "Avro") {
        try await small.table.upsert(try batch(["id": try texts("b"), "must": must, name: must]))
      }
    }
    await expectRefusal(.mismatch, "column twice") {
      try await small.table.upsert(
        try batch(["id": try texts("b"), "must": must, "twice": must, "twice": must]))
    }
    await expectRefusal(.mismatch, "column must") {
      try await small.table.upsert(try batch(["id": try texts("b"), "must": must, "must": must]))
    }
    #expect(try await small.contents() == before)
    // Deletions need no more than the key.
    #expect(try await small.table.delete(try batch(["id": try texts("a")])).deleted == 1)
  }

  @Test func timesWithoutZoneAreTakenAsUTCAndSoSaid() async throws {
    let small = try await SmallTable(Self.schema)
    let local = column(.timestamp(.milliseconds, .local)) { $0.append(Int64(3_600_000)) }
    try await small.table.upsert(
      try batch(["id": try texts("a"), "at": local, "later": local, "n": Self.integers(1)]))
    let rows = try await small.rows()
    #expect(json(rows["at"]) == ["\"1970-01-01T01:00:00.000000Z\""])
    #expect(json(rows["later"]) == ["\"1970-01-01T01:00:00.000000Z\""])
    #expect(try await small.table.schema()["later"]?.type == .timestamp(.milliseconds, .instant))
    #expect(small.warnings.all.count == 1)
    #expect(small.warnings.all.first?.contains("at, later") == true)
    #expect(small.warnings.all.first?.contains("UTC") == true)
  }

  @Test func timesBeyondTheRangeAreRefused() async throws {
    let small = try await SmallTable(Self.schema)
    await expectRefusal(.badRow, "microseconds") {
      try await small.table.upsert(
        try batch([
          "id": try texts("a"), "at": column(.timestamp(.milliseconds, .instant)) { $0.append(Int64.max) },
        ]))
    }
  }

  @Test func rowsAsReadCanBeWrittenBack() async throws {
    let small = try await SmallTable(Self.schema)
    try await small.table.upsert(try batch(["id": try texts("a", "b"), "n": Self.integers(1, 2)]))
    let rows = try await small.rows()
    #expect(rows.schema.fields.count == 9)
    #expect(try await small.table.upsert(rows).duplicates == 2)
    #expect(try await small.table.schema() == Self.schema)
  }
}
