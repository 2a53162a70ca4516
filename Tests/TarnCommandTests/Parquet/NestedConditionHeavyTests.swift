import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import Testing

@Suite("Rows of long lists chosen by a condition", .serialized)
struct NestedConditionHeavyTests {
  private static let rows = 16_384
  private static let length = 300

  private func time(_ tool: Tool, _ more: [String]) async throws -> Duration {
    let begun = ContinuousClock.now
    try await tool.runToFile("out", ["parquet", "cat", "lists.parquet", "--format", "jsonl"] + more)
    return ContinuousClock.now - begun
  }

  @Test("A condition that leaves out a single row takes at most twice as long as none")
  func oneRowLess() async throws {
    let count = Self.rows * Self.length
    let elements = try Column(type: .int64, values: .int64((0..<Int64(count)).map { $0 &* 7 % 1_000 }))
    let list = try Column(
      type: .list(Field("element", .int64)),
      values: .list(offsets: (0...Self.rows).map { Int32($0 * Self.length) }, elements: elements))
    let ids = try Column(type: .int64, values: .int64((0..<Int64(Self.rows)).map { $0 }))
    let batch = try RecordBatch(
      schema: Schema([Field("id", .int64), Field("list", list.type)]), columns: [ids, list])
    try await Tool.inFolder { tool in
      let target = try await LocalStorage(root: tool.folder).writer(at: "lists.parquet")
      var writer = try ParquetWriter(schema: batch.schema, to: target)
      try await writer.append(batch)
      _ = try await writer.finish()
      // In turns, and again where other tests took the processor from one of them: the least of each is compared.
      var (all, chosen) = (Duration.seconds(3_600), Duration.seconds(3_600))
      for turn in 0..<12 where turn < 3 || chosen >= all * 2 {
        all = min(all, try await time(tool, []))
        chosen = min(chosen, try await time(tool, ["--where", "id != 3"]))
      }
      #expect(chosen < all * 2, "\(chosen) with the condition, \(all) without")
    }
  }
}
