import Foundation
import TarnBytes
import TarnCDC
import TarnColumns
import TarnCompression
import TarnStorage
import TarnTestSupport
import Testing

@Suite("Records in files")
struct RecordReaderTests {
  static let schema = Schema([Field("id", .string), Field("n", .int64)])

  static func builder() throws -> ChangeBatchBuilder {
    try ChangeBatchBuilder(schema: schema, keyFields: ["id"])
  }

  @Test("Objects are found with and without line ends between them, whatever the size of the reads")
  func boundaries() async throws {
    let records = (0..<20).map { change(id: "é\($0)", new: "\"n\":{\"N\":\"\($0)\"}") }
    for separator in ["", "\n", "\r\n", " \n\n\t"] {
      for chunk in [1, 2, 3, 7, 64, 1000, 1 << 20] {
        var builder = try Self.builder()
        let rejected = try await readAll(
          records.joined(separator: separator), into: &builder, chunk: chunk)
        #expect(rejected.isEmpty)
        let batch = try builder.finish()
        #expect(batch.rows.texts("n") == (0..<20).map { "\($0)" })
        #expect(batch.rows.texts("id").last == "é19")
      }
    }
  }

  @Test("A broken line is reported with its place, and reading goes on behind it")
  func brokenLines() async throws {
    let good = change(id: "1", new: "\"n\":{\"N\":\"1\"}")
    let bad = [
      "not json", "{\"eventName\":", good + "}", "{\"a\":1,", "[1,2]", "42", "\"text\"", "{\"a\":\"\u{1}\"}",
      String(good.dropLast(10)), "{\"a\":\"\\ud800\"}", "{\"a\":01}", "nul", "}",
    ]
    for chunk in [1, 5, 100, 1 << 20] {
      for line in bad {
        var builder = try Self.builder()
        let text = "\n\(good)\n\(line)\n\(good)\n"
        let rejected = try await readAll(text, into: &builder, chunk: chunk)
        let before = line == good + "}" ? good.utf8.count : 0
        #expect(builder.counts.records == (before > 0 ? 3 : 2), "\(line)")
        #expect(rejected.count == 1)
        #expect(builder.counts.rejected == 1)
        #expect(rejected.first?.line == 3)
        #expect(rejected.first?.offset == 2 + good.utf8.count + before)
        #expect(rejected.first?.source == "in.jsonl")
        #expect(
          rejected.first.map { String(decoding: $0.bytes, as: UTF8.self) }
            == String(line.utf8.dropFirst(before)))
        #expect(rejected.first?.reason.code == .notJSON, "\(rejected)")
      }
    }
  }

  @Test("JSON that is no change record is rejected alone, even within its line")
  func strangeRecords() async throws {
    let good = change(id: "1", new: "")
    let cases: [(String, String)] = [
      ("{}", "eventName is missing"), ("{\"eventName\":\"INSERT\"}", "dynamodb is missing"),
      ("{\"eventName\":\"UPSERT\",\"dynamodb\":{\"Keys\":{}}}", "UPSERT"),
      ("{\"eventName\":7,\"dynamodb\":{\"Keys\":{}}}", "not a string"),
      ("{\"eventName\":\"INSERT\",\"dynamodb\":{}}", "neither Keys nor an image"),
      ("{\"eventName\":\"INSERT\",\"dynamodb\":[]}", "not an object"),
      (change("INSERT"), "without NewImage"), (change("MODIFY", old: ""), "without NewImage"),
      (change(new: "\"n\":{\"N\":1}"), "attribute \"n\" of NewImage"),
      (change(new: "\"n\":{\"S\":\"a\",\"N\":\"1\"}"), "more than one type tag"),
      (change(new: "\"n\":{\"Q\":\"a\"}"), "\"Q\""), (change(new: "\"n\":{}"), "without type tag"),
      (change(new: "\"n\":3"), "exactly one type tag"),
      (change(new: "\"n\":{\"NULL\":false}"), "only be true"),
      (change(new: "\"n\":{\"N\":\"x\"}"), "no number"),
      (change(new: "\"n\":{\"N\":\"1\"},\"n\":{\"N\":\"1\"}"), "twice"),
      (change(new: "\"n\":{\"N\":\"1\"}", keys: "[]"), "Keys is array"),
      ("{\"eventName\":\"REMOVE\",\"dynamodb\":{\"Keys\":{\"other\":{\"S\":\"1\"}}}}", "key column id"),
      (change("REMOVE", keys: "{\"id\":{\"NULL\":true}}"), "key column id"),
    ]
    for (line, reason) in cases {
      var builder = try Self.builder()
      let rejected = try await readAll(good + line + good + "\n", into: &builder)
      #expect(builder.counts.records == 2, "\(line)")
      #expect(rejected.count == 1)
      #expect(rejected.first?.reason.description.contains(reason) == true, "\(rejected)")
      #expect(rejected.first.map { String(decoding: $0.bytes, as: UTF8.self) } == line)
      #expect(try builder.finish().count == 2)
    }
  }

  @Test("By default the first rejected record is the error")
  func failFast() async throws {
    let storage = InMemoryStorage()
    try await storage.put(Array("{}\n".utf8), at: "x", if: .always)
    var builder = try Self.builder()
    var reader = RecordReader(storage: storage, paths: ["x"])
    do {
      _ = try await reader.read(into: &builder, limit: 10)
      Issue.record("nothing was thrown")
    } catch {
      #expect("\(error)".contains("x, line 1 (offset 0): not a change record"))
    }
  }

  @Test("A record beyond the limit is rejected and the next line read", arguments: [16, 1 << 20])
  func tooLong(_ chunk: Int) async throws {
    let good = change(id: "1", new: "")
    let long = change(id: "2", new: "\"t\":{\"S\":\"\(String(repeating: "x", count: 5000))\"}")
    var builder = try Self.builder()
    let text = "\(good)\n\(long)\n\(good)\n"
    let rejected = try await readAll(
      [("a", Array(text.utf8))], into: &builder, chunk: chunk, recordLimit: 1000)
    // A record that one read brings whole is taken all the same.
    #expect(builder.counts.records == (chunk == 16 ? 2 : 3))
    #expect(rejected.map(\.line) == (chunk == 16 ? [2] : []))
    #expect(rejected.allSatisfy { $0.reason == .tooLong(limit: 1000) })
  }

  @Test("gzip and zstd files are decompressed, by their names or their first bytes", arguments: [1, 4096])
  func compressed(_ chunk: Int) async throws {
    let lines = (0..<50).map { change(id: "\($0)", new: "\"n\":{\"N\":\"\($0)\"}") }
    let text = Array(lines.joined().utf8)
    let gzip = try Deflated.gzip(text)
    let zstd = try Deflated.zstd(text)
    for (path, bytes) in [
      ("a.gz", gzip), ("a.zst", zstd), ("a", gzip), ("b", zstd), ("c.gz", gzip + gzip), ("d.zst", gzip),
      ("e.gz", text),
      ("f.zst", Array("\u{feff}\n".utf8) + text),
    ] {
      var builder = try Self.builder()
      let rejected = try await readAll([(path, bytes)], into: &builder, chunk: chunk)
      #expect(rejected.isEmpty)
      #expect(builder.counts.records == (path == "c.gz" ? 100 : 50))
    }
  }

  @Test("A compressed file that is cut off is an error, never a rejected record")
  func truncated() async throws {
    let text = Array(change(id: "1", new: "").utf8)
    for (path, bytes) in [("a.gz", try Deflated.gzip(text)), ("a.zst", try Deflated.zstd(text))] {
      for length in 0..<bytes.count {
        var builder = try Self.builder()
        do {
          _ = try await readAll([(path, Array(bytes.prefix(length)))], into: &builder)
          // An empty file is no gzip file, but zstd allows no frames at all.
          #expect(length == 0, "\(path) cut at \(length)")
        } catch let error as ChangeError where error.code == .compression {
          #expect(error.path == path)
        }
      }
    }
  }

  @Test(
    "A folder gives its files in the order of their paths, without hidden ones, markers and Parquet files")
  func folders() async throws {
    let storage = InMemoryStorage()
    for path in [
      "in/2024/01/b.gz", "in/2024/01/a", "in/x.jsonl", "in/.hidden", "in/.tmp/c.gz", "in/readme.txt",
      "in/y.json",
      "in/z.zst", "inner/q.gz", "odd.txt", "in/my.stream-1-2024-01-31-00-00-00-7f", "in/_SUCCESS",
      "in/_temporary/0/d", "in/.x.jsonl.crc", "in/x.jsonl.crc",
    ] {
      try await storage.put([], at: path, if: .always)
    }
    try await storage.put(Array("PAR1....PAR1".utf8), at: "in/rows", if: .always)
    let expected = [
      "in/2024/01/a", "in/2024/01/b.gz", "in/my.stream-1-2024-01-31-00-00-00-7f", "in/readme.txt",
      "in/x.jsonl",
      "in/y.json", "in/z.zst",
    ]
    #expect(try await ChangeSource.files(in: storage, under: "in") == expected)
    #expect(
      try await ChangeSource.list(in: storage, under: "in").left == [
        "in/.hidden", "in/.tmp/c.gz", "in/.x.jsonl.crc", "in/_SUCCESS", "in/_temporary/0/d", "in/rows",
        "in/x.jsonl.crc",
      ])
    #expect(try await ChangeSource.files(in: storage, under: "in/") == expected)
    #expect(try await ChangeSource.files(in: storage, under: "odd.txt") == ["odd.txt"])
    await #expect(throws: ChangeError.self) { try await ChangeSource.files(in: storage, under: "absent") }
  }

  @Test("No flipped byte of a record crashes the reader")
  func mutations() async throws {
    let record = change(
      "MODIFY", id: "é1",
      new: #""n":{"N":"12.50"},"m":{"M":{"a":{"L":[{"NS":["1","2"]},{"B":"AQ=="}]}}},"t":{"S":"\u00e9\n"}"#,
      old: #""n":{"N":"1"}"#)
    let schema = Schema(
      [
        Field("id", .string), Field("n", .decimal(precision: 10, scale: 2)), Field("m", .string),
        Field("t", .string),
      ] + EventColumn.fields)
    let bytes = Array((record + record).utf8)
    var builder = try ChangeBatchBuilder(schema: schema, keyFields: ["id"], partitionFields: ["n"])
    var inference = SchemaInference(.changeRecords)
    for index in 0..<bytes.count / 2 {
      for flip: UInt8 in [0x01, 0x20, 0x80, 0xff, bytes[index] ^ 0x22, bytes[index] ^ 0x7d] {
        var broken = bytes
        broken[index] ^= flip
        _ = try await readAll([("a", broken)], into: &builder, chunk: 97)
        _ = try await readAll([("a", broken)], into: &inference)
      }
    }
    let batch = try builder.finish()
    #expect(batch.count >= builder.counts.records)
  }

  @Test("A dead letter is one line of JSON, with the text or base64")
  func deadLetter() throws {
    let text = RejectedRecord(
      source: "a\"b", line: 3, offset: 17, reason: .missingKey(column: "id"), bytes: Array("{\"x\":\n1".utf8))
    let parsed = try JSONValue(parsing: text.jsonLine())
    #expect(parsed["source"]?.string == "a\"b")
    #expect(parsed["line"]?.integer == 3)
    #expect(parsed["offset"]?.integer == 17)
    #expect(parsed["record"]?.string == "{\"x\":\n1")
    #expect(text.jsonLine().filter { $0 == 0x0a }.count == 1)
    var binary = text
    binary.bytes = [0xff, 0x00]
    #expect(try JSONValue(parsing: binary.jsonLine())["record"]?.string == "/wA=")
    #expect(try JSONValue(parsing: binary.jsonLine())["encoding"]?.string == "base64")
  }

  @Test("A file that is replaced or grows while it is read is an error", arguments: [0, 1_000])
  func changing(_ more: Int) async throws {
    let storage = InMemoryStorage()
    let text = (0..<50).map { change(id: "\($0)", new: "") }.joined(separator: "\n")
    try await storage.put(Array(text.utf8), at: "x", if: .always)
    var options = RecordReader.Options()
    options.chunk = 256
    var builder = try Self.builder()
    var reader = RecordReader(storage: storage, paths: ["x"], options: options)
    #expect(try await reader.read(into: &builder, limit: 5))
    try await storage.put(Array(text.utf8) + [UInt8](repeating: 0x0a, count: more), at: "x", if: .always)
    do {
      _ = try await reader.read(into: &builder, limit: 1_000)
      Issue.record("nothing was thrown")
    } catch {
      #expect("\(error)".contains("x: it changed while it was read"))
    }
  }
}
