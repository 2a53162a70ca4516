import Foundation
import TarnBytes
import TarnTestSupport
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

  private static let columns =
    #"{"type":"record","name":"t","fields":[{"name":"id","type":"int"},{"name":"n","type":["null","int"]},"#
    + #"{"name":"m","type":["null","long"]},"#
    + #"{"name":"price","type":["null",{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}]}]}"#

  @Test("A fraction makes a decimal of a column of whole numbers, and gives a decimal more places")
  func fractions() async throws {
    try await Tool.inFolder { tool in
      try tool.write("t.avsc", Self.columns)
      try tool.write("whole.jsonl", #"{"id":1,"n":7,"m":9007199254740993,"price":"1.25"}"#)
      try await tool.succeed(
        "upsert", "t", "--create", "--key", "id", "--schema", "t.avsc", "--from", "whole.jsonl", "--widen")
      #expect(try await types(tool) == ["id int", "n int", "m long", "price decimal(5,2)"])
      try tool.write(
        "parts.jsonl", #"{"id":2,"n":1.5,"m":2}"# + "\n" + #"{"id":3,"n":"-2.125","price":0.0625}"# + "\n")
      try await tool.fail("upsert", "t", "--from", "parts.jsonl", saying: ["1.5 does not fit", "--widen"])
      try await tool.succeed("upsert", "t", "--from", "parts.jsonl", "--widen")
      #expect(try await types(tool) == ["id int", "n decimal(13,3)", "m long", "price decimal(7,4)"])
      let change =
        #"{"eventID":"e","eventName":"INSERT","dynamodb":{"ApproximateCreationDateTime":1,"Keys":{"id":{"N":"4"}},"#
        + #""NewImage":{"id":{"N":"4"},"m":{"N":"0.5"},"n":{"N":"1"}}}}"#
      try tool.write("change.jsonl", change)
      try await tool.succeed("ingest", "t", "--changes", "change.jsonl", "--widen")
      #expect(
        try await types(tool) == ["id int", "n decimal(13,3)", "m decimal(37,18)", "price decimal(7,4)"])
      #expect(
        try await tool.succeed("read", "t", "--select", "id,n,m,price").rows.sorted() == [
          #"{"id":1,"n":"7.000","m":"9007199254740993.000000000000000000","price":"1.2500"}"#,
          #"{"id":2,"n":"1.500","m":"2.000000000000000000","price":null}"#,
          #"{"id":3,"n":"-2.125","m":null,"price":"0.0625"}"#,
          #"{"id":4,"n":"1.000","m":"0.500000000000000000","price":null}"#,
        ])
    }
  }

  @Test("What no wider column would hold, or would change keys, is rejected still")
  func notEverything() async throws {
    try await Tool.inFolder { tool in
      try tool.write("t.avsc", Self.columns)
      try tool.write(
        "rows.jsonl",
        [
          #"{"id":1.5,"n":1}"#, #"{"id":2,"n":1e-60}"#, #"{"id":3,"n":"x"}"#, #"{"id":4,"n":true}"#,
          #"{"id":5,"n":0.5}"#,
        ].joined(separator: "\n"))
      try await tool.succeed(
        "upsert", "t", "--create", "--key", "id", "--schema", "t.avsc", "--from", "rows.jsonl", "--widen",
        "--on-error", "dead-letter", "letters.jsonl")
      #expect(try await types(tool) == ["id int", "n decimal(11,1)", "m long", "price decimal(5,2)"])
      #expect(try await tool.succeed("read", "t", "--select", "id,n").rows == [#"{"id":5,"n":"0.5"}"#])
      let letters = try String(contentsOfFile: tool.path("letters.jsonl"), encoding: .utf8)
      #expect(letters.split(separator: "\n").count == 4)
    }
  }

  @Test("A value that no type holds beside the others is rejected alone")
  func oddValuesBesideGoodOnes() async throws {
    try await Tool.inFolder { tool in
      try tool.write("t.avsc", Self.columns)
      try tool.write(
        "rows.jsonl",
        [
          #"{"id":1,"m":9007199254740993}"#, #"{"id":2,"m":1e-30}"#, #"{"id":3,"m":0.25}"#,
          #"{"id":4,"m":5.684341886080802e-14}"#, #"{"id":5,"n":"x","m":0.125}"#,
        ].joined(separator: "\n"))
      try await tool.succeed(
        "upsert", "t", "--create", "--key", "id", "--schema", "t.avsc", "--from", "rows.jsonl", "--widen",
        "--on-error", "dead-letter", "letters.jsonl")
      // What a rejected row asks for is not granted.
      #expect(try await types(tool) == ["id int", "n int", "m decimal(21,2)", "price decimal(5,2)"])
      #expect(
        try await tool.succeed("read", "t", "--select", "id,m").rows.sorted() == [
          #"{"id":1,"m":"9007199254740993.00"}"#, #"{"id":3,"m":"0.25"}"#,
        ])
    }
  }

  @Test("Of values that no type holds together the first is taken, and reading ends", .timeLimit(.minutes(1)))
  func valuesThatExcludeEachOther() async throws {
    try await Tool.inFolder { tool in
      try tool.write("t.avsc", Self.columns)
      let (small, large) = (#"{"id":1,"m":0.00001}"#, #"{"id":2,"m":1e35}"#)
      for (table, rows, type) in [
        ("a", [small, large], "decimal(24,5)"), ("b", [large, small], "decimal(36,0)"),
      ] {
        try tool.write("rows.jsonl", rows.joined(separator: "\n"))
        try await tool.succeed(
          "upsert", table, "--create", "--key", "id", "--schema", "t.avsc", "--from", "rows.jsonl", "--widen",
          "--on-error", "dead-letter", "letters-\(table)")
        let letters = try String(contentsOfFile: tool.path("letters-\(table)"), encoding: .utf8)
        #expect(letters.split(separator: "\n").count == 1)
        let schema = try await tool.succeed("schema", table).output
        #expect(schema.contains(type), "\(schema)")
        #expect(try await tool.succeed("count", table).output == "1\n")
      }
    }
  }

  @Test("A new table gets the types of its files, and --widen gives it no wider ones")
  func newTables() async throws {
    try await Tool.inFolder { tool in
      try tool.write("a.jsonl", #"{"id":1,"n":1}"#)
      try await tool.succeed("upsert", "a", "--create", "--key", "id", "--from", "a.jsonl")
      try await tool.runToFile("a.parquet", ["read", "a", "--select", "id,n", "--format", "parquet"])
      try tool.write("b.jsonl", #"{"id":2,"n":1.5}"#)
      try await tool.fail(
        "upsert", "t", "--create", "--key", "id", "--widen", "--from", "a.parquet", "b.jsonl",
        saying: ["1.5 does not fit"])
    }
  }
}
