import Foundation
import TarnBytes
import TarnIndex
import TarnTestSupport
import Testing

@Suite("Bucket index") struct BucketIndexTests {
  static func bucket(
    _ key: String, of count: Int, _ fields: [String], _ rule: BucketIndex.KeyRule = .hudi0
  ) throws -> Int {
    let index = try #require(BucketIndex(count: count, hashFields: fields, rule: rule))
    return index.bucket(ofKey: Array(key.utf8).span.bytes)
  }

  /// Keys, settings, and what Hudi 0.15 answered for them.
  @Test(
    "Keys fall into the buckets that Hudi 0.15 puts them in",
    arguments: [
      ("TXN-001", 256, ["id"], 77), ("TXN-001", 4, ["id"], 1), ("1", 256, ["id"], 80),
      ("a:1,b:Alice", 256, ["a", "b"], 16), ("a:1,b:Alice", 4, ["a", "b"], 0),
      ("2024-01-01T00:00:00Z", 7, ["id"], 1), ("arn:aws:s3,x", 7, ["id"], 4),
      ("a:__null__,b:__empty__", 7, ["a", "b"], 2), ("a:1,b:2", 7, ["a"], 3), ("a:1,b:2", 7, ["b"], 4),
      ("a:1,b:2", 7, ["b", "a"], 3), ("a:1,2,b:x:y", 7, ["a", "b"], 5), ("a:1,b:", 7, ["a", "b"], 2),
      ("a:,b:", 7, ["a", "b"], 2), ("x,", 7, ["id"], 1), (",,", 7, ["id"], 4), (":", 7, ["id"], 1),
      (":,", 7, ["id"], 1), ("a:", 7, ["id"], 1), ("a:é,b:😀", 7, ["a", "b"], 3), ("z", 1, ["id"], 0),
      ("0b6c2c0e-7d0c-4b51-9d3b-0d8f5a6b1c2d", 999_999, ["id"], 946_695),
    ])
  func buckets(_ key: String, _ count: Int, _ fields: [String], _ expected: Int) throws {
    #expect(try Self.bucket(key, of: count, fields) == expected)
  }

  /// Keys, settings, and what Hudi 1.2 answered for them.
  @Test(
    "Keys fall into the buckets that Hudi 1.2 puts them in, where that differs",
    arguments: [
      ("TXN-001", 256, ["id"], 77), ("a:1,b:Alice", 256, ["a", "b"], 16),
      ("2024-01-01T00:00:00Z", 7, ["id"], 6), ("a:1,2,b:x:y", 7, ["a", "b"], 5),
      ("a:1:2,b:x", 7, ["a", "b"], 3), ("a:1:2,3,b:x", 7, ["a", "b"], 6), ("a:,b:", 7, ["a", "b"], 2),
    ])
  func newerBuckets(_ key: String, _ count: Int, _ fields: [String], _ expected: Int) throws {
    #expect(try Self.bucket(key, of: count, fields, .hudi1) == expected)
  }

  @Test("Counts out of range make no index")
  func counts() {
    for count in [Int.min, -1, 0, 1_000_000, Int.max] {
      #expect(BucketIndex(count: count, hashFields: ["id"]) == nil)
    }
  }

  @Test("File ids begin with the bucket's number in eight digits")
  func fileIDs() throws {
    var random = SeededGenerator(seed: 1)
    let id = BucketIndex.fileID(bucket: 77, using: &random)
    #expect(id.hasPrefix("00000077-") && id.hasSuffix("-0") && id.utf8.count == 38)
    #expect(BucketIndex.bucket(ofFileID: id) == 77)
    #expect(BucketIndex.bucket(ofFileID: "00000003-b037-4532-a9df-3c5b05dd823d-0") == 3)
    for other in ["", "0000007", "0000007a-b037-4532-a9df-3c5b05dd823d-0", "12345678-b037", "+0000001-b037"] {
      #expect(BucketIndex.bucket(ofFileID: other) == nil, "\(other)")
    }
    #expect(BucketIndex.isBucketed(fileIDs: [id, "00000003-b"]))
    #expect(!BucketIndex.isBucketed(fileIDs: [id, "c0000003-b"]))
    #expect(!BucketIndex.isBucketed(fileIDs: []))
  }

  @Test(
    "Every row of the tables that Spark bucketed lies in its bucket",
    arguments: ["v6/cow-bucket", "v9/mor-bucket"])
  func sparkTables(_ table: String) throws {
    let path = try TestWorld.requireShared("spark-tables/\(table)/snapshot.jsonl")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let count = table == "v6/cow-bucket" ? 4 : 3
    var rows = 0
    for line in text.split(separator: "\n") {
      let key = try #require(Self.value(of: "_hoodie_record_key", in: line))
      let file = try #require(Self.value(of: "_hoodie_file_name", in: line))
      #expect(try Self.bucket(key, of: count, ["id"]) == BucketIndex.bucket(ofFileID: file))
      rows += 1
    }
    #expect(rows > 20)
  }

  static func value(of name: String, in line: Substring) -> String? {
    guard let start = line.range(of: "\"\(name)\":\"") else { return nil }
    return line[start.upperBound...].split(separator: "\"").first.map(String.init)
  }
}
