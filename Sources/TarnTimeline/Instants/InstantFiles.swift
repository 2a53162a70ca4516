import TarnStorage

/// The names of the files that carry an instant, but for the base files, which markers name.
package struct InstantFiles: Sendable {
  /// The instant.
  package let instant: Instant

  /// Names the files of an instant.
  package init(_ instant: Instant) { self.instant = instant }

  /// The request.
  package var requested: TimelineEntry { TimelineEntry(instant, .commit, .requested) }
  /// What is under way.
  package var inflight: TimelineEntry { TimelineEntry(instant, .commit, .inflight) }
  /// The commit.
  package var completed: TimelineEntry { TimelineEntry(instant, .commit, .completed) }
  /// The folder of the markers, with its slash.
  package var markers: String { TablePaths.temporaries + instant.text + "/" }
  /// The tombstones of keys whose partition is not known.
  package var tombstones: String { TablePaths.tombstones + instant.text + ".tombs" }
}
