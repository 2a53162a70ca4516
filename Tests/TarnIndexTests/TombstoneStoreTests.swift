import TarnBytes
import TarnIndex
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

@Suite("Table-wide tombstones") struct TombstoneStoreTests {
  /// A table's commits and the tombstones in them, held plainly.
  struct Model {
    var entries: [TimelineEntry] = []
    var tombstones: [KeyTombstone] = []
    var now: Int64 = 1_800_000_000_000

    var timeline: Timeline { Timeline(entries) }

    mutating func begin() -> Instant {
      now += 1_000
      let instant = Instant(microseconds: now * 1_000)
      entries.append(TimelineEntry(instant, .commit, .requested))
      return instant
    }

    mutating func complete(_ instant: Instant) {
      entries.append(TimelineEntry(instant, .commit, .completed))
    }

    /// Key and ordering of those that still count.
    func expected(_ hashes: [UInt32], expiry: Int64) -> Set<[[UInt8]?]> {
      Set(tombstones.filter { $0.time >= expiry && hashes.contains($0.hash) }.map { [$0.key, $0.ordering] })
    }
  }

  static func tombstones(_ random: inout SeededGenerator, time: Int64) -> [KeyTombstone] {
    (0..<random.below(5)).map { _ in
      let ordering: [UInt8]? = random.oneIn(4) ? nil : [UInt8(random.below(4))]
      return KeyTombstone(key: random.key(), ordering: ordering, time: time)
    }
  }

  static func expectSame(
    _ store: TombstoneStore, _ model: Model, expiry: Int64, _ random: inout SeededGenerator
  ) async throws {
    let hashes = (0..<6).map { _ in KeyIndex.hash(of: random.key().span.bytes) }.sorted()
    let found = try await store.tombstones(for: hashes, expiry: expiry)
    #expect(Set(found.map { [$0.key, $0.ordering] }) == model.expected(hashes, expiry: expiry))
  }

  @Test(
    "Commits, dead commits, merges and expiry, wherever the process dies, leave what a list holds",
    arguments: 0..<40)
  func randomCommits(seed: Int) async throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let storage = InMemoryStorage()
    var model = Model()
    for _ in 0..<60 {
      let expiry = model.now - 20_000
      let fault = FaultStorage(
        wrapping: storage, crashAtCall: random.oneIn(3) ? 1 + random.below(30) : nil,
        completesFaultedCall: random.oneIn(2))
      do {
        let instant = model.begin()
        let tombstones = Self.tombstones(&random, time: model.now)
        try await TombstoneStore.write(tombstones, of: instant, in: fault)
        if random.oneIn(6) {
          throw KeyIndexError.storage(StorageError(.failed, path: "", "the process dies"))
        }
        model.complete(instant)
        model.tombstones += tombstones
        let store = try await TombstoneStore.open(in: fault, timeline: model.timeline).merge(expiry: expiry)
        try await Self.expectSame(store, model, expiry: expiry, &random)
        #expect(store.files.count <= 9)
      } catch {
        guard case .storage? = error as? KeyIndexError else { throw error }
      }
      let store = try await TombstoneStore.open(in: storage, timeline: model.timeline)
      try await Self.expectSame(store, model, expiry: expiry, &random)
      // Of an attempt that is under way it stays; of one that is on no timeline any more it goes.
      try await store.removeAbandoned(by: model.timeline)
      let kept = try await TombstoneStore.open(in: storage, timeline: model.timeline).uncommitted
      let pending = Set(model.timeline.pending.map(\.instant))
      #expect(kept == store.uncommitted.filter { pending.contains($0.instant) })
      try await store.removeAbandoned(by: Timeline(model.timeline.completedCommits))
      #expect(try await TombstoneStore.open(in: storage, timeline: model.timeline).uncommitted == [])
    }
  }

  @Test("Expired tombstones leave no file behind")
  func expiry() async throws {
    let storage = InMemoryStorage()
    var model = Model()
    for number in 0..<3 {
      let instant = model.begin()
      let tombstone = KeyTombstone(key: [UInt8(number)], ordering: nil, time: model.now)
      let path = try await TombstoneStore.write([tombstone], of: instant, in: storage)
      #expect(path == ".hoodie/tarn/tombstones/\(instant).tombs")
      model.complete(instant)
    }
    #expect(try await TombstoneStore.write([], of: model.begin(), in: storage) == nil)
    let store = try await TombstoneStore.open(in: storage, timeline: model.timeline)
    #expect(try await store.merge(expiry: model.now - 10_000).files == store.files)
    #expect(try await store.merge(expiry: model.now + 1).files == [])
    #expect(try await storage.listAll(prefix: "").objects.isEmpty)
  }

  @Test("A merge names its file by the latest commit in it, and files of other names are none")
  func names() async throws {
    let storage = InMemoryStorage()
    var model = Model()
    var last: Instant?
    for number in 0..<9 {
      let instant = model.begin()
      try await TombstoneStore.write(
        [KeyTombstone(key: [UInt8(number)], ordering: nil, time: model.now)], of: instant, in: storage)
      model.complete(instant)
      last = instant
    }
    let instant = try #require(last)
    let folder = TombstoneFile.folder
    for name in [
      "x.tombs", ".\(instant).tombs.crc", "\(instant)_1.tombs", "\(instant)_0000.tombs", "1_2_3.tombs",
    ] {
      try await storage.put([1], at: folder + name, if: .always)
    }
    let store = try await TombstoneStore.open(in: storage, timeline: model.timeline)
    #expect(store.files.count == 9)
    let merged = try await store.merge(expiry: 0)
    #expect(merged.files.map(\.path) == ["\(folder)\(instant)_0001.tombs"])
    #expect(try await TombstoneStore.open(in: storage, timeline: model.timeline).files == merged.files)
    // One that looked before the merge finds all the same.
    let hash = KeyIndex.hash(of: ([3] as [UInt8]).span.bytes)
    #expect(try await store.tombstones(for: [hash]).map(\.key) == [[3]])
  }

  @Test("A damaged file is an error that names it")
  func damage() async throws {
    let storage = InMemoryStorage()
    var model = Model()
    let instant = model.begin()
    model.complete(instant)
    let path = TombstoneFile.folder + "\(instant).tombs"
    try await storage.put([UInt8](repeating: 7, count: 90), at: path, if: .always)
    let store = try await TombstoneStore.open(in: storage, timeline: model.timeline)
    await #expect {
      try await store.tombstones(for: [1])
    } throws: { error in
      if case .damaged(path, _, _) = error as? KeyIndexError { true } else { false }
    }
  }
}
