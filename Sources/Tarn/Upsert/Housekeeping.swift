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
        throw TableError(error)
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

  /// Removes temporaries that writers left which were killed.
  ///
  /// Data files are written under the table's lock, so none of theirs is in use; other small files, such as a
  /// new table's properties, live in the folder for moments. What is older than minutes is dead.
  func removeDeadTemporaries() async throws(TableError) {
    try await tableErrors {
      let prefix = TablePaths.temporaries + LocalStorage.temporaryPrefix
      for object in try await storage.listAll(prefix: prefix, stoppingAtSlash: true).objects
      where settings.now() - object.modified > Self.temporaryPatience {
        try await storage.delete(object.path)
      }
    }
  }

  /// Takes back an attempt of this process that failed; what cannot be removed now, the next writer removes.
  ///
  /// Nothing is removed while it is not sure that the completed file is absent: the storage may have made it
  /// before it failed, and then the data files are the table's.
  ///
  /// - Returns: Whether the commit stands.
  func takeBack(_ instant: Instant, _ plan: WritePlan) async -> Bool {
    let completed = TimelineEntry(instant, .commit, .completed)
    do { if try await storage.exists(completed.path) { return true } } catch { return false }
    let partitions = Set(
      (plan.creations.map(\.partitionPath) + plan.merges.map(\.tagged.slice.partitionPath)).map(
        ExactText.init))
    try? await remove(TimelineEntry(instant, .commit, .inflight), partitions.map(\.text))
    return false
  }

  private func remove(_ attempt: TimelineEntry, _ partitions: [String]) async throws {
    for partition in partitions {
      try await removeFiles(
        of: attempt, below: partition.isEmpty ? "" : partition + "/", stoppingAtSlash: true)
    }
    // A load does not know its partitions before it has read all rows.
    if partitions.isEmpty { try await removeFiles(of: attempt, below: "", stoppingAtSlash: false) }
    try await TombstoneStore.remove(attempt.instant, in: storage)
    try await CommitLog(storage).remove(pending: attempt)
  }

  private func removeFiles(
    of attempt: TimelineEntry, below prefix: String, stoppingAtSlash: Bool
  ) async throws {
    for object in try await storage.listAll(prefix: prefix, stoppingAtSlash: stoppingAtSlash).objects {
      let folder = object.path.utf8.lastIndex(of: UInt8(ascii: "/"))
      let name = object.path.utf8[
        (folder.map { object.path.utf8.index(after: $0) } ?? object.path.startIndex)...]
      guard let file = BaseFileName(String(decoding: name, as: UTF8.self)) else { continue }
      if file.instant == attempt.instant { try await storage.delete(object.path) }
    }
  }

  /// Switches off a metadata table that Spark left live, since it would hide what Tarn writes.
  ///
  /// Properties first, then the folder: the folder alone is ignored (format-logs-and-services 7.5).
  ///
  /// - Returns: Whether there was one.
  func switchOffMetadataTable(_ state: TableState) async throws(TableError) -> Bool {
    guard state.properties.hasLiveMetadataTable else { return false }
    settings.warn(
      "table \(state.properties.name) has a live metadata table, which Tarn does not keep up: it is switched off; "
        + "Spark builds it again at its next write")
    return try await tableErrors {
      var properties = state.properties
      properties.removeMetadataTable()
      try await properties.store(in: storage, now: settings.now())
      // Asked from the folder above, since a link in its place is not the table's to delete through.
      let prefix = String(TablePaths.metadataTable.dropLast())
      for object in try await storage.listAll(prefix: prefix).objects
      where object.path.hasPrefix(TablePaths.metadataTable) {
        try await storage.delete(object.path)
      }
      return true
    }
  }
}
