import TarnFileGroups
import TarnStorage
import TarnTestSupport
import Testing

/// What a write over a network keeps of the files that it reads.
@Suite struct KeptReadsTests {
  private static let path = "a/b.parquet"
  private static let content = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }

  private let storage = FaultStorage(wrapping: InMemoryStorage())
  private let kept: KeptReads

  init() async throws {
    kept = KeptReads(storage, limit: 10_000)
    try await kept.put(Self.content, at: Self.path, if: .always)
  }

  private func read(_ range: Range<Int>) async throws -> [UInt8] {
    var buffer = ReadBuffer()
    try await kept.read(Self.path, range: range, into: &buffer)
    return buffer.copied()
  }

  private var reads: Int { storage.calls.count { $0.hasPrefix("read ") } }

  @Test func aRangeIsPutTogetherOfPiecesThatWereReadOneByOne() async throws {
    for range in [100..<300, 300..<350, 350..<600] { _ = try await read(range) }
    #expect(reads == 3)
    for range in [100..<600, 299..<351, 300..<350, 120..<599] {
      #expect(try await read(range) == Array(Self.content[range]))
    }
    #expect(reads == 3, "\(storage.calls)")
  }

  @Test func ofARangeOnlyWhatIsMissingIsReadAndByOneRequest() async throws {
    for range in [100..<300, 400..<500, 700..<900] { _ = try await read(range) }
    #expect(try await read(200..<800) == Array(Self.content[200..<800]))
    #expect(try await read(50..<150) == Array(Self.content[50..<150]))
    #expect(reads == 5, "\(storage.calls)")
    #expect(try await read(50..<900) == Array(Self.content[50..<900]))
    #expect(reads == 5, "\(storage.calls)")
  }

  @Test func aRangeThatEndsBehindTheFileIsRefusedAlsoWhereItsBeginIsKnown() async throws {
    _ = try await read(900..<1_000)
    for range in [950..<1_001, 0..<1_001, 1_000..<1_002] {
      let error = await #expect(throws: StorageError.self) { try await read(range) }
      #expect(error?.code == .outOfRange)
    }
    #expect(try await read(1_000..<1_000).isEmpty)
  }
}
