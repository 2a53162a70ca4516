import TarnAvro
import TarnBytes
import TarnStorage

/// A clustering or replacement of another engine that is under way, or was left so, and what it is about.
///
/// What it names nobody else changes until it has come to its end, which its engine would not look for; all else of the
/// table is free.
package struct PendingReplacement: Sendable, Hashable {
  /// Its entry on the timeline.
  package let entry: TimelineEntry
  private let scope: Scope

  private enum Scope: Sendable, Hashable {
    /// It names the file groups that go.
    case groups(Set<String>)
    /// It replaces whatever is in some partitions.
    case partitions(Set<ExactText>)
    /// It does not say.
    case unknown
  }

  private init(_ entry: TimelineEntry, _ scope: Scope) {
    self.entry = entry
    self.scope = scope
  }

  /// Reads those of a timeline; Tarn's own are decided by the head, and are not among them.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package static func load(
    _ timeline: Timeline, from storage: any Storage
  ) async throws(TimelineError) -> [PendingReplacement] {
    var found: [PendingReplacement] = []
    for entry in timeline.pending where entry.action.completed == .replacecommit {
      if let one = try await load(entry, storage) { found.append(one) }
    }
    return found
  }

  /// Reads one; nil for one of Tarn's, and where it went away meanwhile.
  private static func load(
    _ entry: TimelineEntry, _ storage: any Storage
  ) async throws(TimelineError) -> PendingReplacement? {
    var workload: CommitMetadata?
    if entry.state == .inflight {
      do throws(TimelineError) { workload = try await CommitLog(storage).metadata(of: entry) } catch {
        switch error.code {
        // Tarn's own appear whole.
        case .damaged, .unsupported: break
        default:
          if error.storageError?.code == .notFound { return nil }
          throw error
        }
      }
      if workload?.writer != nil { return nil }
    } else if try await Liveness(storage).isOwn(entry.instant) {
      return nil
    }
    let plan = try await storage.readPlan(entry.with(.requested).path)
    // A request went away meanwhile; what is under way is, whatever became of its request.
    if plan == nil, entry.state == .requested { return nil }
    let bytes = plan ?? []
    // Some writers of Hudi's leave the request of an overwrite empty.
    let request = bytes.isEmpty ? nil : try? ReplaceRequest(avro: bytes)
    if let clustering = request?.plan {
      return PendingReplacement(entry, .groups(Set(clustering.groups.flatMap(\.slices).compactMap(\.fileID))))
    }
    // An overwrite of the table names the partitions of its rows, and replaces others, too; a deletion names none.
    if let workload, workload.operation == .insertOverwrite, !workload.partitions.isEmpty {
      return PendingReplacement(entry, .partitions(Set(workload.partitions.keys.map { ExactText($0) })))
    }
    return PendingReplacement(entry, .unknown)
  }

  /// Whether it may be about anything.
  package var isUnknown: Bool { scope == .unknown }

  /// Whether it is about a file group.
  package func names(_ fileID: String, in partition: String) -> Bool {
    switch scope {
    case .groups(let groups): groups.contains(fileID)
    case .partitions(let partitions): partitions.contains(ExactText(partition))
    case .unknown: true
    }
  }

  /// Whether it is about a whole partition, so that new file groups there are not safe from it either.
  package func takes(_ partition: String) -> Bool {
    switch scope {
    case .groups: false
    case .partitions(let partitions): partitions.contains(ExactText(partition))
    case .unknown: true
    }
  }
}
