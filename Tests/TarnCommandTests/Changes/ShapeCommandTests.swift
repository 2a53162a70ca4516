import TarnBytes
import TarnCompression
import TarnTestSupport
import Testing

@Suite("Shapes of change records on the command line")
struct ShapeCommandTests {
  @Test("A shape that is named is what records must have")
  func shape() async throws {
    try await Tool.inFolder { tool in
      // Each tells by its members that it is the one, and could be the other.
      let both = #"{"Op":"I","event_name":"REMOVE","id":"a"}"#
      try tool.write("in", both)
      let outcome = try await tool.succeed(
        "ingest", "t", "--create", "--key", "id", "--changes", "in", "--shape", "dms")
      #expect(outcome.errors.contains("1 inserted"), "\(outcome.errors)")
      for (shape, expected) in [
        (
          "dms",
          #"{"eventName":"INSERT","dynamodb":{"NewImage":{"event_name":{"S":"REMOVE"},"id":{"S":"a"}}}"#
        ),
        ("event-name", #"{"eventName":"REMOVE","dynamodb":{"OldImage":{"Op":{"S":"I"},"id":{"S":"a"}}}"#),
      ] {
        let lines = try await tool.succeed("changes", "convert", "in", "--shape", shape)
        #expect(lines.rows == [expected + #","eventSource":"aws:dynamodb"}"#])
      }
      let wrong = try await tool.run("ingest", "x", "--create", "--changes", "in", "--shape", "debezium")
      #expect(wrong.status == 1 && wrong.errors.contains("op is missing"), "\(wrong.errors)")
      let unknown = try await tool.run("ingest", "x", "--changes", "in", "--shape", "json")
      #expect(unknown.status == 64)
      #expect(
        unknown.errors.contains("dynamodb, export, debezium, dms, event-name are expected"),
        "\(unknown.errors)")
    }
  }

  /// Writes an export of data files under `exports/AWSDynamoDB`.
  private func export(
    _ tool: Tool, incremental: Bool, _ files: [(name: String, lines: String, count: Int)],
    without: String? = nil
  ) throws {
    let root = "exports/AWSDynamoDB"
    let data = incremental ? "\(root)/data" : "\(root)/017-a/data"
    var manifest = ""
    for file in files {
      var compressed: [UInt8] = []
      var compressor = Compressor()
      try compressor.gzip(Array(file.lines.utf8).span.bytes, into: &compressed)
      if file.name != without { try tool.write("\(data)/\(file.name).json.gz", compressed) }
      let md5 = Base64.encode(MD5.checksum(compressed.span.bytes))
      manifest +=
        #"{"itemCount":\#(file.count),"md5Checksum":"\#(md5)","dataFileS3Key":"\#(data)/\#(file.name).json.gz"}"#
        + "\n"
    }
    try tool.write("\(root)/017-a/manifest-files.json", manifest)
    try tool.write(
      "\(root)/017-a/manifest-summary.json",
      #"{"tableArn":"arn:aws:dynamodb:r:1:table/Orders","outputFormat":"DYNAMODB_JSON","#
        + #""exportTime":"2024-01-15T10:00:00.028Z","exportType":"\#(incremental ? "INCREMENTAL" : "FULL")_EXPORT"}"#
    )
  }

  private static let items = [
    (
      name: "x", lines: #"{"Item":{"id":{"S":"a"},"n":{"N":"1"}}}"# + "\n" + #"{"Item":{"id":{"S":"b"}}}"#,
      count: 2
    ),
    (name: "y", lines: "", count: 0),
  ]

  @Test("Full exports are ingested by their folder or their manifest, as of their time")
  func fullExport() async throws {
    try await Tool.inFolder { tool in
      try export(tool, incremental: false, Self.items)
      let folder = "exports/AWSDynamoDB/017-a"
      for (table, source) in [("t", folder), ("u", folder + "/manifest-summary.json")] {
        try await tool.succeed(
          "ingest", table, "--create", "--key", "id", "--changes", source, "--table", "Orders")
        let rows = try await tool.succeed("read", table, "--select", "id,n,_event_name,_event_time")
        #expect(
          rows.rows == [
            #"{"id":"a","n":1,"_event_name":"INSERT","_event_time":"2024-01-15T10:00:00.028000Z"}"#,
            #"{"id":"b","n":null,"_event_name":"INSERT","_event_time":"2024-01-15T10:00:00.028000Z"}"#,
          ])
      }
      let shown = try await tool.succeed("changes", "show", folder)
      #expect(shown.output.contains(#""tables":[{"name":"Orders","records":2}]"#))
    }
  }

  @Test("Incremental exports change what the full one left")
  func incrementalExport() async throws {
    try await Tool.inFolder { tool in
      try export(tool, incremental: false, Self.items)
      try await tool.succeed(
        "ingest", "t", "--create", "--key", "id", "--changes", "exports/AWSDynamoDB/017-a")
      try export(
        tool, incremental: true,
        [
          (
            name: "z",
            lines: #"{"Metadata":{"WriteTimestampMicros":{"N":"1800000000000001"}},"Keys":{"id":{"S":"a"}}}"#
              + #"{"Metadata":{"WriteTimestampMicros":{"N":"1800000000000002"}},"Keys":{"id":{"S":"c"}},"NewImage":{"id":{"S":"c"}}}"#,
            count: 2
          )
        ])
      let outcome = try await tool.succeed("ingest", "t", "--changes", "exports/AWSDynamoDB/017-a")
      #expect(outcome.errors.contains("1 inserted, 0 updated, 1 deleted"), "\(outcome.errors)")
      #expect(
        try await tool.succeed("read", "t", "--select", "id").rows == [#"{"id":"b"}"#, #"{"id":"c"}"#])
    }
  }

  @Test("A manifest that names a missing file, or another number of items, stops all, and says so")
  func brokenExport() async throws {
    try await Tool.inFolder { tool in
      try export(tool, incremental: false, Self.items, without: "y")
      for command in [["ingest", "t", "--create", "--key", "id", "--changes"], ["changes", "convert"]] {
        let missing = try await tool.run(command + ["exports/AWSDynamoDB/017-a"])
        #expect(missing.status == 1 && missing.complaints.count == 1)
        #expect(missing.errors.contains("017-a/data/y.json.gz"), "\(missing.errors)")
      }
      #expect(!tool.exists("t/.hoodie/hoodie.properties"))
      try export(tool, incremental: false, [(name: "x", lines: Self.items[0].lines, count: 3)])
      let less = try await tool.run(
        "ingest", "t", "--create", "--key", "id", "--changes", "exports/AWSDynamoDB/017-a")
      #expect(less.status == 1)
      #expect(
        less.errors.contains("x.json.gz: it has 2 items, and the manifest says 3"), "\(less.errors)")
    }
  }
}
