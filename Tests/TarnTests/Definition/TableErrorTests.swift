import Tarn
import TarnColumns
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

@Suite("What an error of a table says") struct TableErrorTests {
  private static let schema = Schema([Field("id", .string), Field("count", .int32)])

  private static func rows(_ ids: String?...) throws -> RecordBatch {
    var id = ColumnBuilder(.string)
    for value in ids { if let value { try id.append(value) } else { id.appendNulls() } }
    let count = column(.int32) { for index in ids.indices { $0.append(Int32(index)) } }
    return try batch(["id": id.finish(), "count": count])
  }

  /// What an upsert throws whose storage fails at one of its calls, for each of them.
  private static func failures(_ code: StorageError.Code) async throws -> [TableError] {
    var found: [TableError] = []
    for call in 1...200 {
      let storage = InMemoryStorage()
      _ = try await SmallTable(schema, storage: storage)
      let fault = FaultStorage(wrapping: storage, crashAtCall: call, code: code, staysDown: false)
      do {
        let table = try await Table.open(at: .storage(fault, name: "memory/small"))
        try await table.upsert(try rows("a", "b"))
      } catch let error as TableError { found.append(error) }
      if !fault.hasFailed { break }
    }
    return found
  }

  @Test(
    "A full disk and a refusal are told from other failures, with path and cause",
    arguments: [
      (StorageError.Code.noSpace, TableError.Code.noSpace), (.permissionDenied, .permissionDenied),
      (.cancelled, .cancelled), (.failed, .storage),
    ])
  func codes(_ code: StorageError.Code, _ expected: TableError.Code) async throws {
    let errors = try await Self.failures(code)
    #expect(errors.count > 10)
    for error in errors where error.code != .outcomeUnknown {
      #expect(error.code == expected, "\(error)")
      #expect(error.cause != nil, "\(error)")
      // What lists the whole table is at no path.
      #expect(error.path?.isEmpty == false || "\(error)".contains("list failed"), "\(error)")
    }
    #expect(errors.contains { $0.table == "small" })
    #expect(errors.contains { ($0.cause as? TimelineError)?.cause is StorageError })
  }

  @Test("A row that cannot be taken is named, and why")
  func rows() async throws {
    let small = try await SmallTable(Self.schema)
    let error = try await #require(throws: TableError.self) {
      try await small.table.upsert(try Self.rows("a", nil))
    }
    #expect(error.code == .badRow)
    #expect(error.row == 1)
    #expect(error.table == "small")
    guard let cause = error.cause as? ColumnError, cause.code == .refused, cause.row == 1 else {
      Issue.record("\(String(describing: error.cause))")
      return
    }
  }

  @Test("Of rows of a Swift type the column is named too")
  func columns() async throws {
    struct Row: Codable {
      var id: String
      var count: String
    }
    let small = try await SmallTable(Self.schema)
    let error = try await #require(throws: TableError.self) {
      try await small.table.upsert([Row(id: "a", count: "many")])
    }
    #expect(error.code == .badRow)
    #expect(error.row == 0)
    #expect(error.column == "count")
  }

  @Test("What a function of the caller's throws is the cause")
  func functions() async throws {
    struct Refusal: Error {}
    let small = try await SmallTable(Self.schema)
    try await small.table.upsert(try Self.rows("a"))
    let error = try await #require(throws: TableError.self) {
      try await small.table.upsert(try Self.rows("a")) { _, _ in throw Refusal() }
    }
    #expect(error.code == .badRow)
    #expect(error.cause is Refusal)
  }

  @Test("A kind can be switched over, and has a name")
  func kinds() {
    let text =
      switch TableError(.noSpace, "the disk is full").code {
      case .noSpace, .permissionDenied: "call somebody"
      case .conflict: "try again"
      default: "give up"
      }
    #expect(text == "call somebody")
    #expect("\(TableError.Code.outcomeUnknown)" == "outcomeUnknown")
  }
}
