import Tarn
import TarnColumns
import TarnExpressions
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// Writes by a condition into files whose page index is wrong: the rows that go are those for which it is true, or the
/// write says that the file is damaged.
@Suite struct UntrustedWriteTests {
  private static let count = 100

  private static func table() async throws -> SmallTable {
    var options = TableOptions()
    (options.tarn.pageRows, options.tarn.hasKeyIndex) = (10, false)
    let small = try await SmallTable(
      Schema([Field("id", .string), Field("n", .int64), Field("s", .string)]), options: options)
    try await small.table.insert(
      try batch([
        "id": column(.string) { for row in 0..<count { try $0.append("key-\(1_000 + row)") } },
        "n": column(.int64) { for row in 0..<count { $0.append(Int64(row)) } },
        "s": column(.string) { for row in 0..<count { try $0.append("a text of \(row)") } },
      ]))
    return small
  }

  private static func numbers(_ small: SmallTable) async throws -> [Int64] {
    guard case .int64(let values)? = try await small.rows()["n"]?.values else { return [] }
    return values.sorted()
  }

  @Test(arguments: 0..<40)
  func rowsThatAreNotMeantStay(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    let small = try await Self.table()
    let slice = try #require(try await small.table.snapshot().slices.first)
    let parts = try ParquetParts(try await small.storage.readAll(slice.path))
    let columns = try await ParquetFile.open(small.storage, path: slice.path).schema.names
    let number = try #require(columns.firstIndex(of: "n"))
    let (page, shift) = (1 + random.below(9), random.below(9) - 4)
    let isLost = random.oneIn(3)
    let bytes = parts.bytes { index, _, column in
      guard column == number else { return }
      if isLost {
        // The index begins with a later page, as if it were the first.
        index[1]?.elements.removeFirst(page)
        for (place, element) in (index[1]?.elements ?? []).enumerated() {
          _ = element
          index[1]?.elements[place][3] = .int64(place * 10)
        }
      } else {
        index[1]?.elements[page][3] = .int64(page * 10 + shift)
      }
    }
    try await small.storage.put(bytes, at: slice.path, if: .always)
    let table = try await Table.open(at: .storage(small.storage, name: "memory/small"))
    let (low, high) = (Int64(random.below(80)), Int64(1 + random.below(20)))
    let condition =
      Condition.column("n") >= Literal(integerLiteral: Int(low))
      && Condition.column("n") < Literal(integerLiteral: Int(low + high))
    let left = try? await table.delete(where: condition)
    let all = (0..<Int64(Self.count)).map { $0 }
    let expected = left == nil ? all : all.filter { !(low..<low + high).contains($0) }
    #expect(
      try await Self.numbers(small) == expected, "seed \(seed): \(isLost) \(page) \(shift) \(low) \(high)")
  }
}
