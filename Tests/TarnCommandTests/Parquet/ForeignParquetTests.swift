import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

@Suite("Parquet files of others, and numbers that no table has, on the command line")
struct ForeignParquetTests {
  /// A file of two columns, taken apart.
  private func parts() async throws -> ParquetParts {
    var number = ColumnBuilder(.int64)
    var text = ColumnBuilder(.string)
    for row in 0..<60 {
      number.append(Int64(row))
      try text.append("text \(100 + row)")
    }
    let schema = Schema([Field("n", .int64), Field("s", .string)])
    let storage = InMemoryStorage()
    var options = ParquetWriteOptions(compression: .uncompressed, pageRows: 10)
    options.writesChecksums = false
    var writer = try ParquetWriter(schema: schema, to: try await storage.writer(at: "f"), options: options)
    try await writer.append(try RecordBatch(schema: schema, columns: [number.finish(), text.finish()]))
    _ = try await writer.finish()
    return try ParquetParts(try await storage.readAll("f"))
  }

  @Test(
    "A column that cannot be read is left out, with a line that says so, and is an error where it is selected"
  )
  func unreadable() async throws {
    var parts = try await parts()
    parts.changeMetadata(column: 0) { $0[4] = .int32(3) }
    let bytes = parts.bytes()
    try await Tool.inFolder { tool in
      try tool.write("f.parquet", bytes)
      let all = try await tool.succeed("parquet", "cat", "f.parquet", "--limit", "1", "--format", "jsonl")
      #expect(all.output == "{\"s\":\"text 100\"}\n")
      #expect(
        all.errors.contains("f.parquet: column n is left out: codec LZO is not supported"), "\(all.errors)")
      try await tool.fail(
        "parquet", "cat", "f.parquet", "--select", "n", saying: ["column n: codec LZO is not supported"])
      try await tool.fail(
        "parquet", "cat", "f.parquet", "--select", "s", "--where", "n = 1", saying: ["codec LZO"])
    }
  }

  @Test("A damaged column is an error that says how to read the others")
  func damaged() async throws {
    var parts = try await parts()
    // An encoding that there is not.
    parts.chunks[0][0].pages[2].header[5]?[2] = .int32(77)
    let bytes = parts.bytes()
    try await Tool.inFolder { tool in
      try tool.write("f.parquet", bytes)
      try await tool.fail(
        "parquet", "cat", "f.parquet", "--format", "jsonl",
        saying: ["f.parquet, column n, at byte ", "to leave the column out: --select s"])
      #expect(
        try await tool.succeed("parquet", "cat", "f.parquet", "--select", "s", "--format", "jsonl").rows.count
          == 60)
      let alone = try await tool.run("parquet", "cat", "f.parquet", "--select", "n")
      #expect(alone.status == 1 && !alone.errors.contains("to leave the column out"), "\(alone.errors)")
    }
  }

  @Test("A page index that contradicts the file is passed over, with a line that says so")
  func pageIndex() async throws {
    var parts = try await parts()
    parts.chunks[0][1].columnIndex?[1] = .list(Array(repeating: .boolean(true), count: 6), element: 1)
    let bytes = parts.bytes()
    try await Tool.inFolder { tool in
      try tool.write("f.parquet", bytes)
      let found = try await tool.succeed(
        "parquet", "cat", "f.parquet", "--where", "s = 'text 155'", "--format", "csv")
      #expect(found.output == "n,s\r\n55,text 155\r\n")
      #expect(
        found.complaints.count { $0.contains("f.parquet, column s: the page index is not used") } == 1,
        "\(found.errors)")
    }
  }

  @Test("Footers and commits that count more than there can be end in one line")
  func extremes() async throws {
    try await Tool.inFolder { tool in
      try tool.write("t.jsonl", "{\"id\":1,\"p\":\"a\"}\n{\"id\":2,\"p\":\"b\"}\n")
      try await tool.succeed(
        "upsert", "t", "--from", "t.jsonl", "--create", "--key", "id", "--partition-by", "p")
      let files = try await tool.succeed("files", "t", "--format", "csv").output.split(separator: "\r\n")
        .dropFirst().compactMap { $0.split(separator: ",").last.map(String.init) }
      try #require(files.count == 2)
      for name in files {
        let bytes = try tool.bytes(of: tool.path("t/" + name))
        let length = bytes.suffix(8).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        var start = bytes.count - 8 - length
        let begin = start
        var footer = try ThriftTree(parsing: bytes, at: &start)
        footer[3] = .int64(1 << 62)
        footer[4]?.elements[0][3] = .int64(1 << 62)
        let new = footer.bytes
        let size = stride(from: 0, to: 32, by: 8).map { UInt8(truncatingIfNeeded: new.count >> $0) }
        try tool.write("t/" + name, Array(bytes[..<begin]) + new + size + Array("PAR1".utf8))
      }
      try await tool.fail("count", "t", saying: ["more than 2^63 rows"])
      try await tool.fail("show", "t", saying: ["more than 2^63 rows"])
      #expect(try await tool.succeed("files", "t", "--format", "csv").output.contains("\(1 << 62)"))
      try await tool.fail("read", "t", saying: ["more than 2^31 rows"])
      #expect(try await tool.succeed("parquet", "show", "t/" + files[0]).output.contains("\(1 << 62) rows"))

      let commits = try tool.files(of: "t").filter { $0.hasPrefix(".hoodie/") && $0.hasSuffix(".commit") }
      try #require(commits.count == 1)
      let text = String(decoding: try tool.bytes(of: tool.path("t/" + commits[0])), as: UTF8.self)
      let largest = "\"numInserts\" : \(Int64.max)"
      let parts = text.split(separator: "\"numInserts\" : 1", omittingEmptySubsequences: false)
      try #require(parts.count == 3)
      try tool.write("t/" + commits[0], Array(parts.joined(separator: largest).utf8))
      try await tool.fail("timeline", "t", saying: ["add up to more than 2^63"])
    }
  }
}
