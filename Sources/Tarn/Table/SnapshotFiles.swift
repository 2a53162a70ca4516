import TarnBytes
import TarnFileGroups
import TarnStorage
import TarnTimeline

/// Finds the base files of a snapshot, once it is known which rows are wanted.
struct SnapshotFiles: Sendable {
  private let state: TableState
  private let instant: Instant?
  private let reader: BaseFileReader

  /// - Parameter instant: The last commit to be seen; nil for the latest.
  init(_ state: TableState, asOf instant: Instant?, _ reader: BaseFileReader) {
    self.state = state
    self.instant = instant
    self.reader = reader
  }

  /// How often a table is looked at anew that changes while it is looked at.
  private static let mostLooks = 10

  /// The slices in which there may be rows that are looked for.
  ///
  /// A table may change while it is looked at: a commit may be rolled back, or a newer version may take a file's place.
  /// So where a file is gone that one of the latest commits wrote, the timeline is read again.
  ///
  /// - Throws: ``TableError``, `damaged` where the file should be there.
  func slices(for search: RowSearch) async throws(TableError) -> [FileSlice] {
    try await tableErrors {
      var timeline = state.timeline
      let written = try await writtenPartitions(search)
      for _ in 1..<Self.mostLooks {
        let found = try await SliceFinder(state.properties, timeline, reader)
          .slices(for: search, asOf: instant, within: written)
        try Task.checkCancellation()
        guard let gone = firstGone(found, timeline) else { return slices(found.slices, search) }
        let now = try await Timeline.load(from: reader.storage)
        guard now != timeline else { throw gone.error("its rows cannot be read") }
        guard now.contains(gone.instant) else {
          throw TableError(
            .conflict,
            "commit \(gone.instant.text) was rolled back since the snapshot was taken: take another one")
        }
        timeline = now
      }
      throw TableError(.conflict, "the table changes faster than it can be read: try again")
    }
  }

  /// Commits beyond which all partitions are listed rather than the commits asked where they wrote.
  private static let mostCommits = 32

  /// The partitions in which the commits that are asked for wrote; nil where the timeline does not tell, or all rows are
  /// wanted.
  private func writtenPartitions(_ search: RowSearch) async throws -> [String]? {
    guard let commits = search.commits, let first = state.timeline.first,
      first.instant <= commits.after, !state.properties.partitionFields.isEmpty
    else { return nil }
    let entries = state.timeline.commits(after: commits.after, through: commits.through)
    guard entries.count <= Self.mostCommits else { return nil }
    let log = CommitLog(reader.storage)
    let known = Dictionary(
      state.latestCommits.map { ($0.instant, $0.document) }, uniquingKeysWith: { first, _ in first })
    let lists = try await concurrently(entries, width: reader.storage.costs.requestsAtOnce) { entry in
      if let document = known[entry.instant] { return document.partitions }
      return try await log.document(of: entry).partitions
    }
    return lists.flatMap { $0 }
  }

  /// Those that commits wrote which are asked for.
  private func slices(_ slices: [FileSlice], _ search: RowSearch) -> [FileSlice] {
    guard let commits = search.commits else { return slices }
    return slices.filter { $0.instant > commits.after }
  }

  private func firstGone(_ found: FoundSlices, _ timeline: Timeline) -> WrittenFiles.GoneFile? {
    // Of earlier versions a cleaner may have removed some.
    let isNow = instant.map { $0 >= state.timeline.latest?.instant ?? $0 } ?? true
    guard isNow else { return nil }
    let written = WrittenFiles(state.latestCommits) { (try? found.covers($0)) ?? true }
    return written.firstGone(found.slices)
  }
}
