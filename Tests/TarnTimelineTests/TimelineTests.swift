import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

@Suite struct TimelineTests {
  static func instant(_ number: Int) -> Instant { Instant(microseconds: now + Int64(number) * 1_000) }

  static func timeline(_ entries: [(Int, Action, ActionState)]) -> Timeline {
    Timeline(entries.map { TimelineEntry(instant($0.0), $0.1, $0.2) })
  }

  @Test(arguments: Action.allCases, [ActionState.requested, .inflight, .completed])
  func fileNamesComeBack(_ action: Action, _ state: ActionState) {
    let entry = TimelineEntry(Self.instant(0), action, state)
    let expected = state == .completed ? TimelineEntry(entry.instant, action.completed, state) : entry
    #expect(TimelineEntry(fileName: entry.fileName) == expected)
    if action == .commit, state == .inflight { #expect(entry.fileName == "20260102030405678.inflight") }
  }

  @Test(
    arguments: [
      "hoodie.properties", ".20260102030405678.commit.crc", "20260102030405678.commit.crc",
      "20260102030405678",
      "20260102030405678.other", "20260102030405678_20260102030405679.commit", "x.commit",
      "20260102030405678.",
      "20260102030405678.commit.inflight.x", "20260102030405678.commit.",
    ]) func otherFilesAreNoEntries(_ name: String)
  {
    #expect(TimelineEntry(fileName: name) == nil)
  }

  @Test func highestStateCountsAndCompactionBecomesCommit() {
    let timeline = Self.timeline([
      (1, .commit, .requested), (1, .commit, .inflight), (1, .commit, .completed),
      (2, .compaction, .requested),
      (2, .compaction, .inflight), (2, .commit, .completed), (3, .clean, .completed), (4, .commit, .inflight),
      (4, .commit, .requested), (5, .replacecommit, .requested),
    ])
    #expect(timeline.completedCommits.map(\.instant) == [1, 2].map(Self.instant))
    #expect(timeline.pending.map(\.fileName.count) == [26, 41])
    #expect(timeline.latest?.instant == Self.instant(2))
    #expect(timeline.latest(asOf: Self.instant(1))?.instant == Self.instant(1))
    #expect(timeline.latest(asOf: Self.instant(0)) == nil)
    #expect(timeline.first?.instant == Self.instant(1))
    #expect(timeline.lastInstant == Self.instant(5))
    #expect(timeline.contains(Self.instant(1)) && !timeline.contains(Self.instant(4)))
    #expect(timeline.commits(after: Self.instant(1)).map(\.instant) == [Self.instant(2)])
    #expect(timeline.commits(after: nil, through: Self.instant(1)).map(\.instant) == [Self.instant(1)])
  }

  @Test func filesOfFailedWritesAreHiddenAndArchivedOnesSeen() {
    let timeline = Self.timeline([
      (10, .commit, .completed), (12, .commit, .inflight), (14, .commit, .completed),
    ])
    let visible = (8...15).filter { timeline.isVisible(Self.instant($0)) }
    #expect(visible == [8, 9, 10, 14])
    #expect((8...15).filter { timeline.isVisible(Self.instant($0), asOf: Self.instant(9)) } == [8, 9])
    // A first write that is still pending hides its files, also behind a completed one.
    let first = Self.timeline([(10, .commit, .inflight), (12, .commit, .completed)])
    #expect((9...12).filter { first.isVisible(Self.instant($0)) } == [9, 12])
    #expect(!Self.timeline([(10, .commit, .inflight)]).isVisible(Self.instant(9)))
    #expect(!Timeline([TimelineEntry]()).isVisible(Self.instant(9)))
  }

  @Test func instantsHeldBySavepointsAreNotTheBegin() {
    let timeline = Self.timeline([
      (10, .commit, .completed), (10, .savepoint, .completed), (20, .commit, .completed),
    ])
    #expect([9, 10, 15, 20].map { timeline.isVisible(Self.instant($0)) } == [true, true, true, true])
  }

  @Test func commitIsWrittenInThreeSteps() async throws {
    let storage = InMemoryStorage()
    let log = CommitLog(storage)
    let instant = Self.instant(0)
    var plan = CommitMetadata(operation: .upsert)
    plan.writer = "me"
    plan.append(
      WriteStatistics(plannedFor: "f-0", previousCommit: Self.instant(-1), updates: 1, inserts: 2),
      partition: "p")
    #expect(try await log.request(instant))
    #expect(try await !log.request(instant))
    try await log.begin(instant, plan: plan)
    var timeline = try await Timeline.load(from: storage)
    let pending = try #require(timeline.pending.first)
    #expect(timeline.completedCommits.isEmpty && pending.state == .inflight)
    #expect(try await log.metadata(of: pending) == plan)
    var other = plan
    other.writer = "another"
    let others = other
    let again = await timelineError { () throws(TimelineError) in try await log.begin(instant, plan: others) }
    #expect(again?.name == "conflict")

    var metadata = CommitMetadata(operation: .upsert, extra: ["schema": "{}"])
    metadata.append(
      WriteStatistics(
        fileID: "f-0", path: "p/f", partitionPath: "p", previousCommit: nil, writes: 3, inserts: 3, size: 9),
      partition: "p")
    let entry = try await log.complete(instant, metadata)
    timeline = try await Timeline.load(from: storage)
    #expect(timeline.pending.isEmpty && timeline.latest == entry)
    #expect(try await log.metadata(of: entry) == metadata)
    let kept = await timelineError { () throws(TimelineError) in try await log.remove(pending: entry) }
    #expect(kept?.name == "conflict")
  }

  @Test func failedWriteLeavesNothingOnTheTimeline() async throws {
    // Hadoop's checksum files, which other engines keep on a disk, go with theirs.
    try await TestWorld.withTemporaryFolder { folder in
      let storage = LocalStorage(root: folder, synchronizes: false)
      let log = CommitLog(storage)
      try await log.begin(Self.instant(0), plan: CommitMetadata(operation: .upsert))
      let pending = try #require(try await Timeline.load(from: storage).pending.first)
      try await storage.put([1], at: ".hoodie/.\(pending.fileName).crc", if: .always)
      try await log.remove(pending: pending)
      #expect(try await storage.listAll(prefix: "").objects.isEmpty)
    }
  }

  @Test func commitsOfManyFilesAreKnownAgain() async throws {
    let storage = InMemoryStorage()
    let log = CommitLog(storage)
    let instant = Self.instant(0)
    let plan = CommitMetadata(
      operation: .insert, extra: ["x": String(repeating: "x", count: JavaProperties.largestFile)])
    try await log.begin(instant, plan: plan)
    #expect(try await log.standing(of: instant, plan: plan) == .own)
    #expect(try await log.standing(of: instant, plan: CommitMetadata(operation: .insert)) == .replaced)
    try await log.remove(pending: TimelineEntry(instant, .commit, .inflight))
    #expect(try await log.standing(of: instant, plan: plan) == .removed)
  }

  @Test func markersOfManyFilesAreRead() async throws {
    let storage = InMemoryStorage()
    let instant = Self.instant(0)
    let folder = String(repeating: "p", count: 255)
    let paths = (0..<30_000).map { "\(folder)/f\($0)_0-0-0_\(instant.text).parquet" }
    let markers = CommitMarkers(instant, in: storage)
    try await markers.add(paths.map { CommitMarkers.Marker(.create, $0) })
    let bytes = try await storage.listAll(prefix: "").objects.reduce(0) { $0 + $1.size }
    #expect(bytes > JavaProperties.largestFile)
    #expect(try await CommitMarkers.paths(of: instant, in: storage) == paths)
  }

  @Test(arguments: [
    "{", "[]", #"{"partitionToWriteStats":{"p":[{"numWrites":"x"}]}}"#, #"{"partitionToWriteStats":7}"#,
    "Obj\u{1}",
  ])
  func damagedCommitIsNamed(_ text: String) async throws {
    let storage = InMemoryStorage()
    let entry = TimelineEntry(Self.instant(0), .commit, .completed)
    try await storage.put(Array(text.utf8), at: entry.path, if: .always)
    let error = await timelineError { () throws(TimelineError) in
      _ = try await CommitLog(storage).metadata(of: entry)
    }
    #expect(error?.path == entry.path)
    #expect(error?.name == (text.hasPrefix("Obj") ? "unsupported" : "damaged"))
  }

  @Test func sparseMetadataIsTaken() throws {
    let text = #"""
      {"partitionToWriteStats":{"":[{"fileId":"f","path":"x","prevCommit":null,"cdcStats":{"a":7},"new":[1]}]},
      "operationType":"BUCKET_RESCALE","other":{"x":1},"extraMetadata":null}
      """#
    let metadata = try CommitMetadata(parsing: Array(text.utf8))
    #expect(metadata.operation?.rawValue == "BUCKET_RESCALE")
    #expect(metadata.files.map(\.fileID) == ["f"])
    #expect(metadata.files.first?.previousCommit == nil)
    #expect(metadata.files.first?.changeLogs?["a"] == 7)
    #expect(try CommitMetadata(parsing: []).files.isEmpty)
  }

  @Test func damageAtAnyByteIsAnErrorOrAnotherMeaningAndNeverATrap() {
    var metadata = CommitMetadata(operation: .upsert, extra: ["schema": "{}"], replaced: ["p": ["g"]])
    metadata.append(
      WriteStatistics(
        fileID: "f-0", path: "p/f", partitionPath: "p", previousCommit: nil, writes: 3, size: 9),
      partition: "p")
    for bytes in [metadata.bytes(), TablePropertiesTests.text()] {
      for position in bytes.indices {
        for value: UInt8 in [0, 0x22, 0x39, 0x5c, 0x7d, 0xff] {
          var damaged = bytes
          damaged[position] = value
          _ = try? CommitMetadata(parsing: damaged).bytes()
          _ = try? TableProperties(parsing: damaged)
        }
        _ = try? CommitMetadata(parsing: Array(bytes[..<position]))
        _ = try? TableProperties(parsing: Array(bytes[..<position]))
      }
    }
  }
}
