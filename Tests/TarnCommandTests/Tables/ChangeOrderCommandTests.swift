import TarnTestSupport
import Testing

/// Late and tied changes, and those of keys alone, behind an attribute that updates do not raise.
@Suite("The order of changes behind an attribute") struct ChangeOrderCommandTests {
  /// What the records of a stream carry, by its view type.
  enum View: String, CaseIterable, Sendable {
    case keysOnly = "KEYS_ONLY"
    case newImage = "NEW_IMAGE"
    case oldImage = "OLD_IMAGE"
    case both = "NEW_AND_OLD_IMAGES"

    var hasNew: Bool { self == .newImage || self == .both }
    var hasOld: Bool { self == .oldImage || self == .both }
  }

  /// A record of DynamoDB Streams, whose times are of whole seconds, so that its sequence number decides.
  private static func record(
    _ name: String, _ sequence: Int, _ view: View, price: String? = nil, second: Int = 1_700_000_000
  ) -> String {
    let image = { (price: String) in
      "{\"id\":{\"S\":\"1\"},\"at\":{\"N\":\"5\"},\"price\":{\"S\":\"\(price)\"}}"
    }
    var body =
      "\"ApproximateCreationDateTime\":\(second),\"Keys\":{\"id\":{\"S\":\"1\"}},"
      + "\"SequenceNumber\":\"\(sequence)\",\"StreamViewType\":\"\(view.rawValue)\""
    if view.hasNew, let price { body += ",\"NewImage\":\(image(price))" }
    if view.hasOld, name != "INSERT" { body += ",\"OldImage\":\(image("before"))" }
    return "{\"eventID\":\"e\(sequence)\",\"eventName\":\"\(name)\",\"dynamodb\":{\(body)}}\n"
  }

  private static func ingest(_ tool: Tool, _ records: String) async throws -> String {
    try tool.write("changes.jsonl", records)
    return try await tool.succeed("ingest", "t", "--changes", "changes.jsonl").errors
  }

  private static func create(
    _ tool: Tool, _ records: String, orderedBy column: String = "_event_time"
  ) async throws -> String {
    try tool.write("changes.jsonl", records)
    return try await tool.succeed(
      "ingest", "t", "--changes", "changes.jsonl", "--create", "--order-by", column
    ).errors
  }

  @Test(
    "Late removals and changes of every view type leave a newer row, and a newer removal stays",
    arguments: View.allCases)
  func views(view: View) async throws {
    try await Tool.inFolder { tool in
      let made = try await Self.create(
        tool, Self.record("INSERT", 100, .both, price: "a"), orderedBy: "at")
      #expect(made.contains("1 inserted"))
      #expect(
        try await tool.succeed("show", "t").output.contains(
          #""tie_breakers":["_event_time","_event_sequence"]"#))
      #expect(
        try await Self.ingest(tool, Self.record("MODIFY", 1_000, .both, price: "b")).contains("1 updated"))
      // Late, and tied in the attribute and in the time.
      #expect(try await Self.ingest(tool, Self.record("REMOVE", 999, view)).contains("0 deleted, 1 stale"))
      if view.hasNew {
        let late = try await Self.ingest(tool, Self.record("MODIFY", 200, view, price: "c"))
        #expect(late.contains("0 updated, 0 deleted, 1 stale"))
      }
      let again = try await Self.ingest(tool, Self.record("MODIFY", 1_000, .both, price: "b"))
      #expect(again.contains("1 duplicate"))
      #expect(try await tool.succeed("read", "t", "--select", "price").output == "{\"price\":\"b\"}\n")
      #expect(try await Self.ingest(tool, Self.record("REMOVE", 1_001, view)).contains("1 deleted"))
      if view.hasNew {
        #expect(
          try await Self.ingest(tool, Self.record("MODIFY", 1_000, view, price: "d")).contains("1 stale"))
        #expect(
          try await Self.ingest(tool, Self.record("INSERT", 1_002, view, price: "e")).contains("1 inserted"))
      }
    }
  }

  @Test("Times of whole seconds beside finer ones are told")
  func precisions() async throws {
    try await Tool.inFolder { tool in
      let finer = Self.record("INSERT", 2, .both, price: "b")
        .replacing("1700000000", with: "1700000000.5")
      let told = try await Self.create(tool, Self.record("INSERT", 1, .both, price: "a") + finer)
      #expect(told.contains("1 records have times of whole seconds"))
    }
  }

  @Test("Columns that break ties are named when a table is created, and cannot be others later")
  func creation() async throws {
    try await Tool.inFolder { tool in
      try tool.write("rows.jsonl", "{\"id\":\"1\",\"at\":1,\"n\":1}\n")
      _ = try await tool.succeed(
        "upsert", "t", "--from", "rows.jsonl", "--create", "--key", "id", "--order-by", "at", "--then-by", "n"
      )
      try tool.write("rows.jsonl", "{\"id\":\"1\",\"at\":1,\"n\":0}\n")
      #expect(try await tool.succeed("upsert", "t", "--from", "rows.jsonl").errors.contains("1 stale"))
      try await tool.fail(
        "upsert", "t", "--from", "rows.jsonl", "--create", "--then-by", "at", saying: ["--then-by"])
    }
  }
}
