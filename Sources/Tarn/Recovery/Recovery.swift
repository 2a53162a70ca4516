import TarnBytes
import TarnIndex
import TarnStorage
import TarnTimeline

/// What a writer does first: it puts in order what dead writers and other engines left.
struct Recovery: Sendable {
  let storage: any Storage
  let settings: TableSettings
  /// Says whose attempts are dead.
  let authority: any WriterAuthority

  /// Reads the table, and puts in order what stands in a writer's way.
  ///
  /// - Throws: ``TableError``, `unsupported` for a table that Tarn only reads; `conflict` where another engine clusters.
  func run() async throws(TableError) -> TableState {
    var state = try await TableState.load(storage)
    guard state.properties.type == .copyOnWrite else {
      throw TableError(
        .unsupported, "table \(state.properties.name) is merge-on-read: Tarn does not write such tables yet")
    }
    // Cut short, the file may have lost more than its checksum; Hudi's own writers do not trust it either.
    guard state.properties.hasValidChecksum == true else {
      throw TableError(
        .damaged,
        "\(TablePaths.properties): it has no hoodie.table.checksum; restore the file before writing",
        path: TablePaths.properties)
    }
    if let pending = state.timeline.pending.first(where: { $0.action.completed == .replacecommit }) {
      throw TableError(
        .conflict,
        "\(pending.path): another engine clusters or replaces file groups, or died while it did: let it finish, or "
          + "roll instant \(pending.instant.text) back with that engine, and try again", path: pending.path)
    }
    let removed = try await removeDeadAttempts(state)
    let switched = try await switchOffMetadataTable(state)
    try await removeDeadTemporaries(state.timeline)
    if removed || switched { state = try await TableState.load(storage) }
    return state
  }

  /// The age at which a request without an inflight is taken to be a dead writer's, in microseconds.
  private static let requestPatience: Int64 = 24 * 3_600 * 1_000_000
  /// The age at which a temporary is taken to be a dead writer's, in microseconds.
  private static let temporaryPatience: Int64 = 10 * 60 * 1_000_000

  /// Rolls back attempts of Tarn's own whose writers are dead.
  ///
  /// A request without an inflight has written nothing, and does not say whose it is: it goes after a day.
  /// (Spark's writers remove it at once, so one that lives loses nothing to this one.)
  ///
  /// - Returns: Whether there was one.
  private func removeDeadAttempts(_ state: TableState) async throws(TableError) -> Bool {
    let log = CommitLog(storage)
    var removed = false
    for entry in state.timeline.pending where entry.action == .commit {
      guard entry.state == .inflight else {
        try await removeOldRequest(entry)
        continue
      }
      let attempt: CommitMetadata
      do throws(TimelineError) { attempt = try await log.metadata(of: entry) } catch {
        switch error.code {
        case .damaged, .unsupported:
          // Tarn's own appear whole, so this is another engine's, which may have died while it wrote it.
          settings.warn(
            "\(error.description); the file is another engine's and does not hinder this write: let that engine "
              + "roll instant \(entry.instant.text) back, as Spark does at its next write")
          continue
        default: throw TableError(error)
        }
      }
      guard let writer = attempt.writer else { continue }
      do throws(TimelineError) {
        guard try await authority.isDead(entry.instant, writer: writer) else { continue }
        try await AttemptRemains(entry.instant, in: storage).remove(
          entry, planned: attempt.partitions.pairs.map(\.key))
      } catch { throw TableError(error) }
      settings.warn("removed the attempt \(entry.instant.text) of a writer that died")
      removed = true
    }
    return removed
  }

  private func removeOldRequest(_ entry: TimelineEntry) async throws(TableError) {
    try await tableErrors {
      let age = settings.now() - (try await storage.info(of: entry.path)).modified
      if age > Self.requestPatience { try await CommitLog(storage).remove(pending: entry) }
    }
  }

  /// Removes temporaries that writers left which were killed, and the markers of commits that are completed.
  ///
  /// Data files are written under the table's lock, so none of theirs is in use; other small files, such as a
  /// new table's properties, live in the folder for moments. What is older than minutes is dead. Markers of an
  /// instant that is under way, or that another engine completed, are that writer's to remove.
  private func removeDeadTemporaries(_ timeline: Timeline) async throws(TableError) {
    try await tableErrors {
      try await storage.removeUnfinished(before: settings.now() - Self.temporaryPatience)
      let page = try await storage.listAll(prefix: TablePaths.temporaries, stoppingAtSlash: true)
      for instant in page.folders.compactMap(CommitMarkers.instant(ofFolder:)) {
        guard let entry = timeline.completedCommits.first(where: { $0.instant == instant }),
          let document = try? await CommitLog(storage).document(of: entry),
          document.extra[CommitReport.summaryKey] != nil
        else { continue }
        // They harm nothing where they stay.
        try? await CommitMarkers.remove(instant, in: storage)
      }
    }
  }

  /// Switches off a metadata table that Spark left live, since it would hide what Tarn writes.
  ///
  /// Properties first, then the folder: the folder alone is ignored (format-logs-and-services 7.5). The properties
  /// say that it is left over until all of it is gone, so that the next writer goes on where one died.
  ///
  /// - Returns: Whether there was one, or the rest of one.
  private func switchOffMetadataTable(_ state: TableState) async throws(TableError) -> Bool {
    let isLive = state.properties.hasLiveMetadataTable
    guard isLive || state.properties.hasMetadataLeftover else { return false }
    if isLive {
      settings.warn(
        "table \(state.properties.name) has a live metadata table, which Tarn does not keep up: it is switched off; "
          + "Spark builds it again at its next write")
    }
    return try await tableErrors {
      if isLive {
        try await TableProperties.change(in: storage, now: settings.now()) { properties in
          guard properties.hasLiveMetadataTable else { return false }
          properties.removeMetadataTable()
          return true
        }
      }
      // Asked from the folder above, since a link in its place is not the table's to delete through.
      let prefix = String(TablePaths.metadataTable.dropLast())
      let paths = try await storage.listAll(prefix: prefix).objects.map(\.path)
      try await storage.deleteAll(paths.filter { $0.hasPrefix(TablePaths.metadataTable) })
      try await TableProperties.change(in: storage, now: settings.now()) { properties in
        guard properties.hasMetadataLeftover, !properties.hasLiveMetadataTable else { return false }
        properties.hasMetadataLeftover = false
        return true
      }
      return true
    }
  }
}
