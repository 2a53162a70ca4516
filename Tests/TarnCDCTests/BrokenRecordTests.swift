import Foundation
import TarnBytes
import TarnCDC
import TarnColumns
import TarnCompression
import TarnTestSupport
import Testing

/// Takes records as they are written.
private struct TextConsumer: RecordConsumer {
  let shape: RecordShape
  var texts: [[UInt8]] = []
  var rejected = 0

  init(_ shape: RecordShape) { self.shape = shape }

  func isFull(limit: Int) -> Bool { false }
  mutating func noteRejected() { rejected += 1 }

  @_lifetime(scanner: copy scanner)
  mutating func take(_ scanner: inout JSONScanner) throws(RejectionReason) {
    scanner.skipWhitespace()
    let start = scanner.offset
    if shape == .changeRecord {
      var record = ChangeRecord()
      try record.scan(&scanner)
    } else {
      do {
        try scanner.beginObject()
        while try scanner.nextKey() != nil { try scanner.skipValue() }
      } catch {
        throw .notJSON(BrokenJSON(error))
      }
    }
    texts.append(scanner.raw(start..<scanner.offset).copied())
  }
}

@Suite("Broken records among others")
struct BrokenRecordTests {
  /// Checks that all bytes but blanks are in records that were taken or rejected, each once and in their order.
  private func checkWhole(_ bytes: [UInt8], _ taken: [[UInt8]], _ rejected: [RejectedRecord], _ place: String)
  {
    var position = 0
    var (taken, rejected) = (taken[...], rejected[...])
    while true {
      while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]),
        rejected.first?.offset != position
      { position += 1 }
      guard position < bytes.count else { break }
      let isRejected = rejected.first?.offset == position
      let next = (isRejected ? rejected.popFirst()?.bytes : taken.popFirst()) ?? []
      guard !next.isEmpty, bytes[position...].starts(with: next) else {
        Issue.record("\(place): bytes at \(position) are neither taken nor rejected")
        return
      }
      position += next.count
    }
    #expect(taken.isEmpty && rejected.isEmpty, "\(place)")
  }

  private static func changes(_ count: Int, _ random: inout SeededGenerator) -> [[UInt8]] {
    (0..<count).map { index in
      let text = ["plain", "}{", #"\"x\":{"#, #"{\"eventID\":"#, #"\n{"#][random.below(5)]
      let image =
        #""t":{"S":"\#(text)"},"m":{"M":{"tableName":{"S":"x"},"dynamodb":{"L":[{"M":{}},{"N":"1"}]}}}"#
      return Array(change(id: "\(index)", new: image, old: random.oneIn(2) ? image : nil).utf8)
    }
  }

  private static func rows(_ count: Int, _ random: inout SeededGenerator) -> [[UInt8]] {
    (0..<count).map { index in
      let text = ["plain", "}{", #"\"id\":{"#, #"\n{"#][random.below(4)]
      return Array(#"{"id":\#(index),"t":"\#(text)","l":[{"id":-1},{"id":-2}],"o":{"id":-3}}"#.utf8)
    }
  }

  /// A record that is none any more, or another one.
  private static func broken(_ record: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = record
    let place = random.below(bytes.count)
    func one(_ wanted: UInt8) -> Int? {
      bytes.indices.filter { bytes[$0] == wanted }.randomElement(using: &random)
    }
    switch random.below(9) {
    case 0: bytes.removeSubrange(place...)
    case 1: bytes.removeSubrange(..<place)
    case 2: for _ in 0...random.below(4) { bytes[random.below(bytes.count)] ^= UInt8(1 << random.below(8)) }
    case 3: if let quote = one(0x22) { bytes.remove(at: quote) }
    case 4: bytes.insert(0x22, at: place)
    case 5: if let brace = one(0x7d) { bytes.remove(at: brace) }
    case 6: if let brace = one(0x7b) { bytes.remove(at: brace) }
    case 7: bytes.insert(contentsOf: (0..<random.below(40)).map { _ in UInt8(random.below(256)) }, at: place)
    default: bytes.replaceSubrange(place..., with: [UInt8](repeating: 0, count: bytes.count - place))
    }
    return bytes
  }

  /// Breaks some of the records, and gives what was read to a body.
  private func search(
    _ seed: Int, _ shape: RecordShape, _ make: (Int, inout SeededGenerator) -> [[UInt8]],
    _ check: (_ whole: [[UInt8]], _ broken: [Int: [UInt8]], _ taken: [[UInt8]], _ separator: String) -> Void
  ) async throws {
    var random = SeededGenerator(seed: UInt64(seed))
    for separator in ["", "\n", " ", "\r\n"] {
      let whole = make(12, &random)
      var records = whole
      var broken: [Int: [UInt8]] = [:]
      for place in Set((0..<3).map { _ in random.below(records.count) }).sorted() {
        records[place] = Self.broken(records[place], &random)
        broken[place] = records[place]
      }
      let bytes = Array(records.joined(separator: Array(separator.utf8)))
      for chunk in [7, 1_000, 1 << 20] {
        var consumer = TextConsumer(shape)
        let rejected = try await readAll([("a", bytes)], into: &consumer, chunk: chunk)
        checkWhole(bytes, consumer.texts, rejected, "separator \(separator.debugDescription), chunk \(chunk)")
        #expect(consumer.rejected == rejected.reduce(0) { $0 + $1.records })
        check(whole, broken, consumer.texts, separator)
      }
    }
  }

  @Test("Every byte is found again, and every change record behind a broken one is taken", arguments: 0..<40)
  func changeRecords(seed: Int) async throws {
    try await search(seed, .changeRecord, Self.changes) { whole, broken, taken, separator in
      for (index, record) in whole.enumerated() where broken[index] == nil {
        #expect(
          taken.contains(record), "record \(index) is not taken, separator \(separator.debugDescription)")
      }
    }
  }

  @Test(
    "Every byte is found again, and of rows without line ends at most the one right behind a broken one is not taken",
    arguments: 0..<40)
  func plainRows(seed: Int) async throws {
    try await search(1_000 + seed, .object, Self.rows) { whole, broken, taken, separator in
      for (index, row) in whole.enumerated() where broken[index] == nil {
        let follows = broken[index - 1] != nil && !separator.hasSuffix("\n")
        #expect(
          follows || taken.contains(row), "row \(index) is not taken, separator \(separator.debugDescription)"
        )
      }
      // What stands within a row is never taken for one, unless nothing of that row is before it.
      for text in taken where text.starts(with: #"{"id":-"#.utf8) {
        #expect(
          broken.values.contains { $0.starts(with: text) },
          "\(broken.values.map { String(decoding: $0, as: UTF8.self) })")
      }
    }
  }

  @Test("A long passage comes in pieces, and what follows is taken")
  func pieces() async throws {
    let good = Array(change(id: "1", new: "").utf8)
    let junk = [[UInt8]](repeating: Array("\u{e9}x".utf8), count: 3_000_000).flatMap { $0 }
    let bytes = good + Array(#"{"eventID":\q"#.utf8) + junk + good + good
    var consumer = TextConsumer(.changeRecord)
    let rejected = try await readAll([("a", bytes)], into: &consumer)
    checkWhole(bytes, consumer.texts, rejected, "long")
    #expect(consumer.texts == [good, good, good])
    #expect(rejected.count >= 3 && rejected.allSatisfy { $0.bytes.count <= RejectedRecord.keptBytes })
    #expect(rejected.map(\.records) == [1] + [Int](repeating: 0, count: rejected.count - 1))
    #expect(
      rejected.first?.continues == nil && rejected.dropFirst().allSatisfy { $0.continues == good.count })
    #expect(rejected.dropFirst().allSatisfy { $0.reason == .passedOver })
    #expect(rejected.allSatisfy { UTF8Text.isValid($0.bytes.span.bytes) })
    let letter = try JSONValue(parsing: rejected[1].jsonLine())
    #expect(letter["continues"]?.integer == good.count)
  }

  @Test("A row that cannot be taken and is long comes in pieces, too")
  func longRejected() async throws {
    let text = #"{"v":"\#(String(repeating: "x", count: 9_000_000))"}{"k":"a"}"#
    var builder = try RowBatchBuilder(
      schema: Schema([Field("k", .string), Field("v", .string)]), keyFields: ["k"])
    let rejected = try await readAll(text, into: &builder)
    #expect(rejected.flatMap(\.bytes) == Array(text.utf8.dropLast(9)))
    #expect(rejected.map(\.records) == [1, 0, 0] && builder.rejected == 1)
    #expect(try builder.finish().texts("k") == ["a"])
  }

  @Test("An object within a broken one that is written over several lines is no row")
  func severalLines() async throws {
    let row = """
      {
        "k": "a",
        "l": [
      { "k": "no" },
      { "k": "no" }
      ]
      }

      """
    var builder = try RowBatchBuilder(
      schema: Schema([Field("k", .string), Field("l", .string)]), keyFields: ["k"])
    let bytes = Array((row.replacingOccurrences(of: "\"a\"", with: "\"a") + row).utf8)
    let rejected = try await readAll([("a", bytes)], into: &builder)
    #expect(try builder.finish().texts("k") == ["a"])
    #expect(rejected.map { String(decoding: $0.bytes, as: UTF8.self) }.joined().hasSuffix("]\n}"))
  }

  @Test("A damaged part of several in a compressed file is an error, and no record is lost in silence")
  func damagedParts() async throws {
    let record = Array(change(id: "1", new: "").utf8)
    for (name, part) in [("a.gz", try Deflated.gzip(record)), ("a.zst", try Deflated.zstd(record))] {
      for place in part.indices {
        var bytes = part + part + part
        bytes[part.count + place] ^= 0x55
        var consumer = TextConsumer(.changeRecord)
        do {
          let rejected = try await readAll([(name, bytes)], into: &consumer)
          // A part's time or flags may be anything; what it holds is whole, or rejected.
          let count = consumer.texts.reduce(0) { $0 + $1.count } + rejected.reduce(0) { $0 + $1.bytes.count }
          #expect(count == 3 * record.count, "\(name) at \(place)")
        } catch let error as ChangeError where error.code == .compression {
          #expect(consumer.texts.count <= 2)
        }
      }
    }
  }

  @Test("Of nine thousand records without line ends, one of which is broken, all others are taken")
  func concatenated() async throws {
    let path = try TestWorld.requireShared("faults/c1h_concatenated_one_broken.json.gz")
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var builder = try ChangeBatchBuilder(
      schema: Schema([Field("id", .string), Field("v", .string)]), keyFields: ["id"])
    let rejected = try await readAll([("a.gz", bytes)], into: &builder)
    #expect(builder.counts.records == 8_999)
    #expect(rejected.count == 1 && rejected[0].bytes.count < 2_000)
    #expect(rejected[0].records == 1 && builder.counts.rejected == 1)
  }
}
