import TarnStorage

/// What one listing of a table's folder shows: the timeline, and contents that are not on it yet.
package struct TimelineListing: Sendable {
  /// The timeline.
  package let timeline: Timeline
  /// Contents that were written before a decision, moved ones not among them.
  package let contents: [DecisionContent]
  /// Wishes of writers to go first, the oldest first.
  package let tickets: [Ticket]
  /// Names of actions that this build does not know: those of versions of Hudi to come.
  package let unknown: [String]
  /// Whether there is a folder of Hudi's locks, where all was listed.
  package let hasLocks: Bool

  /// Lists a table of layout 1.
  ///
  /// - Parameter start: The instant from which on is listed; nil for all.
  /// - Throws: ``TimelineError`` with code `storage`.
  package static func load(
    from storage: any Storage, since start: Instant? = nil
  ) async throws(TimelineError) -> TimelineListing {
    let page: ListingPage
    do {
      page = try await storage.listAll(
        prefix: TablePaths.folder, after: start.map { TablePaths.folder + $0.text }, stoppingAtSlash: true)
    } catch { throw TimelineError(error) }
    let names = page.objects.map { $0.path.dropFirst(TablePaths.folder.count) }
    return TimelineListing(
      timeline: Timeline(names.compactMap { TimelineEntry(fileName: $0) }),
      contents: names.compactMap { DecisionContent(fileName: $0) },
      tickets: names.compactMap { Ticket(fileName: $0) },
      unknown: names.filter(isOfUnknownAction).map(String.init),
      hasLocks: page.folders.contains(TablePaths.locks))
  }

  /// Whether a name is one of the timeline, and of an action that is not known.
  private static func isOfUnknownAction(_ name: some StringProtocol) -> Bool {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2 || parts.count == 3, Instant(parts[0]) != nil else { return false }
    if parts.count == 3, parts[2] != "requested", parts[2] != "inflight" { return false }
    // Hudi's actions are words of five letters or more; what an editor or a copy left mostly is none.
    let isWord = parts[1].utf8.count > 4 && parts[1].utf8.allSatisfy { $0 >= 0x61 && $0 <= 0x7a }
    return isWord && TimelineEntry(fileName: name) == nil
  }
}

extension TimelineListing {
  /// The same listing, on which commits are still under way.
  package func hiding(_ instants: Set<Instant>) -> TimelineListing {
    TimelineListing(
      timeline: timeline.hiding(instants), contents: contents, tickets: tickets, unknown: unknown,
      hasLocks: hasLocks)
  }
}

/// The name of what a decision is to put on the timeline, before it is made: `<instant>.content.<random>`.
///
/// Other engines pass over such a name.
package struct DecisionContent: Sendable, Hashable {
  /// The instant of the decision's action.
  package let instant: Instant
  /// The path relative to the table.
  package let path: String

  /// Makes a name.
  ///
  /// - Parameter mark: A random text of letters and digits.
  package init(_ instant: Instant, mark: String) {
    self.instant = instant
    path = MarkedName.path(instant, "content", mark)
  }

  /// Parses a file's name; nil for any other file.
  package init?(fileName: some StringProtocol) {
    guard let (instant, mark) = MarkedName.parse(fileName, ".content.") else { return nil }
    self.init(instant, mark: mark)
  }
}
