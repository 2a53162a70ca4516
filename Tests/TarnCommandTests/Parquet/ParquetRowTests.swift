import Foundation
import TarnBytes
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

@Suite("Rows of Parquet files that no table can take")
struct ParquetRowTests {
  private static let schema = Schema([Field("id", .string), Field("note", .string), Field("n", .int64)])

  /// A file with rows `k0` to `k5`: the notes of `k1` and `k4` are not UTF-8, and row 3 has no key.
  private static func file(_ name: String, in tool: Tool) async throws {
    var ids = ColumnBuilder(.string)
    var notes = ByteStrings()
    var numbers = ColumnBuilder(.int64)
    for row in 0..<6 {
      if row == 3 { ids.appendNulls() } else { try ids.append("k\(row)") }
      let note = row % 3 == 1 ? [0x61, 0xff] : Array("ö\(row)".utf8)
      try notes.append(note.span.bytes)
      numbers.append(Int64(row))
    }
    let batch = try RecordBatch(
      schema: schema,
      columns: [ids.finish(), try Column(type: .string, values: .bytes(notes)), numbers.finish()])
    let storage = LocalStorage(root: tool.folder)
    var writer = try ParquetWriter(
      schema: schema, to: try await storage.writer(at: name),
      options: ParquetWriteOptions(rowGroupRows: 2, pageRows: 2))
    try await writer.append(batch)
    _ = try await writer.finish()
  }

  private static let letters = [
    #"{"source":"rows.parquet","row":2,"reason":"column note is not UTF-8, which other engines cannot read: mend it, or keep such bytes in a column of type binary","record":"{\"id\":\"k1\",\"note\":\"Yf8=\",\"n\":1}","base64":["note"]}"#,
    #"{"source":"rows.parquet","row":4,"reason":"it has no record key: column id is null","record":"{\"id\":null,\"note\":\"ö3\",\"n\":3}"}"#,
    #"{"source":"rows.parquet","row":5,"reason":"column note is not UTF-8, which other engines cannot read: mend it, or keep such bytes in a column of type binary","record":"{\"id\":\"k4\",\"note\":\"Yf8=\",\"n\":4}","base64":["note"]}"#,
  ]

  @Test("They end the command, and the first is named", arguments: ["upsert", "insert"])
  func fail(verb: String) async throws {
    try await Tool.inFolder { tool in
      try await Self.file("rows.parquet", in: tool)
      let words = ["rows.parquet, row 2: column note is not UTF-8"]
      try await tool.fail(verb, "t", "--create", "--key", "id", "--from", "rows.parquet", saying: words)
      #expect(!tool.exists("t/.hoodie"))
      try tool.write("one.jsonl", #"{"id":"old","note":"x","n":9}"#)
      try await tool.succeed("upsert", "t", "--create", "--key", "id", "--from", "one.jsonl")
      try await tool.fail(verb, "t", "--from", "rows.parquet", saying: words)
      #expect(try await tool.succeed("count", "t").output == "1\n")
    }
  }

  @Test(
    "Or they go to the dead letters, and the others are taken",
    arguments: ["upsert", "insert"], [false, true])
  func deadLetters(verb: String, isNew: Bool) async throws {
    try await Tool.inFolder { tool in
      try await Self.file("rows.parquet", in: tool)
      if !isNew {
        try tool.write("one.jsonl", #"{"id":"k0","note":"x","n":9}"#)
        try await tool.succeed(
          "insert", "t", "--create", "--key", "id", "--from", "one.jsonl", "--no-sync")
        try await tool.succeed("delete", "t", "--key", "k0", "--no-sync")
      }
      let outcome = try await tool.succeed(
        verb, "t", "--create", "--key", "id", "--from", "rows.parquet", "--on-error", "dead-letter", "dead")
      #expect(outcome.errors.contains("3 inserted"))
      #expect(outcome.errors.contains("3 to the dead letters"))
      let found = String(decoding: try tool.bytes(of: tool.path("dead")), as: UTF8.self)
      #expect(found.split(separator: "\n").map(String.init) == Self.letters)
      let rows = try await tool.succeed("read", "t", "--select", "id,note").rows.sorted()
      #expect(
        rows == [
          #"{"id":"k0","note":"ö0"}"#, #"{"id":"k2","note":"ö2"}"#, #"{"id":"k5","note":"ö5"}"#,
        ])
    }
  }

  @Test("Letters of Parquet files and of JSON lines stand in one file")
  func bothKinds() async throws {
    try await Tool.inFolder { tool in
      try await Self.file("rows.parquet", in: tool)
      try tool.write("rows.jsonl", "{\"id\":\"j\",\"note\":\"fine\",\"n\":1}\nnonsense\n")
      let outcome = try await tool.succeed(
        "upsert", "t", "--create", "--key", "id", "--from", "rows.parquet", "rows.jsonl", "--on-error",
        "dead-letter", "dead")
      #expect(outcome.errors.contains("4 inserted") && outcome.errors.contains("4 to the dead letters"))
      let found = String(decoding: try tool.bytes(of: tool.path("dead")), as: UTF8.self)
        .split(separator: "\n").map(String.init)
      #expect(found.count == 4 && Set(Self.letters).isSubset(of: found))
      #expect(found.contains { $0.contains("not JSON") })
    }
  }

  @Test("A public file with such text is refused, and the check finds it")
  func publicFile() async throws {
    let shared = try TestWorld.requireShared("faults/invalid_utf8_nonkey.parquet")
    try await Tool.inFolder { tool in
      try FileManager.default.copyItem(atPath: shared, toPath: tool.path("rows.parquet"))
      let check = try await tool.run("parquet", "check", "rows.parquet")
      #expect(check.status == 1 && check.output.contains("is not UTF-8"))
      let columns = try await ParquetFile.open(LocalStorage(root: tool.folder), path: "rows.parquet").schema
        .names
      try await tool.fail(
        "upsert", "t", "--create", "--key", columns[0], "--from", "rows.parquet", saying: ["is not UTF-8"])
      #expect(!tool.exists("t/.hoodie"))
    }
  }
}
