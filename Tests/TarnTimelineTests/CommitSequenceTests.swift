import TarnAvro
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// The order of commits, beyond what the head remembers.
@Suite struct CommitSequenceTests {
  private let storage = InMemoryStorage()

  private static func instant(_ number: Int64) -> Instant { TimelineTests.instant(Int(number)) }

  private func metadata(
    _ sequence: Int64, epoch: String = "ab", takingIn others: [(sequence: Int64, instant: Instant)] = []
  ) -> CommitMetadata {
    var metadata = CommitMetadata(operation: .upsert)
    metadata.extra[CommitMetadata.positionKey] = "\(epoch)-\(sequence)"
    if !others.isEmpty { metadata.takenIn = others }
    return metadata
  }

  /// A head that has come to a sequence; instants of odd and even sequences are exchanged.
  private func head(_ end: Int64) -> Head {
    var head = Head(epoch: "ab", sequence: 0, mark: "00")
    for sequence in 1...end {
      head.append(RecentDecision(sequence: sequence, Self.instant(sequence ^ 1), files: [], schema: nil))
    }
    return head
  }

  private func sequence(_ head: Head, _ timeline: Timeline) -> CommitSequence {
    CommitSequence(head, timeline, in: storage, archiveFolder: "archived")
  }

  private func commits(_ range: ClosedRange<Int64>) -> [Int64: Instant] {
    Dictionary(uniqueKeysWithValues: range.map { ($0, Self.instant($0 ^ 1)) })
  }

  @Test func commitsSayWhatTheHeadHasForgotten() async throws {
    let log = CommitLog(storage)
    let end = Int64(Head.mostRecent) + 40
    for sequence in 1...end where sequence != 4 {
      // The fourth is another engine's, and the fifth took it in.
      let others = sequence == 5 ? [(Int64(4), Self.instant(4 ^ 1))] : []
      try await log.complete(Self.instant(sequence ^ 1), metadata(sequence, takingIn: others))
    }
    try await log.complete(Self.instant(4 ^ 1), CommitMetadata(operation: .upsert))
    let found = sequence(head(end), try await Timeline.load(from: storage))
    for start in [0, 3, 4, 39, 40, end - 1, end] {
      let position = TablePosition(epoch: "ab", sequence: start)
      let expected = start == end ? [:] : commits(start + 1...end)
      #expect(try await found.commits(after: position) == expected, "since \(start)")
    }
    #expect(try await found.position(of: Self.instant(6 ^ 1))?.sequence == 6)
    #expect(try await found.position(of: Self.instant(end ^ 1))?.sequence == end)
    // Another engine's commit does not say it, nor is there one at every instant.
    #expect(try await found.position(of: Self.instant(4 ^ 1)) == nil)
    #expect(try await found.position(of: Self.instant(1_000)) == nil)
    for position in [
      TablePosition(epoch: "ac", sequence: 3), TablePosition(epoch: "ab", sequence: end + 1),
    ] { #expect(try await found.commits(after: position) == nil) }
  }

  @Test func theArchiveIsAskedAndAGapIsSaid() async throws {
    let log = CommitLog(storage)
    let end = Int64(Head.mostRecent) + 6
    for sequence in 5...end { try await log.complete(Self.instant(sequence ^ 1), metadata(sequence)) }
    let entries = try (2...4 as ClosedRange<Int64>).map { sequence in
      try ArchiveFixture.entry(
        Self.instant(sequence ^ 1).text, "commit", "COMPLETED",
        ArchiveFixture.commit("p/f", extra: [(CommitMetadata.positionKey, "ab-\(sequence)")]))
    }
    try await storage.put(
      ArchiveFixture.file([entries]), at: ".hoodie/archived/.commits_.archive.1_1-0-1", if: .always)
    let found = sequence(head(end), try await Timeline.load(from: storage))
    let known = TablePosition(epoch: "ab", sequence: 1)
    #expect(try await found.commits(after: known) == commits(2...end))
    #expect(try await found.position(of: Self.instant(3 ^ 1))?.sequence == 3)
    // The first is nowhere any more.
    #expect(try await found.commits(after: TablePosition(epoch: "ab", sequence: 0)) == nil)
  }
}
