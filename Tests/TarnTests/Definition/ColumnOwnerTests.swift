import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

@Suite struct ColumnOwnerTests {
  private static let schema = Schema([Field("id", .string), Field("a_b_1", .string)])

  private static func batch(_ id: String) throws -> RecordBatch {
    try RecordBatch(schema: schema, columns: [try texts(id), try texts("x")])
  }

  private static func owners(_ pairs: (String, String)...) -> ColumnOwners {
    var owners = ColumnOwners()
    for (name, column) in pairs { owners.note(name, owns: column) }
    return owners
  }

  @Test func ownersAreStoredBeforeTheCommitThatNeedsThemWhereverItFails() async throws {
    let owners = Self.owners(("a-b", "a_b_1"), ("é\n=%\u{0}", "e_2"))
    var call = 1
    while true {
      let inner = InMemoryStorage()
      let made = try await SmallTable(Self.schema, storage: inner)
      let faulty = FaultStorage(wrapping: inner, crashAtCall: call)
      let table = try? await Table.open(
        at: .storage(faulty, name: "memory/small"), settings: made.table.settings)
      _ = try? await table?.remembering(owners).upsert(Self.batch("1"))
      let reopened = try await Table.open(at: .storage(inner, name: "memory/small"))
      let stored = try reopened.properties.columnOwners()
      #expect(stored.isComplete)
      let isCommitted = try await !reopened.timeline().completedCommits.isEmpty
      if isCommitted { #expect(stored == owners) } else { #expect(stored == owners || stored.count == 0) }
      if !faulty.hasFailed {
        #expect(isCommitted)
        break
      }
      call += 1
    }
    #expect(call > 10)
  }

  @Test func aNameOrColumnThatAnotherWriterGaveAwayIsAConflict() async throws {
    let made = try await SmallTable(Self.schema)
    try await made.table.remembering(Self.owners(("a-b", "a_b_1"))).upsert(Self.batch("1"))
    let before = try await made.contents()
    for owners in [Self.owners(("a.b", "a_b_1")), Self.owners(("a-b", "other"))] {
      await #expect {
        try await made.table.remembering(owners).upsert(Self.batch("2"))
      } throws: { ($0 as? TableError)?.code == .conflict }
    }
    #expect(try await made.contents() == before)
    try await made.table.remembering(Self.owners(("a-b", "a_b_1"))).upsert(Self.batch("2"))
  }

  @Test func tooManyOwnersAreRefused() async throws {
    let made = try await SmallTable(Self.schema)
    var owners = ColumnOwners()
    for number in 0...ColumnOwners.limit { owners.note("n-\(number)", owns: "n_\(number)") }
    let many = owners
    await #expect {
      try await made.table.remembering(many).upsert(Self.batch("1"))
    } throws: { ($0 as? TableError)?.code == .mismatch && "\($0)".contains("10000") }
    #expect(Self.owners((String(repeating: "-", count: ColumnOwners.byteLimit), "a")).isTooLarge)
  }

  @Test func ownersOfTablesThatWereMadeWithoutAreNotComplete() async throws {
    let made = try await SmallTable(Self.schema)
    #expect(try made.table.properties.columnOwners().isComplete)
    var properties = made.table.properties
    properties.entries["tarn.columns.owned"] = nil
    #expect(try !properties.columnOwners().isComplete)
    for line in ["%", "%4", "%zz", "%FF"] {
      properties.entries["tarn.column.a"] = line
      #expect(throws: TimelineError.self) { try properties.columnOwners() }
    }
    properties.entries["tarn.column.a"] = "x"
    properties.entries["tarn.column.b"] = "x"
    #expect(throws: TimelineError.self) { try properties.columnOwners() }
  }

  @Test func namesOfAnyTextComeBackFromTheProperties() async throws {
    var random = SeededGenerator(seed: 7)
    var owners = ColumnOwners()
    for number in 0..<300 {
      var name = String.UnicodeScalarView()
      for _ in 0..<random.below(8) {
        let scalar = Unicode.Scalar(UInt32(random.below(random.oneIn(3) ? 0x11_0000 : 0x100)))
        if let scalar { name.append(scalar) }
      }
      _ = owners.note(String(name), owns: "c_\(number)")
    }
    var properties = TableProperties(name: "t", recordKeyFields: ["id"])
    properties.set(owners)
    let again = try TableProperties(parsing: properties.bytes(isNew: true, now: 0))
    #expect(try again.columnOwners() == owners)
    #expect(
      try again.columnOwners().pairs.map { Array($0.name.utf8) } == owners.pairs.map { Array($0.name.utf8) })
  }

  @Test func kindsOfValuesAreStoredWithTheWriteThatNeedsThem() async throws {
    let storage = InMemoryStorage()
    let made = try await SmallTable(Self.schema, storage: storage)
    func properties() async throws -> TableProperties {
      try await Table.open(at: .storage(storage, name: "memory/small")).properties
    }
    var owners = try made.table.properties.columnOwners()
    owners.note(["SS"], of: "tags")
    owners.note(["N", "S"], of: "a")
    try await made.table.remembering(owners).upsert(Self.batch("1"))
    var stored = try await properties().columnOwners()
    #expect(stored.kinds(of: "tags") == ["SS"] && stored.kinds(of: "a") == ["N", "S"])
    #expect(stored.kinds(of: "id").isEmpty)
    stored.note(["L"], of: "tags")
    try await made.table.remembering(stored).upsert(Self.batch("2"))
    #expect(try await properties().entries["tarn.kinds.tags"] == "L,SS")
    // What another writer has noted meanwhile stays.
    try await made.table.remembering(owners).upsert(Self.batch("3"))
    #expect(try await properties().columnOwners().kinds(of: "tags") == ["L", "SS"])
  }
}
