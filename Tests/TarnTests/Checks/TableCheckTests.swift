import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// What the check of a table finds, and that it finds nothing in sound ones.
@Suite struct TableCheckTests {
  /// A table with some commits in two partitions.
  private func fixture() async throws -> TableFixture {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX", 1), Trade("b", 1, "Kraken", 2))
    try await fixture.upsert(Trade("a", 2, "OKX", 3), Trade("c", 1, "OKX", 4))
    try await fixture.upsert(Trade("d", 1, "Kraken", 5))
    return fixture
  }

  private func lines(_ fixture: TableFixture) async throws -> [String] {
    let before = try await fixture.storage.listAll(prefix: "").objects
    let findings = try await fixture.table.check()
    #expect(try await fixture.storage.listAll(prefix: "").objects == before)
    return findings.map { "\($0.code) \($0)" }
  }

  private func slice(_ fixture: TableFixture) async throws -> FileSlice {
    try #require(try await fixture.table.snapshot().slices.first)
  }

  @Test(arguments: 1...6 as ClosedRange<UInt64>)
  func aTableIsSoundAfterRandomWrites(seed: UInt64) async throws {
    var generator = SeededGenerator(seed: seed)
    var options = TableOptions()
    options.populatesMetaColumns = seed % 3 != 0
    let fixture = try await TableFixture(partitionedBy: seed % 2 == 0 ? [] : ["exchange"], options: options)
    #expect(try await lines(fixture) == [])
    for time in 1...12 {
      if generator.oneIn(4) {
        try await fixture.delete("k\(generator.below(30))", "k\(generator.below(30))")
        continue
      }
      let trades = (0..<8).map { _ in
        Trade("k\(generator.below(30))", Int64(time), "E\(generator.below(3))", Int128(generator.below(99)))
      }
      var seen: Set<String> = []
      _ = try await fixture.table.upsert(
        try Trade.batch(trades.filter { seen.insert($0.id).inserted }), scope: .table)
    }
    #expect(try await lines(fixture) == [])
  }

