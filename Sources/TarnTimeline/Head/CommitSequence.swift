import TarnBytes
import TarnStorage

/// The commits of a table's epoch in the order of their decisions: the last ones as the head has them, those before as
/// commits on the timeline and in the archive say.
package struct CommitSequence: Sendable {
  private let head: Head
  private let timeline: Timeline
  private let storage: any Storage
  /// Where the table's properties say that its archive lies.
  private let archiveFolder: String

  /// How many commits are held at once.
  private static let commitsAtOnce = 32

  /// Goes by a head, and by the timeline that was listed after it.
  package init(_ head: Head, _ timeline: Timeline, in storage: any Storage, archiveFolder: String) {
    self.head = head
    self.timeline = timeline
    self.storage = storage
    self.archiveFolder = archiveFolder
  }

  /// The instants of all commits that were decided after a position, under their sequences.
  ///
  /// - Returns: Nil where not all of them are known: the position is of another epoch, or lies before what the table
  ///   still tells.
  /// - Throws: ``TimelineError`` with code `storage`.
  package func commits(after position: TablePosition) async throws(TimelineError) -> [Int64: Instant]? {
    guard position.epoch == head.epoch, position.sequence <= head.sequence else { return nil }
    var search = Search(head, after: position.sequence)
    for decision in head.recent { search.add(decision.instant, decision.sequence) }
    var rest = timeline.completedCommits.filter { entry in
      !head.recent.contains { $0.instant == entry.instant }
    }[...]
    while !search.isComplete, !rest.isEmpty {
      let some = Array(rest.suffix(Self.commitsAtOnce))
      rest = rest.dropLast(some.count)
      for (entry, extra) in zip(some, try await extras(of: some)) { search.add(entry.instant, extra) }
    }
    if !search.isComplete { try await search.addArchived(storage, archiveFolder, besides: timeline) }
    return search.isComplete ? search.found : nil
  }

  /// The position of a commit; nil where nothing tells it.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package func position(of instant: Instant) async throws(TimelineError) -> TablePosition? {
    if let decision = head.recent.first(where: { $0.instant == instant }) {
      return TablePosition(epoch: head.epoch, sequence: decision.sequence)
    }
    var extra: OrderedMap<String>?
    if let entry = timeline.completedCommits.first(where: { $0.instant == instant }) {
      extra = try await extras(of: [entry]).first ?? nil
    } else if timeline.isVisible(instant) {
      do throws(TimelineError) {
        extra = try await ArchivedTimeline.load(from: storage, folder: archiveFolder).commit(instant)?
          .metadata()?.extra
      } catch {
        guard error.code == .damaged || error.code == .unsupported else { throw error }
      }
    }
    guard let position = extra?[CommitMetadata.positionKey].flatMap({ TablePosition($0) }),
      position.epoch == head.epoch
    else { return nil }
    return position
  }

  /// What commits say beside their files; nil for those that cannot be read.
  private func extras(of entries: [TimelineEntry]) async throws(TimelineError) -> [OrderedMap<String>?] {
    let log = CommitLog(storage)
    do {
      return try await concurrently(entries, width: storage.costs.requestsAtOnce) {
        entry -> OrderedMap<String>? in
        do throws(TimelineError) { return try await log.document(of: entry).extra } catch {
          switch error.code {
          case .damaged, .unsupported: return nil
          default:
            // It was archived or undone just now.
            if error.storageError?.code == .notFound { return nil }
            throw error
          }
        }
      }
    } catch let error as TimelineError { throw error } catch { throw TimelineError.cancelled }
  }

  /// The commits that were found.
  private struct Search {
    private let epoch: String
    /// The first sequence that is not looked for.
    private let start: Int64
    private let end: Int64
    private(set) var found: [Int64: Instant] = [:]

    init(_ head: Head, after start: Int64) {
      epoch = head.epoch
      self.start = start
      end = head.sequence
    }

    var isComplete: Bool { Int64(found.count) == end - start }

    mutating func add(_ instant: Instant, _ sequence: Int64) {
      if sequence > start, sequence <= end { found[sequence] = instant }
    }

    /// Takes what a commit says of itself, and of those of other engines that it took in.
    mutating func add(_ instant: Instant, _ extra: OrderedMap<String>?) {
      guard let position = extra?[CommitMetadata.positionKey].flatMap({ TablePosition($0) }),
        position.epoch == epoch
      else { return }
      add(instant, position.sequence)
      for other in CommitMetadata.takenIn(extra?[CommitMetadata.takenInKey] ?? "") {
        add(other.instant, other.sequence)
      }
    }

    mutating func addArchived(
      _ storage: any Storage, _ folder: String, besides timeline: Timeline
    ) async throws(TimelineError) {
      do throws(TimelineError) {
        var entries = try await ArchivedTimeline.load(from: storage, folder: folder).entries()
        while !isComplete,
          let archived = try await entries.next(where: { entry in
            entry.state == .completed && entry.action.writesData && !timeline.contains(entry.instant)
          })
        {
          add(archived.entry.instant, try archived.metadata()?.extra)
        }
      } catch {
        // What cannot be read tells nothing.
        guard error.code == .damaged || error.code == .unsupported else { throw error }
      }
    }
  }
}
