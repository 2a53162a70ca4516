// The stages are not for users, so that their tests need a build for testing.
#if DEBUG
  @testable import Tarn
  import TarnColumns
  import TarnFileGroups
  import TarnStorage
  import TarnTestSupport
  import TarnTimeline
  import Testing

  /// The stages of a write, run one by one.
  @Suite struct StageTests {
    private static let schema = Schema([
      Field("id", .string), Field("part", .string), Field("ts", .int64), Field("note", .string),
    ])

    private static func rows(_ parts: [String], _ stamp: Int64) throws -> RecordBatch {
      try batch([
        "id": column(.string) { for part in parts { try $0.append("key of \(part)") } },
        "part": column(.string) { for part in parts { try $0.append(part) } },
        "ts": column(.int64) { for _ in parts { $0.append(stamp) } },
        "note": column(.string) { for part in parts { try $0.append("\(part) at \(stamp)") } },
      ])
    }

    /// What a batch finds, decides and plans, with what was known before.
    private struct Run {
      var found: LookupResult
      var decisions: [FileDecision]
      var plan: WritePlan
      var counts: RowCounts

      init(_ changes: RecordBatch, in storage: any Storage, knowing known: Run?) async throws {
        let settings = TableFixture.settings(Collected())
        let state = try await TableState.load(storage)
        let (incoming, _) = try Incoming(state: state, settings: settings, kind: .whole, scope: .partition)
          .take(ChangeBatch(upserting: changes), .upsert)
        // Nothing is kept of the files, so that each look reads.
        let reader = BaseFileReader(storage, FooterCache(memory: 0), warn: { _ in })
        let lookup = Lookup(state: state, table: incoming.table, settings: settings, reader: reader)
        found = try await lookup.run(incoming.batch, knowing: known?.found.files ?? [])
        let stage = RowDecisions(
          batch: incoming.batch, table: incoming.table, kind: .whole, reader: reader, parallelism: 1)
        let before = Dictionary(
          uniqueKeysWithValues: zip(known?.found.files.map(\.slice) ?? [], known?.decisions ?? []))
        decisions = try await stage.decisions(for: found.files, knowing: before)
        let (changes, counts) = try stage.changes(decisions, found)
        plan = WritePlanner(options: incoming.table.options).plan(changes, found.files)
        self.counts = counts
      }

      /// What the plan does to each file.
      var summary: [String] {
        plan.updates.map { "\($0.slice.path) \($0.updatedCount) \($0.deletedCount) \($0.inserts.count)" }
      }
    }

    @Test func aWriteThatBeginsAgainReadsOnlyTheFilesThatChanged() async throws {
      let storage = InMemoryStorage()
      let small = try await SmallTable(
        Self.schema, partitionedBy: ["part"], orderedBy: "ts", storage: storage)
      let parts = ["a", "b", "c"]
      try await small.table.upsert(try Self.rows(parts, 1))
      let recording = FaultStorage(wrapping: storage)
      let changes = try Self.rows(parts, 5)
      let first = try await Run(changes, in: recording, knowing: nil)
      #expect(first.counts == RowCounts(updated: 3))
      func readFiles(_ calls: ArraySlice<String>) -> Set<String> {
        Set(calls.filter { $0.hasPrefix("read part=") }.map { String($0.dropFirst("read ".count)) })
      }
      #expect(readFiles(recording.calls[...]) == Set(first.plan.updates.map(\.slice.path)))

      // Another writer is faster in one of the partitions, and newer than the batch.
      try await small.table.upsert(try Self.rows(["b"], 9))
      let begin = recording.callCount
      let again = try await Run(changes, in: recording, knowing: first)
      let changed = try #require(again.found.files.first { $0.slice.partitionPath == "part=b" })
      #expect(readFiles(recording.calls[begin...]) == [changed.slice.path])
      #expect(again.counts == RowCounts(updated: 2, stale: 1))
      // Joined with what was known, it is what a look at everything finds.
      let fresh = try await Run(changes, in: storage, knowing: nil)
      #expect(again.summary == fresh.summary && again.counts == fresh.counts)
      #expect(again.plan.updates.map(\.slice.partitionPath) == ["part=a", "part=c"])

      // Where nothing changed, nothing is read.
      let idle = recording.callCount
      _ = try await Run(changes, in: recording, knowing: again)
      #expect(readFiles(recording.calls[idle...]).isEmpty)
    }
  }
#endif