  @Test func aFileThatIsGoneIsFound() async throws {
    let fixture = try await fixture()
    let slice = try await slice(fixture)
    try await fixture.storage.delete(slice.path)
    #expect(
      try await lines(fixture) == [
        "gone \(slice.path): commit \(slice.instant) wrote this file, and it is gone: its rows are lost"
      ])
  }

  @Test func aFileThatIsCutOrHoldsOtherRowsIsFound() async throws {
    let fixture = try await fixture()
    let slice = try await slice(fixture)
    let bytes = try await fixture.storage.readAll(slice.path)
    try await fixture.storage.put(Array(bytes.dropLast(9)), at: slice.path, if: .always)
    let cut = try await lines(fixture)
    #expect(cut.count == 1 && cut[0].hasPrefix("damaged \(slice.path): it cannot be opened"), "\(cut)")
    let other = try #require(try await fixture.table.timeline().first)
    let old = try #require(
      try await fixture.table.metadata(of: other).files.compactMap(\.path).first {
        $0.contains("exchange=\(slice.partitionPath.contains("OKX") ? "OKX" : "Kraken")")
      })
    try await fixture.storage.put(try await fixture.storage.readAll(old), at: slice.path, if: .always)
    let lines = try await lines(fixture)
    #expect(lines.contains { $0.contains("it holds 1 rows, and commit \(slice.instant) says 2") }, "\(lines)")
    #expect(lines.contains { $0.contains("bytes, and commit") }, "\(lines)")
  }

  @Test func aFileOfNoCommitIsFound() async throws {
    let fixture = try await fixture()
    let slice = try await slice(fixture)
    let bytes = try await fixture.storage.readAll(slice.path)
    let first = try #require(try await fixture.table.timeline().first?.instant)
    let old = try #require(Instant("20200101000000000"))
    let (later, unnamed) = (first.next, first)
    for (name, instant) in [("x", old), ("y", later), ("z", unnamed)] {
      let file = BaseFileName(fileID: "\(name)-0", writeToken: "0-0-0", instant: instant).name
      try await fixture.storage.put(bytes, at: "\(slice.partitionPath)/\(file)", if: .always)
    }
    let lines = try await lines(fixture)
    let orphans = lines.filter { $0.hasPrefix("orphan ") }
    #expect(orphans.count == 3, "\(lines)")
    #expect(orphans.contains { $0.contains("nobody reads this file") })
    #expect(orphans.contains { $0.contains("readers take this file for committed") })
    #expect(orphans.contains { $0.contains("does not name this file") })
    // Two of them are read, and have the keys of the first.
    #expect(lines.contains { $0.hasPrefix("duplicateKey ") && $0.contains("stands 3 times") }, "\(lines)")
  }

  @Test func aKeyThatStandsTwiceIsFound() async throws {
    let fixture = try await fixture()
    try await fixture.table.insert(try Trade.batch([Trade("a", 3, "OKX", 9), Trade("b", 3, "OKX", 9)]))
    let lines = try await lines(fixture)
    #expect(lines.count == 1, "\(lines)")
    #expect(lines.first?.contains("key \"a\" stands 2 times in its partition") == true, "\(lines)")
    try await fixture.table.insert(try Trade.batch((0..<20).map { Trade("n\($0)", 1, "New", 1) }))
    try await fixture.table.insert(try Trade.batch((0..<20).map { Trade("n\($0)", 1, "New", 1) }))
    let more = try await self.lines(fixture)
    #expect(more.count == 12 && more.contains { $0.contains("10 more keys at least stand in") }, "\(more)")
  }

  @Test func aHeadThatIsGoneOrDamagedIsFound() async throws {
    let fixture = try await fixture()
    try await fixture.storage.put([1], at: HeadStore.path, if: .always)
    let damaged = try await lines(fixture)
    #expect(damaged.count == 1 && damaged[0].hasPrefix("head .hoodie/tarn/head: it is damaged"), "\(damaged)")
    try await fixture.storage.delete(HeadStore.path)
    let gone = try await lines(fixture)
    #expect(gone.count == 1 && gone[0].hasPrefix("head .hoodie/tarn/head: it is gone"), "\(gone)")
    try await fixture.upsert(Trade("z", 1, "OKX", 1))
    #expect(try await lines(fixture) == [])
  }

  /// Gives the head another text.
  private func edit(_ fixture: TableFixture, _ old: String, _ new: String) async throws -> [String] {
    let bytes = try await fixture.storage.readAll(HeadStore.path)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.contains(old), "\(text)")
    let edited = text.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false).joined(
      separator: new)
    try await fixture.storage.put(Array(edited.utf8), at: HeadStore.path, if: .always)
    let lines = try await lines(fixture)
    try await fixture.storage.put(bytes, at: HeadStore.path, if: .always)
    return lines
  }

  @Test func aHeadThatDoesNotAgreeWithTheTimelineIsFound() async throws {
    let fixture = try await fixture()
    let middle = try await fixture.table.timeline().completedCommits[1]
    let higher = try await edit(fixture, "\"sequence\":3", "\"sequence\":4")
    #expect(higher.contains { $0.contains("its sequence is 4, and its last decision 3") }, "\(higher)")
    let lower = try await edit(fixture, "\"sequence\":3", "\"sequence\":2")
    #expect(lower.contains { $0.contains("it was set back") }, "\(lower)")
    let gap = try await edit(fixture, "\"sequence\":2,\"instant\"", "\"sequence\":1,\"instant\"")
    #expect(gap.contains { $0.contains("its sequence has a gap") }, "\(gap)")
    #expect(try await lines(fixture) == [])
    let file = try await fixture.storage.readAll(middle.path)
    try await fixture.storage.delete(middle.path)
    let undone = try await lines(fixture)
    #expect(undone.contains { $0.contains("is commit \(middle.instant), which is neither") }, "\(undone)")
    try await fixture.storage.put(file, at: middle.path, if: .always)
    #expect(try await lines(fixture) == [])
    try await fixture.storage.put([], at: middle.path, if: .always)
    let empty = try await lines(fixture)
    #expect(
      empty.contains("damaged \(middle.path): this commit is completed, and its file is empty"), "\(empty)")
  }

  private func remove(_ instant: Instant, in storage: any Storage) async throws {
    let files = InstantFiles(instant)
    for file in [files.requested, files.inflight, files.completed] { try await storage.delete(file.path) }
  }

  /// Behind the decisions that a head remembers.
  @Test func aGapInTheSequenceIsFoundHoweverOld() async throws {
    let fixture = try await fixture()
    for number in 0..<Head.mostRecent { try await fixture.upsert(Trade("n", Int64(number), "New", 1)) }
    let commits = try await fixture.table.timeline().completedCommits
    #expect(try await lines(fixture) == [])
    func gaps() async throws -> [String] {
      try await lines(fixture).filter { $0.contains("is of no commit") }
    }
    try await remove(commits[1].instant, in: fixture.storage)
    #expect(
      try await gaps() == [
        "head .hoodie/tarn/head: decision 2 is of no commit on the timeline or in the archive: its file was removed or changed"
      ])
    // One that was archived is none: the first is kept as by a savepoint.
    let position = try #require(
      try await fixture.table.metadata(of: commits[2]).extra[CommitMetadata.positionKey])
    let epoch = try #require(TablePosition(position)).epoch
    func archive(_ sequence: Int64) async throws {
      let entry = try ArchiveFixture.entry(
        commits[1].instant.text, "commit", "COMPLETED",
        ArchiveFixture.commit("f", extra: [(CommitMetadata.positionKey, "\(epoch)-\(sequence)")]))
      try await fixture.storage.put(
        ArchiveFixture.file([[entry]]), at: ".hoodie/archived/.commits_.archive.1_1-0-1", if: .always)
    }
    try await archive(2)
    #expect(try await gaps() == [])
    // The archive tells of another.
    try await archive(9)
    #expect(try await gaps().count == 1)
    // One that another engine's commit has, which says it not itself.
    try await fixture.storage.delete(".hoodie/archived/.commits_.archive.1_1-0-1")
    var metadata = try await fixture.table.metadata(of: commits[2])
    metadata.extra[CommitMetadata.takenInKey] = "2 \(commits[1].instant)"
    try await fixture.storage.put(metadata.bytes(), at: commits[2].path, if: .always)
    #expect(try await gaps() == [])
  }

  @Test func anActionBeforeTheTimelinesBeginningIsFound() async throws {
    let fixture = try await fixture()
    let commits = try await fixture.table.timeline().completedCommits
    let second = InstantFiles(commits[1].instant)
    let entry = try ArchiveFixture.entry(second.instant.text)
    try await fixture.storage.put(
      ArchiveFixture.file([[entry]]), at: ".hoodie/archived/.commits_.archive.1_1-0-1", if: .always)
    // An archiver that died before it removed what it had archived does no harm.
    #expect(try await lines(fixture) == [])
    for file in [second.requested, second.inflight, second.completed] {
      try await fixture.storage.delete(file.path)
    }
    let lines = try await lines(fixture)
    #expect(
      lines.contains {
        $0.hasPrefix(
          "timeline \(commits[0].path): it lies before commit \(second.instant), which is archived")
      }, "\(lines)")
  }

  @Test func whatWritersLeftIsNotedAndDoesNoHarm() async throws {
    let fixture = try await fixture()
    let instant = try #require(Instant("20250101000000000"))
    let left = [
      DecisionContent(instant, mark: "a1").path, Liveness.path(of: instant),
      InstantFiles(instant).markers + "MARKERS0",
    ]
    for path in left { try await fixture.storage.put([1], at: path, if: .always) }
    let findings = try await fixture.table.check()
    #expect(findings.count == 3 && findings.allSatisfy(\.isNote), "\(findings)")
    for finding in findings {
      #expect(left.contains { $0.hasPrefix(finding.path ?? "none") }, "\(finding)")
    }
  }
}
