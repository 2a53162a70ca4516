import TarnBytes
import TarnCDC
import TarnColumns
import TarnStorage
import Testing

@Suite("Table exports")
struct ExportTests {
  private static let schema = Schema([Field("id", .string), Field("n", .int64)] + EventColumn.fields)
  private static let folder = "exports/AWSDynamoDB/0170-a1"

  /// An export of two data files and an empty one, with leftovers beside them.
  private func export(
    incremental: Bool = false, summary: String? = nil, checksums: Bool = true, items: Int = 1,
    at folder: String = folder
  ) async throws -> InMemoryStorage {
    let storage = InMemoryStorage()
    let data = incremental ? "exports/AWSDynamoDB/data" : "\(Self.folder)/data"
    let place =
      incremental
      ? folder.split(separator: "/").dropLast().map { $0 + "/" }.joined() + "data" : folder + "/data"
    let lines =
      incremental
      ? [
        #"{"Metadata":{"WriteTimestampMicros":{"N":"1700000000000001"}},"Keys":{"id":{"S":"a"}},"NewImage":{"id":{"S":"a"},"n":{"N":"1"}}}"#,
        #"{"Metadata":{"WriteTimestampMicros":{"N":"1700000000000002"}},"Keys":{"id":{"S":"b"}}}"#,
      ] : [#"{"Item":{"id":{"S":"a"},"n":{"N":"1"}}}"#, #"{"Item":{"id":{"S":"b"}}}"#]
    var manifest = ""
    for (name, text) in zip(["x", "y", "z"], lines + [""]) {
      let bytes = try Deflated.gzip(Array(text.utf8))
      try await storage.put(bytes, at: "\(place)/\(name).json.gz", if: .always)
      let md5 = Base64.encode(MD5.checksum(bytes.span.bytes))
      manifest +=
        "{\"itemCount\": \(text.isEmpty ? 0 : items), \"md5Checksum\": \"\(md5)\", \"etag\": \"e-1\", "
        + "\"dataFileS3Key\": \"\(data)/\(name).json.gz\"}\n"
    }
    try await storage.put(Array("leftover".utf8), at: "\(place)/failed.json", if: .always)
    let text =
      summary
      ?? "{\"version\":\"2020-06-30\",\"tableArn\":\"arn:aws:dynamodb:us-east-1:1:table/Orders\",\"outputFormat\":\"DYNAMODB_JSON\","
      + "\"exportTime\":\"2024-01-15T10:00:00.028Z\",\"exportType\":\"\(incremental ? "INCREMENTAL" : "FULL")_EXPORT\"}"
    for (name, text) in [("manifest-files", manifest), ("manifest-summary", text)] {
      let bytes = Array(text.utf8)
      try await storage.put(bytes, at: "\(folder)/\(name).json", if: .always)
      let md5 = Base64.encode(MD5.checksum(bytes.span.bytes))
      if checksums {
        try await storage.put(Array((md5 + "\n").utf8), at: "\(folder)/\(name).checksum", if: .always)
      }
    }
    return storage
  }

  /// What the export gives, as text.
  private func read(
    _ storage: InMemoryStorage, _ path: String = folder + "/manifest-summary.json", table: String? = nil,
    chunk: Int = 1 << 20
  ) async throws -> [String] {
    var options = RecordReader.Options()
    options.chunk = chunk
    let manifest = try await ExportManifest.read(in: storage, at: path)
    var reader = RecordReader(storage: storage, export: manifest, options: options)
    var builder = try ChangeBatchBuilder(schema: Self.schema, keyFields: ["id"], table: table)
    #expect(try await !reader.read(into: &builder, limit: 1_000))
    let batch = try builder.finish()
    guard batch.count > 0 else { return [] }
    let columns = ["id", "n", EventColumn.time].map { batch.rows.texts($0) }
    return (0..<batch.count).map { row in
      (batch.isDelete[row] ? "- " : "+ ") + columns.map { $0[row] }.joined(separator: " ")
    }
  }

  @Test(
    "A full export gives its items as of its time, from the files of its manifest alone",
    arguments: [1, 4096])
  func full(_ chunk: Int) async throws {
    let expected = ["+ a 1 1705312800028000", "+ b null 1705312800028000"]
    for checksums in [true, false] {
      let storage = try await export(checksums: checksums)
      #expect(try await read(storage, chunk: chunk) == expected)
      #expect(try await read(storage, Self.folder + "/manifest-files.json") == expected)
      #expect(try await read(storage, table: "Orders") == expected)
      #expect(try await read(storage, table: "Others").isEmpty)
    }
    // A copy whose folder is called otherwise, or is the storage itself.
    #expect(try await read(try await export(at: "copy"), "copy/manifest-summary.json") == expected)
    let found = try await ExportManifest.find(in: try await export(), folder: Self.folder)
    #expect(found == Self.folder + "/manifest-summary.json")
    #expect(try await ExportManifest.find(in: try await export(), folder: "exports") == nil)
  }

  @Test("An incremental export gives its changes, whose data lies beside its folder")
  func incremental() async throws {
    let expected = ["+ a 1 1700000000000001", "- b null 1700000000000002"]
    #expect(try await read(try await export(incremental: true)) == expected)
    let copy = try await export(incremental: true, at: "copies/one")
    #expect(try await read(copy, "copies/one/manifest-files.json") == expected)
    var reader = try await ChangeSource.reader(of: copy, under: "copies/one/manifest-summary.json")
    var inference = SchemaInference(.changeRecords)
    _ = try await reader.read(into: &inference, limit: 10)
    #expect(inference.keyFields == ["id"])
  }

  @Test("A damaged data file or manifest, and one that is missing, are errors that name it")
  func damaged() async throws {
    let data = Self.folder + "/data/y.json.gz"
    for (path, code) in [
      (data, ChangeError.Code.checksum), (Self.folder + "/manifest-files.json", .checksum),
      (Self.folder + "/manifest-summary.json", .checksum),
    ] {
      let storage = try await export()
      let other =
        path == data
        ? try Deflated.gzip(Array(#"{"Item":{"id":{"S":"c"}}}"#.utf8))
        : try await storage.readAll(path) + [0x0a]
      try await storage.put(other, at: path, if: .always)
      try await expect(code, path, of: storage)
    }
    let storage = try await export()
    try await storage.delete(data)
    try await expect(.storage, data, of: storage)
    let none = try await export()
    try await none.delete(Self.folder + "/manifest-files.json")
    try await expect(.storage, Self.folder + "/manifest-files.json", of: none)
  }

  @Test("A data file of another number of items than the manifest says is an error that names it")
  func itemCount() async throws {
    for count in [0, 2] {
      try await expect(.checksum, Self.folder + "/data/x.json.gz", of: try await export(items: count))
    }
    do {
      _ = try await read(try await export(items: 2))
    } catch let error as ChangeError {
      #expect(error.description.contains("it has 1 items, and the manifest says 2"))
    }
  }

  private func expect(
    _ code: ChangeError.Code, _ path: String, of storage: InMemoryStorage,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    do {
      _ = try await read(storage)
      Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch let error as ChangeError {
      #expect(error.code == code && error.path == path, "\(error)", sourceLocation: sourceLocation)
    }
  }

  @Test("Exports in Ion, and manifests that are none, are refused")
  func refused() async throws {
    let summary = Self.folder + "/manifest-summary.json"
    try await expect(.unsupportedFormat, summary, of: try await export(summary: #"{"outputFormat":"ION"}"#))
    for text in ["{", "[]x", #"{"outputFormat":"CSV"}"#, #"{"exportTime":"soon"}"#] {
      try await expect(.manifest, summary, of: try await export(summary: text))
    }
    for line in [
      "x", "{}", #"{"dataFileS3Key":"a/b.gz"}"#, #"{"dataFileS3Key":"AWSDynamoDB/0170/../x.gz"}"#,
      #"{"dataFileS3Key":"AWSDynamoDB/0170/data/x.gz","md5Checksum":"abc"}"#,
    ] {
      let storage = try await export(checksums: false)
      try await storage.put(Array(line.utf8), at: Self.folder + "/manifest-files.json", if: .always)
      try await expect(.manifest, Self.folder + "/manifest-files.json", of: storage)
    }
  }
}
