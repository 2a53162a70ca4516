import TarnBytes
import TarnIndex
import TarnStorage
import TarnTimeline

/// Puts in order what dead writers and other engines left; the caller holds the table's lock.
struct Housekeeping: Sendable {
  let storage: any Storage
  let settings: TableSettings

  /// The age at which a request without an inflight is taken to be a dead writer's, in microseconds.
  private static let requestPatience: Int64 = 24 * 3_600 * 1_000_000
  /// The age at which a temporary is taken to be a dead writer's, in microseconds.
  private static let temporaryPatience: Int64 = 10 * 60 * 1_000_000

  /// Removes attempts of Tarn's own that never completed: under the lock none of them can be alive.
  ///
  /// Data files go first, so that none outlives the timeline files that hide it (format-tables 2.7).
  /// A request without an inflight has written nothing, and does not say whose it is: it goes after a day.
  /// (Spark's writers remove it at once, so one that lives loses nothing to this one.)
  ///
  /// - Returns: Whether there was one.
  func removeDeadAttempts(_ state: TableState) async throws(TableError) -> Bool {
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
      guard attempt.writer != nil else { continue }
      let partitions = attempt.partitions.pairs.map(\.key)
      try await tableErrors { try await remove(entry, partitions) }
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
  func removeDeadTemporaries(_ timeline: Timeline) async throws(TableError) {
    try await tableErrors {
      try await storage.removeUnfinished(before: settings.now() - Self.temporaryPatience)
      let page = try await storage.listAll(prefix: TablePaths.temporaries, stoppingAtSlash: true)
      for instant in page.folders.compactMap(CommitMarkers.instant(ofFolder:)) {
        guard let entry = timeline.completedCommits.first(where: { $0.instant == instant }),
          let metadata = try? await CommitLog(storage).metadata(of: entry),
          metadata.extra[CommitReport.summaryKey] != nil
        else { continue }
        // They harm nothing where they stay.
        try? await CommitMarkers.remove(instant, in: storage)
      }
    }
  }

  /// Removes a dead attempt: what its markers name, where it has any.
  ///
  /// Earlier versions wrote none, and one that died before it had them has written nothing.
  private func remove(_ attempt: TimelineEntry, _ partitions: [String]) async throws {
    // A writer that lost its lock may have completed it just now.
    guard try await !storage.exists(attempt.with(.completed).path) else { return }
    if let paths = try await CommitMarkers.paths(of: attempt.instant, in: storage) {
      try await storage.deleteAll(paths)
    } else {
      for partition in partitions {
        try await removeFiles(
          of: attempt, below: partition.isEmpty ? "" : partition + "/", stoppingAtSlash: true)
      }
      // A load does not know its partitions before it has read all rows.
      if partitions.isEmpty { try await removeFiles(of: attempt, below: "", stoppingAtSlash: false) }
    }
    try await TombstoneStore.remove(attempt.instant, in: storage)
    try await CommitMarkers.remove(attempt.instant, in: storage)
    try await CommitLog(storage).remove(pending: attempt)
  }

  private func removeFiles(
    of attempt: TimelineEntry, below prefix: String, stoppingAtSlash: Bool
  ) async throws {
    var own: [String] = []
    for object in try await storage.listAll(prefix: prefix, stoppingAtSlash: stoppingAtSlash).objects {
      let folder = object.path.utf8.lastIndex(of: UInt8(ascii: "/"))
      let name = object.path.utf8[
        (folder.map { object.path.utf8.index(after: $0) } ?? object.path.startIndex)...]
      guard let file = BaseFileName(String(decoding: name, as: UTF8.self)) else { continue }
      if file.instant == attempt.instant { own.append(object.path) }
    }
    try await storage.deleteAll(own)
  }

  /// Switches off a metadata table that Spark left live, since it would hide what Tarn writes.
  ///
  /// Properties first, then the folder: the folder alone is ignored (format-logs-and-services 7.5). The properties
  /// say that it is left over until all of it is gone, so that the next writer goes on where one died.
  ///
  /// - Returns: Whether there was one, or the rest of one.
  func switchOffMetadataTable(_ state: TableState) async throws(TableError) -> Bool {
    let isLive = state.properties.hasLiveMetadataTable
    guard isLive || state.properties.hasMetadataLeftover else { return false }
    if isLive {
      settings.warn(
        "table \(state.properties.name) has a live metadata table, which Tarn does not keep up: it is switched off; "
          + "Spark builds it again at its next write")
    }
    return try await tableErrors {
      var properties = state.properties
      if isLive {
        properties.removeMetadataTable()
        try await properties.store(in: storage, now: settings.now())
      }
      // Asked from the folder above, since a link in its place is not the table's to delete through.
      let prefix = String(TablePaths.metadataTable.dropLast())
      let paths = try await storage.listAll(prefix: prefix).objects.map(\.path)
      try await storage.deleteAll(paths.filter { $0.hasPrefix(TablePaths.metadataTable) })
      properties.hasMetadataLeftover = false
      try await properties.store(in: storage, now: settings.now())
      return true
    }
  }
}
