import TarnStorage

/// What an attempt leaves that does not stand, but for its files on the timeline.
package struct AttemptRemains: Sendable {
  private let instant: Instant
  private let storage: any Storage

  /// Names the remains of an attempt.
  package init(_ instant: Instant, in storage: any Storage) {
    self.instant = instant
    self.storage = storage
  }

  /// The base files of an attempt of another's: what its markers name, where it has any.
  ///
  /// Earlier builds wrote none, and one that died before it had them has written nothing.
  ///
  /// - Parameter planned: The partitions that its inflight file names.
  /// - Throws: ``TimelineError`` with code `storage`.
  package func baseFiles(planned: [String]) async throws(TimelineError) -> [String] {
    if let marked = try await markedFiles() { return marked }
    var paths: [String] = []
    for partition in planned {
      paths += try await baseFiles(below: partition.isEmpty ? "" : partition + "/", stoppingAtSlash: true)
    }
    // A load does not know its partitions before it has read all rows.
    return planned.isEmpty ? try await baseFiles(below: "", stoppingAtSlash: false) : paths
  }

  /// The base files that an attempt's markers name; nil where it has none.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package func markedFiles() async throws(TimelineError) -> [String]? {
    try await CommitMarkers.paths(of: instant, in: storage)
  }

  /// Removes base files and tombstones.
  ///
  /// They go before the timeline's files which hide them (format-tables 2.7). The marks of partitions stay: another
  /// writer may have put rows there meanwhile.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package func remove(_ baseFiles: [String]) async throws(TimelineError) {
    do { try await storage.deleteAll(baseFiles + [InstantFiles(instant).tombstones]) } catch {
      throw TimelineError(error)
    }
  }

  private func baseFiles(
    below prefix: String, stoppingAtSlash: Bool
  ) async throws(TimelineError) -> [String] {
    let objects: [ObjectInfo]
    do {
      objects = try await storage.listAll(prefix: prefix, stoppingAtSlash: stoppingAtSlash).objects
    } catch { throw TimelineError(error) }
    return objects.map(\.path).filter { BaseFileName(path: $0)?.instant == instant }
  }
}
