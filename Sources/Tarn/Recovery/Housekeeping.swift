import TarnIndex
import TarnStorage
import TarnTimeline

/// Removes what writers left that died, and what would hide what Tarn writes.
struct Housekeeping: Sendable {
  let storage: any Storage
  let settings: TableSettings
  let heads: HeadStore

  /// The age at which a temporary is taken to be a dead writer's, in microseconds.
  private static let temporaryPatience: Int64 = 10 * 60 * 1_000_000

  /// Removes contents of decisions that are carried out, or that can never be made: their attempts are gone.
  func removeContents(_ listing: TimelineListing, _ head: Head) async {
    let timeline = listing.timeline
    let named = Set(head.named.flatMap(\.contents))
    let pending = Set(timeline.pending.map(\.instant))
    let completed = Set(timeline.entries.filter { $0.state == .completed }.map(\.instant))
    let left = listing.contents.filter { !named.contains($0.path) && !pending.contains($0.instant) }
    var removed = left.filter { completed.contains($0.instant) }
    // A listing need not show all that came while it was walked: the attempt may be there, and be decided just now.
    var stray: [DecisionContent] = []
    for content in left where !completed.contains(content.instant) {
      if (try? await hasWriter(content.instant)) == false { stray.append(content) }
    }
    if !stray.isEmpty, case .head(let present)? = try? await heads.load() {
      let named = Set(present.head.named.flatMap(\.contents))
      removed += stray.filter { !named.contains($0.path) }
    }
    guard !removed.isEmpty else { return }
    // What stands is not judged by them, so that they harm nothing where they stay.
    _ = await storage.delete(removed.map(\.path))
  }

  /// Whether a decision of an instant may still be made: its writer lives, or its attempt is on the timeline.
  private func hasWriter(_ instant: Instant) async throws -> Bool {
    let liveness = Liveness(storage)
    if try await liveness.isOwn(instant) {
      guard try await liveness.isDead(instant, mark: heads.newMark()) else { return true }
    }
    return try await storage.hasAnyCommit(instant) { $0.requested }
  }

  /// Removes temporaries that writers left which were killed, and the markers of commits that are completed.
  ///
  /// What nobody has touched for minutes is dead; a writer that was stopped for as long fails where it finishes such a
  /// file. Markers of an instant that is under way, or that another engine completed, are that writer's to remove.
  func removeDeadTemporaries(_ timeline: Timeline) async throws(TableError) {
    try await tableErrors {
      try await storage.removeUnfinished(before: settings.now() - Self.temporaryPatience)
      let page = try await storage.listAll(prefix: TablePaths.temporaries, stoppingAtSlash: true)
      for instant in page.folders.compactMap(CommitMarkers.instant(ofFolder:)) {
        guard let entry = timeline.completedCommits.first(where: { $0.instant == instant }),
          let document = try? await CommitLog(storage).document(of: entry),
          document.extra[CommitMetadata.reportKey] != nil
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
  func switchOffMetadataTable(_ properties: TableProperties) async throws(TableError) -> Bool {
    let isLive = properties.hasLiveMetadataTable
    guard isLive || properties.hasMetadataLeftover else { return false }
    if isLive {
      settings.warn(
        "table \(properties.name) has a live metadata table, which Tarn does not keep up: it is switched off; "
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

  /// Puts the table's own tombstone files in order.
  ///
  /// Files of attempts that another engine rolled back go, since a timeline that begins after them would take them
  /// for completed. Those of an attempt that is under way stay, whoever's it is.
  ///
  /// - Parameter expiry: Deletions before this time, in milliseconds since 1970, go.
  func tidyTombstones(_ timeline: Timeline, expiry: Int64) async throws(TableError) {
    try await tableErrors {
      do throws(KeyIndexError) {
        let store = try await TombstoneStore.open(in: storage, timeline: timeline)
        if !store.uncommitted.isEmpty {
          // An attempt that began meanwhile stands on the timeline before its tombstones do.
          let present: Timeline
          do { present = try await Timeline.load(from: storage) } catch { return }
          try await store.removeAbandoned(by: present)
        }
        _ = try await store.merge(expiry: expiry)
      } catch {
        guard case .damaged = error else { throw error }
        settings.warn(
          "\(error): the table's tombstones are not put in order; delete the file to go on without it")
      }
    }
  }
}
