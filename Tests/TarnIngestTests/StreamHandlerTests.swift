import Tarn
import TarnBytes
import TarnCDC
import TarnColumns
import TarnIngest
import TarnStorage
import TarnTestSupport
import Testing

@Suite struct StreamHandlerTests {
  private let storage = InMemoryStorage()

  /// An empty table of `id`, `n` and the columns of the event, ordered by the event's time.
  private func table(_ storage: (any Storage)? = nil) async throws -> Table {
    var settings = TableSettings()
    let clock = SteppedClock()
    settings.now = { clock.now() }
    settings.runsServices = false
    return try await Table.create(
      at: .storage(storage ?? self.storage, name: "memory/orders"),
      schema: Schema([Field("id", .string), Field("n", .int64)] + EventColumn.fields), recordKey: ["id"],
      orderedBy: EventColumn.time, settings: settings)
  }

  private func rows(_ table: Table) async throws -> [String] {
    var rows: [String] = []
    for try await batch in try await table.snapshot() {
      let (id, n) = (try #require(batch["id"]), try #require(batch["n"]))
      for row in 0..<batch.count {
        guard case .bytes(let ids) = id.values, case .int64(let numbers) = n.values else { continue }
        rows.append("\(ids.string(row))=\(n.isNull(row) ? "null" : "\(numbers[row])")")
      }
    }
    return rows.sorted()
  }

  /// A change record of the Kinesis shape.
  private func change(_ name: String, _ id: String, _ n: String? = nil, time: Int, extra: String = "")
    -> String
  {
    let image = n.map { ",\"NewImage\":{\"id\":{\"S\":\"\(id)\"},\"n\":\($0)\(extra)}" } ?? ""
    return "{\"eventID\":\"e\(time)\",\"eventName\":\"\(name)\",\"tableName\":\"Orders\",\"dynamodb\":{"
      + "\"ApproximateCreationDateTime\":\(1_705_312_800_000_000 + time),\"Keys\":{\"id\":{\"S\":\"\(id)\"}}\(image),"
      + "\"ApproximateCreationDateTimePrecision\":\"MICROSECOND\"}}"
  }

  private func number(_ value: Int) -> String { "{\"N\":\"\(value)\"}" }

  /// Kinesis's event; the sequence numbers are 100, 101 and so on.
  private func kinesis(_ records: [String]) -> [UInt8] {
    let elements = records.enumerated().map { index, text in
      "{\"kinesis\":{\"partitionKey\":\"p\",\"sequenceNumber\":\"\(100 + index)\",\"data\":\""
        + "\(Base64.encode(Array(text.utf8)))\"},\"eventSource\":\"aws:kinesis\"}"
    }
    return Array("{\"Records\":[\(elements.joined(separator: ","))]}".utf8)
  }

  private func text(_ answer: StreamAnswer) -> String { String(decoding: answer.bytes, as: UTF8.self) }

  private let all = "{\"batchItemFailures\":[]}"

  @Test("An event is one commit, and the same event again changes nothing")
  func commit() async throws {
    let table = try await table()
    let handler = StreamHandler(table)
    let event = kinesis([
      change("INSERT", "a", number(1), time: 1), change("INSERT", "b", number(2), time: 2),
      change("MODIFY", "a", number(3), time: 4), change("MODIFY", "a", number(9), time: 3),
      change("REMOVE", "b", time: 5),
    ])
    let answer = try await handler.handle(event)
    #expect(text(answer) == all)
    #expect(answer.commit?.instant != nil)
    #expect(answer.counts.records == 5)
    #expect(try await rows(table) == ["a=3"])
    let again = try await handler.handle(event)
    #expect(text(again) == all)
    #expect(try await rows(table) == ["a=3"])
    let late = try await handler.handle(kinesis([change("INSERT", "b", number(7), time: 4)]))
    #expect(text(late) == all)
    #expect(try await rows(table) == ["a=3"])
  }

  @Test(
    "A sequence number that is no number is none, since files are called by it",
    arguments: ["../x", "", "7a"])
  func noNumber(_ number: String) async throws {
    let table = try await table()
    let event = "{\"Records\":[{\"kinesis\":{\"sequenceNumber\":\"\(number)\",\"data\":\"eA==\"}}]}"
    var handler = StreamHandler(table)
    handler.badRecords = .deadLetters(storage, folder: "dead")
    let before = try await storage.listAll(prefix: "").objects.map(\.path)
    await #expect(throws: ChangeError.self) { try await handler.handle(Array(event.utf8)) }
    #expect(try await storage.listAll(prefix: "").objects.map(\.path) == before)
  }

  @Test("Records of DynamoDB Streams are taken, and named by their own sequence numbers")
  func dynamoDB() async throws {
    let table = try await table()
    let good = """
      {"eventName":"INSERT","eventSource":"aws:dynamodb","dynamodb":{"ApproximateCreationDateTime":1705312800,\
      "Keys":{"id":{"S":"a"}},"NewImage":{"id":{"S":"a"},"n":{"N":"1"}},"SequenceNumber":"7"}}
      """
    let bad = good.replacing("\"1\"", with: "\"x\"").replacing("\"7\"", with: "\"8\"")
    let answer = try await StreamHandler(table).handle(Array("{\"Records\":[\(good),\(bad),\(good)]}".utf8))
    #expect(text(answer) == "{\"batchItemFailures\":[{\"itemIdentifier\":\"8\"}]}")
    #expect(answer.failure is RejectionReason)
    #expect(try await rows(table) == ["a=1"])
  }

  @Test(
    "The records before a bad one are committed, and it is answered",
    arguments: ["not json", "{\"a\":1}", "misfit", "null"])
  func badRecord(_ what: String) async throws {
    let table = try await table()
    let bad =
      switch what {
      case "misfit": change("INSERT", "c", "{\"S\":\"x\"}", time: 3)
      // A row without ordering value is one that the table itself refuses.
      case "null": "{\"eventName\":\"INSERT\",\"dynamodb\":{\"NewImage\":{\"id\":{\"S\":\"\"}}}}"
      default: what
      }
    let event = kinesis([
      change("INSERT", "a", number(1), time: 1), bad, change("INSERT", "b", number(2), time: 2),
    ])
    let answer = try await StreamHandler(table).handle(event)
    #expect(answer.failedSequenceNumber == "101")
    #expect(answer.commit?.instant != nil)
    #expect(try await rows(table) == ["a=1"])

    let first = try await StreamHandler(table).handle(kinesis([bad]))
    #expect(first.failedSequenceNumber == "100")
    #expect(first.commit == nil)
  }

  @Test("Bad records go to a file of the event where that is wanted, and the others are committed")
  func deadLetters() async throws {
    let table = try await table()
    let letters = InMemoryStorage()
    var handler = StreamHandler(table)
    handler.badRecords = .deadLetters(letters, folder: "dead")
    let event = kinesis([
      change("INSERT", "a", number(1), time: 1), "not json", change("INSERT", "b", number(2), time: 2),
      change("INSERT", "c", "{\"S\":\"x\"}", time: 3),
    ])
    for _ in 0..<2 {
      let answer = try await handler.handle(event)
      #expect(text(answer) == all)
      #expect(answer.deadLetters.map(\.number) == [2, 4])
      #expect(try await rows(table) == ["a=1", "b=2"])
      let stored = try await letters.get("dead/100.jsonl", limit: 1 << 20)
      #expect(stored.bytes.count { $0 == 0x0a } == 2)
    }
  }

  @Test("New attributes become columns, and records of other tables are passed over")
  func columns() async throws {
    let table = try await table()
    var handler = StreamHandler(table)
    handler.dynamoDBTable = "Orders"
    let event = kinesis([
      change("INSERT", "a", number(1), time: 1, extra: ",\"city\":{\"S\":\"Oslo\"}"),
      change("INSERT", "b", number(2), time: 2).replacing("Orders", with: "Others"),
    ])
    let answer = try await handler.handle(event)
    #expect(text(answer) == all)
    #expect(answer.counts.otherTables == 1)
    #expect(try await table.schema().names.contains("city"))
    #expect(try await rows(table) == ["a=1"])
  }

  @Test("A storage that fails leaves all of the event to be handed over again")
  func failure() async throws {
    let table = try await table()
    let faulty = FaultStorage(wrapping: storage, crashAtCall: 8)
    let broken = try await Table.open(at: .storage(faulty, name: "memory/orders"), settings: table.settings)
    let answer = try await StreamHandler(broken).handle(kinesis([change("INSERT", "a", number(1), time: 1)]))
    #expect(answer.failedSequenceNumber == "100")
    #expect(answer.failure != nil)
    #expect(answer.commit == nil)
    #expect(try await rows(table) == [])
  }

  @Test("An event without records has nothing to answer")
  func empty() async throws {
    #expect(text(try await StreamHandler(try await table()).handle(Array("{\"Records\":[]}".utf8))) == all)
  }

  @Test(
    "Bytes that are no event are an error", arguments: ["", "{}", "{\"Records\":[{}]}", "{\"Records\":[1]}"])
  func noEvent(_ text: String) async throws {
    let handler = StreamHandler(try await table())
    await #expect { try await handler.handle(Array(text.utf8)) } throws: {
      ($0 as? ChangeError)?.code == .event
    }
  }
}
