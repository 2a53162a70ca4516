import Foundation
import Synchronization
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

/// The most memory that a write or a reading takes of rows that are long, many, wide or all alike: what a budget allows
/// and 100 MB, beside the batch as its file has it.
@Suite(.serialized) struct MemoryHeavyTests {
  private static let budget = 64 << 20
  private static let besides = 100 << 20
  /// What libcurl and the libraries that it brings take in any process that is linked with them: 6.3 MB were measured.
  private static let libraries = 7 << 20

  /// A column of few long strings in a dictionary, which a row names by turns.
  private static func repeated(_ length: Int, _ kinds: Int, _ count: Int) throws -> Column {
    var generator = SeededGenerator(seed: UInt64(length))
    var strings = ByteStrings()
    for _ in 0..<kinds {
      var text: [UInt8] = []
      for _ in 0..<length { text.append(UInt8(0x61 + generator.below(26))) }
      try strings.append(String(decoding: text, as: UTF8.self))
    }
    let indices = (0..<count).map { UInt32($0 % kinds) }
    return try Column(
      type: .string,
      values: .dictionary(DictionaryStrings(indices: indices, entries: DictionaryStrings.Entries(strings))))
  }

  private static func keys(_ count: Int) throws -> Column {
    var builder = ColumnBuilder(.string)
    for row in 0..<count { try builder.append("key-\(row)") }
    return builder.finish()
  }

  /// Rows with a key, an ordering value, and a text.
  private static func rows(_ count: Int, from first: Int64 = 0, _ text: Column) throws -> RecordBatch {
    let keys = try Self.keys(count)
    let numbers = try Self.numbers(count, from: first)
    let fields = [Field("id", .string), Field("ts", .int64), Field("text", .string)]
    return try RecordBatch(schema: Schema(fields), columns: [keys, numbers, text])
  }

  /// Rows of so many columns of numbers beside those, which are random, or few.
  private static func wide(_ count: Int, _ width: Int, repeats: Bool) throws -> RecordBatch {
    var generator = SeededGenerator(seed: 6_000)
    var kinds: [Column] = []
    for kind in 1...16 {
      let values = (0..<count).map { row in
        repeats ? Int64(row * kind % 7) : Int64(bitPattern: generator.next()) >> 30
      }
      kinds.append(try Column(type: .int64, values: .int64(values)))
    }
    var batch = try rows(count, try repeated(10, 2, count))
    for number in 0..<width {
      batch.schema.fields.append(Field("c\(number)", .int64))
      batch.columns.append(kinds[number % 16])
    }
    return batch
  }

  /// Strings that begin differently and go on alike.
  private static func different(_ count: Int) throws -> Column {
    var texts = ColumnBuilder(.string)
    let filling = String(repeating: "all alike but for the begin, ", count: 700)
    for row in 0..<count { try texts.append("\(row) \(filling)") }
    return texts.finish()
  }

  private static func numbers(_ count: Int, from first: Int64 = 0) throws -> Column {
    try Column(type: .int64, values: .int64((0..<Int64(count)).map { $0 + first }))
  }

  /// A run of the program within the bound.
  private struct Step {
    var arguments: [String]
    /// Bytes of the batch that a write holds.
    var batch = 0
    /// The output, where it is looked at.
    var output: String?

    init(_ arguments: [String], batch: Int = 0, output: String? = nil) {
      self.arguments = arguments
      self.batch = batch
      self.output = output
    }

    static let budgeted = ["--no-sync", "--memory", "64M"]

    static func create(_ verb: String, _ table: String, batch: Int = 0) -> Step {
      Step(
        [verb, table, "--create", "--key", "id", "--order-by", "ts", "--from", "rows.parquet"] + budgeted,
        batch: batch)
    }

    static func upsert(_ table: String, from file: String, batch: Int = 0) -> Step {
      Step(["upsert", table, "--from", file] + budgeted, batch: batch)
    }

    static func update(_ table: String, where condition: String) -> Step {
      Step(["update", table, "--set", "ts = 5", "--where", condition] + budgeted)
    }

    static func count(_ table: String, where condition: String, is count: Int) -> Step {
      Step(["count", table, "--where", condition], output: "\(count)\n")
    }
  }

  private func write(_ batch: RecordBatch, to name: String, in tool: Tool) async throws {
    let target = try await LocalStorage(root: tool.folder).writer(at: name)
    var writer = try ParquetWriter(schema: batch.schema, to: target)
    try await writer.append(batch)
    _ = try await writer.finish()
  }

