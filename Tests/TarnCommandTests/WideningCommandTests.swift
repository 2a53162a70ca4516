import TarnBytes
import Testing

@Suite("Columns that get wider")
struct WideningCommandTests {
  private func types(_ tool: Tool) async throws -> [String] {
    try await tool.succeed("schema", "t").rows.map {
      let row = try JSONValue(parsing: Array($0.utf8))
      return "\(row["column"]?.string ?? "") \(row["type"]?.string ?? "")"
    }
  }

  @Test("A column is widened by schema --widen, and by --widen where rows or changes need it")
  func widening() async throws {
    try await Tool.inFolder { tool in
      try tool.write(
        "t.avsc",
        #"{"type":"record","name":"t","fields":[{"name":"id","type":"string"},{"name":"n","type":["null","int"]},"#
          + #"{"name":"price","type":["null",{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}]}]}"#
      )
      try await tool.succeed("create", "t", "--key", "id", "--schema", "t.avsc")
      try tool.write("small.jsonl", #"{"id":"a","n":1,"price":"1.25"}"#)
      try await tool.succeed("upsert", "t", "--from", "small.jsonl", "--widen")
      #expect(try await types(tool) == ["id string", "n int", "price decimal(5,2)"])
      try tool.write("large.jsonl", #"{"id":"b","n":3000000000,"price":"123456.78"}"#)
      try await tool.fail("upsert", "t", "--from", "large.jsonl", saying: ["does not fit int", "--widen"])
      try await tool.succeed("upsert", "t", "--from", "large.jsonl", "--widen")
      #expect(try await types(tool) == ["id string", "n long", "price decimal(8,2)"])
      let widened = try await tool.succeed(
        "schema", "t", "--widen", "price=decimal(20,4)", "--widen", "n=decimal(19,0)")
      #expect(widened.errors.contains("widened t: instant"))
      #expect(try await types(tool) == ["id string", "n decimal(19,0)", "price decimal(20,4)"])
      try await tool.fail("schema", "t", "--widen", "n=int", saying: ["column n", "cannot become int"])
      #expect(try await tool.run("schema", "t", "--widen", "n").status == 64)
      #expect(
        try await tool.succeed("read", "t", "--select", "id,n,price").rows.sorted() == [
          #"{"id":"a","n":"1","price":"1.2500"}"#, #"{"id":"b","n":"3000000000","price":"123456.7800"}"#,
        ])
      let change =
        #"{"eventID":"e","eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1,"Keys":{"id":{"S":"c"}},"#
        + #""NewImage":{"id":{"S":"c"},"price":{"N":"12345678901234567890.5"}}}}"#
      try tool.write("change.jsonl", change)
      try await tool.succeed("ingest", "t", "--changes", "change.jsonl", "--widen")
      #expect(try await types(tool) == ["id string", "n decimal(19,0)", "price decimal(24,4)"])
    }
  }
}
