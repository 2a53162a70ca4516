import TarnStorage
import TarnTimeline

/// Commits of other engines, which know no head, as far as no decision has taken them in.
struct ForeignCommits: Sendable {
  /// As decisions, with the sequences that they get.
  let decisions: [RecentDecision]

  /// Finds them.
  ///
  /// - Parameters:
  ///   - timelines: As those who are to be decided found it, and as it is now, from some instant on.
  ///   - head: The head that the decision follows.
  init(
    on timelines: [Timeline], besides head: Head, in storage: any Storage
  ) async throws(TimelineError) {
    let entries = Set(timelines.flatMap(\.completedCommits)).filter { !head.knows($0.instant) }
    var present: [RecentDecision] = []
    var gone = try await Self.leftBehind(timelines, head, storage)
    for entry in entries.sorted(by: { $0.instant < $1.instant }) {
      let document: CommitDocument?
      do throws(TimelineError) { document = try await CommitLog(storage).document(of: entry) } catch {
        // It was archived or undone just now.
        if error.storageError?.code == .notFound {
          gone.insert(entry.instant)
          continue
        }
        guard error.code == .damaged || error.code == .unsupported else { throw error }
        document = nil
      }
      present.append(RecentDecision(sequence: 0, entry.instant, document))
    }
    var found = try await Self.archived(timelines, gone, head, storage)
    let known = Set(found.map(\.instant))
    found += present.filter { !known.contains($0.instant) }
    for index in found.indices { found[index].sequence = head.sequence + Int64(index) + 1 }
    decisions = found
  }

  /// Attempts that the last decision saw, and that an archiver may have taken away since: a slow one of another engine is
  /// archived as it completes, where many commits have come meanwhile.
  private static func leftBehind(
    _ timelines: [Timeline], _ head: Head, _ storage: any Storage
  ) async throws(TimelineError) -> Set<Instant> {
    guard let newest = timelines.last else { return [] }
    let present = Set(newest.entries.map(\.instant))
    var gone: Set<Instant> = []
    for instant in head.foreign where !present.contains(instant) && newest.isVisible(instant) {
      // What is older goes first, and mostly is there: then the attempt was rolled back.
      let older = timelines.dropLast().flatMap(\.completedCommits).last { $0.instant < instant }
      do {
        if let older, try await storage.exists(older.path) { continue }
      } catch { throw TimelineError(error) }
      gone.insert(instant)
    }
    return gone
  }

  /// Those that were archived before a decision saw them: they are known to be gone, or the greatest that is known was
  /// archived before them.
  private static func archived(
    _ timelines: [Timeline], _ gone: Set<Instant>, _ head: Head, _ storage: any Storage
  ) async throws(TimelineError) -> [RecentDecision] {
    let hasPassedAll =
      head.known.instants.last.map { last in
        !timelines.contains { $0.contains(last) } && timelines.contains { $0.isVisible(last) }
      } ?? false
    guard hasPassedAll || !gone.isEmpty else { return [] }
    let properties = try await TableProperties.load(from: storage)
    var found: [Instant: RecentDecision] = [:]
    do throws(TimelineError) {
      var entries = try await ArchivedTimeline.load(from: storage, folder: properties.archiveFolder).entries()
      while let archived = try await entries.next(where: { entry in
        entry.state == .completed && entry.action.writesData && !head.knows(entry.instant)
          && (gone.contains(entry.instant)
            || hasPassedAll && !timelines.contains { $0.contains(entry.instant) })
      }) {
        let metadata = try archived.metadata()
        found[archived.entry.instant] = RecentDecision(
          sequence: 0, archived.entry.instant, files: metadata?.files.compactMap(\.path),
          replaced: metadata?.replaced?.pairs.flatMap(\.value) ?? [], keepsDeletions: true,
          schema: RecentDecision.name(ofSchema: metadata?.schema), isForeign: true)
      }
    } catch {
      // What cannot be read is not known, and does not keep anybody from writing.
      guard error.code == .damaged || error.code == .unsupported else { throw error }
    }
    return found.values.sorted { $0.instant < $1.instant }
  }
}
