import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Tables whose stored keys are not those that their fields make.
@Suite struct StoredKeyTests {
  /// A table as another writer leaves it: without key indexes, keyed by `id` and placed by `p`.
  static func foreign(_ storage: any Storage = InMemoryStorage()) async throws -> SmallTable {
    var options = TableOptions()
    options.tarn.hasKeyIndex = false
    let small = try await SmallTable(
      Schema([Field("id", .string), Field("p", .string), Field("other", .string)]), partitionedBy: ["p"],
      options: options, storage: storage)
    try await small.table.upsert(rows("a", "b"))
    return small
  }

  static func rows(_ first: String, _ second: String) throws -> RecordBatch {
    try batch([
      "id": try texts(first, second), "p": try texts("x", "x"), "other": try texts("1", "2"),
    ])
  }

  /// Has the properties name another column.
  static func replace(_ key: String, _ value: String, _ small: SmallTable) async throws {
    let path = ".hoodie/hoodie.properties"
    let lines = String(decoding: try await small.storage.readAll(path), as: UTF8.self).split(separator: "\n")
    let changed = lines.map { $0.hasPrefix(key + "=") ? "\(key)=\(value)" : String($0) }
    try await small.storage.put(
      Array((changed.joined(separator: "\n") + "\n").utf8), at: path, if: .always)
  }

  @Test func keysOfAnotherTextAreRefusedForEveryWrite() async throws {
    let small = try await Self.foreign()
    try await Self.replace("hoodie.table.recordkey.fields", "other", small)
    let before = try await small.contents()
    let table = try await Table.open(
      at: small.table.location, settings: TableFixture.settings(small.warnings))
    for write in [
      { (table: Table) in _ = try await table.upsert(try Self.rows("c", "d")) },
      { (table: Table) in _ = try await table.insert(try Self.rows("c", "d")) },
      { (table: Table) in _ = try await table.delete(keys: [["other": "1"]]) },
      { (table: Table) in _ = try await table.delete(where: try Condition(parsing: "id = 'a'")) },
      { (table: Table) in
        _ = try await table.update(where: try Condition(parsing: "id = 'a'"), set: ["id": "z"])
      },
    ] {
      await expectRefusal(.unsupported, "small", ".parquet", "row 0", "\"a\"", "\"1\"", "only reads") {
        try await write(table)
      }
    }
    #expect(try await small.contents() == before)
    #expect(try await small.rows().count == 2)
  }

  @Test func pathsOfAnotherTextAreRefused() async throws {
    let small = try await Self.foreign()
    try await Self.replace("hoodie.table.partition.fields", "other", small)
    await expectRefusal(.unsupported, ".parquet", "partition path", "p=x", "other=1") {
      try await small.table.upsert(try Self.rows("c", "d"), scope: .table)
    }
  }

  @Test func generatorsThatSayTheyFormatTimesAreRefused() async throws {
    let small = try await Self.foreign()
    try await Self.replace(
      "hoodie.table.keygenerator.class", "org.apache.hudi.keygen.CustomKeyGenerator", small)
    #expect(try await small.table.upsert(try Self.rows("a", "c")).inserted == 1)
    try await small.appendProperties("hoodie.keygen.timebased.output.dateformat=yyyy-MM-dd")
    await expectRefusal(.unsupported, "CustomKeyGenerator", "only reads") {
      try await small.table.upsert(try Self.rows("a", "c"))
    }
  }

  @Test func filesAreAskedOnceAndTarnsOwnNever() async throws {
    let storage = CountingStorage()
    let small = try await Self.foreign(storage)
    // Sound keys are taken; these are beyond the range of the file's, so that nothing is looked up.
    func reads(_ table: Table) async throws -> Int {
      storage.reset()
      _ = try await table.delete(keys: [["id": "zzz", "p": "x"]])
      return storage.readCount
    }
    let settings = TableFixture.settings(small.warnings)
    let fresh = try await Table.open(at: .storage(storage, name: "memory/small"), settings: settings)
    let first = try await reads(fresh)
    let second = try await reads(fresh)
    #expect(try await reads(fresh) == second)
    // A footer, and a page of each of the four columns.
    #expect((1...8).contains(first - second), "\(first) and \(second) reads")
    let own = CountingStorage()
    let table = try await SmallTable(small.table.schema(), partitionedBy: ["p"], storage: own)
    try await table.table.upsert(try Self.rows("a", "b"))
    let opened = try await Table.open(at: .storage(own, name: "memory/small"), settings: settings)
    own.reset()
    _ = try await opened.delete(keys: [["id": "zzz", "p": "x"]])
    let cold = own.readCount
    own.reset()
    _ = try await opened.delete(keys: [["id": "zzz", "p": "x"]])
    #expect(cold - own.readCount <= 1)
  }

  @Test func filesOfAnEarlierBuildAreAskedToo() async throws {
    let storage = InMemoryStorage()
    let small = try await SmallTable(
      Schema([Field("id", .string), Field("p", .string), Field("other", .string)]), partitionedBy: ["p"],
      storage: storage)
    try await small.table.upsert(Self.rows("a", "b"))
    // It may have taken over rows of another writer, whose keys it did not look at.
    for object in try await storage.listAll(prefix: "").objects where object.path.hasSuffix(".parquet") {
      let bytes = ForeignBytes.written(
        by: "tarn version 0.1.0 (build 1)", try await storage.readAll(object.path))
      try await storage.put(bytes, at: object.path, if: .always)
    }
    try await Self.replace("hoodie.table.recordkey.fields", "other", small)
    let table = try await Table.open(
      at: small.table.location, settings: TableFixture.settings(small.warnings))
    await #expect(throws: TableError.self) { try await table.upsert(try Self.rows("c", "d")) }
    do { try await table.upsert(try Self.rows("c", "d")) } catch let error as TableError {
      #expect(error.code == .unsupported && error.message.contains("record key"), "\(error)")
    }
  }

  @Test func aKeyInTwoPartitionsIsSaid() async throws {
    let small = try await SmallTable(
      Schema([Field("id", .string), Field("p", .string)]), partitionedBy: ["p"])
    try await small.table.insert(try batch(["id": try texts("a", "b"), "p": try texts("x", "x")]))
    try await small.table.insert(try batch(["id": try texts("a"), "p": try texts("y")]))
    #expect(small.warnings.all.isEmpty)
    // Within its partition, the key is there once.
    try await small.table.upsert(try batch(["id": try texts("a"), "p": try texts("y")]))
    #expect(small.warnings.all.isEmpty)
    try await small.table.upsert(
      try batch(["id": try texts("a", "b"), "p": try texts("y", "x")]), scope: .table)
    #expect(small.warnings.all.count == 1)
    let warning = small.warnings.all.first ?? ""
    for word in ["\"a\"", "2 times", "\"p=x\"", "\"p=y\""] { #expect(warning.contains(word), "\(warning)") }
    // Also twice in one partition.
    try await small.table.insert(try batch(["id": try texts("b"), "p": try texts("x")]))
    try await small.table.upsert(try batch(["id": try texts("b"), "p": try texts("x")]))
    #expect(small.warnings.all.count == 2)
    #expect(small.warnings.all.last?.contains("\"b\" is stored 2 times, in partition \"p=x\": ") == true)
  }
}
