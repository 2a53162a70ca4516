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

  /// The error of a file that could not be read, which a clean may have removed.
  func explained(_ error: TableError) async -> TableError {
    await RemovedVersions(state, reader.storage).explained(error, asOf: instant)
  }

  /// How often a table is looked at anew that changes while it is looked at.
  private static let mostLooks = 10

  /// The slices in which there may be rows that are looked for.
  ///
  /// The timeline is read once more behind the folders: a commit may have been rolled back since it was read first, or a
  /// cleaner may have removed what was to be listed. Then the table is looked at anew; a snapshot of the present goes on
  /// with the present of by then, and one of another time ends.
  ///
  /// - Throws: ``TableError``, `damaged` where a file should be there, `conflict` where files of the snapshot may have been
  ///   removed.
  func slices(for search: RowSearch) async throws(TableError) -> [FileSlice] {
    try await tableErrors {
      var state = state
      for _ in 1..<Self.mostLooks {
        let written = await writtenPartitions(search, state)
        try Task.checkCancellation()
        let found = try await SliceFinder(state.properties, state.timeline, reader)
          .slices(for: search, asOf: instant, within: written)
        try Task.checkCancellation()
        if let instant {
          try await RemovedVersions(state, reader.storage)
            .check(asOf: instant) { (try? found.covers($0)) ?? true }
        }
        let gone = firstGone(found, state)
        var now = try await Timeline.load(from: reader.storage)
        // What was decided and is not carried out yet shows on a settled timeline alone.
        if now != state.timeline { now = try await SettledTimeline.load(from: reader.storage).timeline }
        if now == state.timeline {
          if let gone { throw gone.error("its rows cannot be read") }
          return slices(found.slices, search)
        }
        guard gone != nil || now.mayHaveRemovedFiles(since: state.timeline) else {
          return slices(found.slices, search)
        }
        let next = try await TableState.load(reader.storage)
        guard instant == nil, search.commits == nil, next.schema == state.schema else {
          throw TableError(
            .conflict,
            "files of table \(state.properties.name) may have been removed since the snapshot was taken, by a cleaner or "
              + "by a rollback: take another snapshot")
        }
        state = next
      }
      throw TableError(.conflict, "the table changes faster than it can be read: try again")
    }
  }

  /// Commits beyond which all partitions are listed rather than the commits asked where they wrote.
  private static let mostCommits = 32

  /// The partitions in which the commits that are asked for wrote; nil where the timeline does not tell, or all rows are
  /// wanted.
  private func writtenPartitions(_ search: RowSearch, _ state: TableState) async -> [String]? {
    guard let commits = search.commits, !state.properties.partitionFields.isEmpty,
      let entries = commits.entries(of: state.timeline), entries.count <= Self.mostCommits
    else { return nil }
    let log = CommitLog(reader.storage)
    let known = Dictionary(
      state.latestCommits.map { ($0.instant, $0.document) }, uniquingKeysWith: { first, _ in first })
    // A commit that cannot be read, or says nothing, may have written anywhere.
    let lists = try? await concurrently(entries, width: reader.storage.costs.requestsAtOnce) {
      entry -> [String]? in
      let document: CommitDocument
      if let read = known[entry.instant] {
        document = read
      } else {
        document = try await log.document(of: entry)
      }
      return document.isBlank ? nil : document.partitions
    }
    guard let lists, !lists.contains(nil) else { return nil }
    return lists.flatMap { $0 ?? [] }
  }

  /// Those that commits wrote which are asked for.
  private func slices(_ slices: [FileSlice], _ search: RowSearch) -> [FileSlice] {
    guard let commits = search.commits else { return slices }
    return slices.filter { commits.mayBeIn(fileOf: $0.instant) }
  }

  private func firstGone(_ found: FoundSlices, _ state: TableState) -> WrittenFiles.GoneFile? {
    // Of earlier versions a cleaner may have removed some.
    let isNow = instant.map { $0 >= state.timeline.latest?.instant ?? $0 } ?? true
    guard isNow else { return nil }
    let written = WrittenFiles(state.latestCommits) { (try? found.covers($0)) ?? true }
    return written.firstGone(found.slices)
  }
}
