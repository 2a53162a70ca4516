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
    var found = try await Self.archived(timelines, head, storage)
    let known = Set(found.map(\.instant))
    let entries = Set(timelines.flatMap(\.completedCommits)).filter {
      !head.knows($0.instant) && !known.contains($0.instant)
    }
    for entry in entries.sorted(by: { $0.instant < $1.instant }) {
      let document: CommitDocument?
      do throws(TimelineError) { document = try await CommitLog(storage).document(of: entry) } catch {
        // It was archived or undone just now.
        if error.storageError?.code == .notFound { continue }
        guard error.code == .damaged || error.code == .unsupported else { throw error }
        document = nil
      }
      found.append(RecentDecision(sequence: 0, entry.instant, document))
    }
    for index in found.indices { found[index].sequence = head.sequence + Int64(index) + 1 }
    decisions = found
  }

  /// Those that were archived before a decision saw them: then the greatest that is known was archived before them.
  private static func archived(
    _ timelines: [Timeline], _ head: Head, _ storage: any Storage
  ) async throws(TimelineError) -> [RecentDecision] {
    guard let last = head.known.instants.last, !timelines.contains(where: { $0.contains(last) }),
      timelines.contains(where: { $0.isVisible(last) })
    else { return [] }
    let properties = try await TableProperties.load(from: storage)
    var found: [Instant: RecentDecision] = [:]
    do throws(TimelineError) {
      var entries = try await ArchivedTimeline.load(from: storage, folder: properties.archiveFolder).entries()
      while let archived = try await entries.next(where: { entry in
        entry.state == .completed && entry.action.writesData && !head.knows(entry.instant)
          && !timelines.contains { $0.contains(entry.instant) }
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
