import TarnStorage

/// The names of the files that carry an instant, but for the base files, which markers name.
package struct InstantFiles: Sendable, Hashable {
  /// The instant.
  package let instant: Instant
  /// What is done: rows are written, or file groups replaced, too.
  package let action: Action

  /// Names the files of an instant.
  package init(_ instant: Instant, _ action: Action = .commit) {
    self.instant = instant
    self.action = action
  }

  /// Those of each action by which Tarn commits, where it is not known by which one did.
  package static func ofAnyCommit(_ instant: Instant) -> [InstantFiles] {
    [InstantFiles(instant), InstantFiles(instant, .replacecommit)]
  }

  /// The request.
  package var requested: TimelineEntry { TimelineEntry(instant, action, .requested) }
  /// What is under way.
  package var inflight: TimelineEntry { TimelineEntry(instant, action, .inflight) }
  /// The commit.
  package var completed: TimelineEntry { TimelineEntry(instant, action, .completed) }
  /// The folder of the markers, with its slash.
  package var markers: String { TablePaths.temporaries + instant.text + "/" }
  /// The tombstones of keys whose partition is not known.
  package var tombstones: String { TablePaths.tombstones + instant.text + ".tombs" }
}

extension Storage {
  /// Whether one of the commits that an instant may be of has a file in some state.
  package func hasAnyCommit(
    _ instant: Instant, _ entry: (InstantFiles) -> TimelineEntry
  ) async throws(StorageError) -> Bool {
    for files in InstantFiles.ofAnyCommit(instant) {
      if try await exists(entry(files).path) { return true }
    }
    return false
  }
}