  private func run(_ tool: Tool, _ steps: [Step]) async throws {
    for step in steps {
      let (outcome, peak) = try await tool.runMeasured(step.arguments)
      let most = Self.budget + Self.besides + Self.libraries + step.batch
      try #require(outcome.status == 0, "\(step.arguments): \(outcome.errors)")
      #expect(peak > 1 << 20, "\(step.arguments)")
      #expect(peak < most, "\(step.arguments): \(peak >> 20) MiB, at most \(most >> 20)")
      if let output = step.output { #expect(outcome.output == output, "\(step.arguments)") }
    }
  }

  @Test(.enabled(if: Tool.measuresMemory))
  func longStringsThatRepeatAreNeverWrittenOutInMemory() async throws {
    let rows = try Self.rows(20_000, Self.repeated(20_000, 3, 20_000))
    let changed = try Self.rows(2, from: 1_000_000, Self.repeated(19_000, 2, 2))
    let newer = try Self.rows(1, from: 2_000_000, Self.repeated(18_000, 1, 1))
    try await Tool.inFolder { tool in
      try await write(rows, to: "rows.parquet", in: tool)
      try await write(changed, to: "changed.parquet", in: tool)
      try await write(newer, to: "newer.parquet", in: tool)
      // Made, spliced, and all of it found as it is.
      try await run(
        tool,
        [
          .create("upsert", "t"), .upsert("t", from: "changed.parquet"), .upsert("t", from: "rows.parquet"),
        ])
      try tool.changeCodec(of: "t")
      // Written anew, changed by a condition, and read: 400 MB of text.
      try await run(
        tool,
        [
          .upsert("t", from: "newer.parquet"), .update("t", where: "ts >= 100 and ts < 15000"),
          Step(["delete", "t", "--where", "ts > 15000 and ts < 15100"] + Step.budgeted),
          .count("t", where: "text > 'a'", is: 19_901), .count("t", where: "ts = 5", is: 14_901),
          Step(["read", "t", "--format", "parquet"]),
          Step(["read", "t", "--where", "ts < 50", "--select", "id,text", "--limit", "40"]),
        ])
    }
  }

  @Test(.enabled(if: Tool.measuresMemory))
  func aMillionRowsOfOneLongStringAreUpsertedLikeInserted() async throws {
    let rows = try Self.rows(1_000_000, Self.repeated(4_000, 1, 1_000_000))
    try await Tool.inFolder { tool in
      try await write(rows, to: "rows.parquet", in: tool)
      try await run(
        tool,
        [
          .create("insert", "i"), .count("i", where: "text is not null", is: 1_000_000),
          .create("upsert", "u", batch: rows.byteCount),
          .count("u", where: "text is not null", is: 1_000_000),
        ])
    }
  }

  @Test(.enabled(if: Tool.measuresMemory))
  func longStringsThatAllDifferAreTakenInStepsOfTheirBytes() async throws {
    let rows = try Self.rows(12_000, Self.different(12_000))
    // The batch is more for a moment, when what its columns were decoded to is put into its place.
    try await Tool.inFolder { tool in
      try await write(rows, to: "rows.parquet", in: tool)
      try await run(
        tool,
        [
          .create("insert", "t"), .upsert("t", from: "rows.parquet", batch: rows.byteCount / 2 * 3),
          .update("t", where: "ts >= 100"), .count("t", where: "ts = 5", is: 11_901),
          Step(["read", "t", "--format", "parquet"]),
        ])
    }
  }

  @Test(.enabled(if: Tool.measuresMemory), arguments: [false, true])
  func columnsByTheThousandHeedTheBudget(repeats: Bool) async throws {
    let rows = try Self.wide(repeats ? 3_000 : 600, 6_000, repeats: repeats)
    var one = rows.slice(5..<6)
    one.columns[1] = try Self.numbers(1, from: 9_000)
    let newer = one
    try await Tool.inFolder { tool in
      try await write(rows, to: "rows.parquet", in: tool)
      try await write(newer, to: "one.parquet", in: tool)
      // The batch as its file has it, and not as it is in memory.
      let batch = try tool.size(of: "rows.parquet")
      // But for numbers that repeat, which an upsert holds one by one.
      let held = repeats ? rows.byteCount : batch
      let changed = rows.count - 100 + 1
      try await run(
        tool,
        [
          .create("insert", "t", batch: batch), .upsert("t", from: "one.parquet"),
          .count("t", where: "ts >= \(rows.count - 1)", is: 2), .create("upsert", "u", batch: held),
          .upsert("u", from: "one.parquet"), .upsert("u", from: "rows.parquet", batch: held),
          .update("u", where: "ts >= 100"), .count("u", where: "ts = 5", is: changed),
        ])
      try tool.changeCodec(of: "u")
      try await run(
        tool, [.upsert("u", from: "one.parquet"), Step(["read", "u", "--format", "parquet"])])
    }
  }
}

/// The greatest of the numbers that a thread found.
private final class Peak: Sendable {
  private let held = Mutex(0)

  var most: Int { held.withLock { $0 } }

  /// Looks at a process again and again until it ends.
  func watch(_ process: Int32) {
    Thread.detachNewThread {
      while let found = Tool.peak(of: process) {
        self.held.withLock { $0 = max($0, found) }
        Thread.sleep(forTimeInterval: 0.001)
      }
    }
  }
}

extension Tool {
  /// Whether a process's memory can be asked of the system.
  static let measuresMemory = FileManager.default.fileExists(atPath: "/proc/self/status")

  /// The size of a file, in bytes.
  fileprivate func size(of name: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path(name))
    return try #require(attributes[.size] as? Int)
  }

  /// Makes a table's files such as are written anew at the next upsert.
  fileprivate func changeCodec(of table: String) throws {
    let path = path(table + "/.hoodie/hoodie.properties")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try (text + "tarn.codec=snappy\n").write(toFile: path, atomically: true, encoding: .utf8)
  }

  /// Runs the program, and tells the most memory that it had, in bytes.
  ///
  /// What the system tells of a process that has ended has this one's memory in it, as whose copy it began.
  func runMeasured(_ arguments: [String]) async throws -> (outcome: Outcome, peak: Int) {
    let peak = Peak()
    let outcome = try await run(arguments, begun: peak.watch)
    return (outcome, peak.most)
  }

  /// The most memory that a process had so far; nil once it has ended.
  fileprivate static func peak(of process: Int32) -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let size = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) }
      )
    else { return nil }
    return size << 10
  }
}
