import TarnBytes
import TarnStorage
import TarnTimeline

/// Cleans that another engine planned and did not bring to their end, which whoever cleans, holds or takes back commits does
/// first.
struct PendingCleans: Sendable {
  private let recovery: Recovery

  init(_ recovery: Recovery) { self.recovery = recovery }

  /// The age at which another engine's clean is taken to be a dead writer's, in microseconds, where nobody asks for it.
  private static let patience: Int64 = 10 * 60 * 1_000_000

  /// The first of them, of which all that Tarn decided is carried out; nil where there is none.
  ///
  /// - Parameter isAutomatic: Whether nobody asked for what is done, so that one that is perhaps under way is left alone.
  func first(of timeline: Timeline, isAutomatic: Bool = false) async throws(TableError) -> TimelineEntry? {
    guard let entry = timeline.pending.first(where: { $0.action == .clean }), isAutomatic else {
      return timeline.pending.first { $0.action == .clean }
    }
    do {
      let age = recovery.settings.now() - (try await recovery.storage.info(of: entry.path)).modified
      return age > Self.patience ? entry : nil
    } catch {
      if error.code == .notFound { return nil }
      throw TableError(error)
    }
  }

  /// What all of them would still remove, the oldest first.
  ///
  /// - Throws: ``TableError``, `damaged` where a plan cannot be read.
  func plans(of timeline: Timeline) async throws(TableError) -> [(instant: Instant, files: [String])] {
    var plans: [(instant: Instant, files: [String])] = []
    for entry in timeline.pending where entry.action == .clean {
      guard let decision = try await decision(entry, nil) else { continue }
      plans.append((entry.instant, decision.files))
    }
    return plans
  }

  /// The table's files without those that they will remove: what needs one of these cannot be done.
  ///
  /// - Throws: ``TableError``, `damaged` where a plan cannot be read.
  func view(_ properties: TableProperties, _ timeline: Timeline) async throws(TableError) -> FileSystemView {
    let gone = try await plans(of: timeline).flatMap(\.files)
    do throws(TimelineError) {
      let view = try await FileSystemView.load(
        from: recovery.storage, properties: properties, timeline: timeline)
      return gone.isEmpty ? view : view.without(Set(gone.map { ExactText($0) }))
    } catch { throw TableError(error) }
  }

  /// Does what one of them planned.
  ///
  /// - Returns: Whether it was done; false where another was faster.
  /// - Throws: ``TableError``, `damaged` where its plan cannot be read.
  func finish(
    _ entry: TimelineEntry, on head: LoadedHead, _ decided: DecidedTable
  ) async throws(TableError) -> Bool {
    guard let decision = try await decision(entry, decided.locking) else { return false }
    do throws(TimelineError) {
      guard try await decision.telling(recovery.settings).run(on: head, at: entry.instant) else {
        return false
      }
    } catch { throw TableError(error) }
    recovery.settings.tell(.rolledForward(instant: entry.instant, work: entry.action.rawValue))
    return true
  }

  /// Does what the first of them planned, where there is one, so that the table must be looked at again.
  ///
  /// - Returns: Whether there was one, and its instant where no other was faster.
  func finishFirst(
    of decided: DecidedTable
  ) async throws(TableError) -> (wasThere: Bool, finished: Instant?) {
    guard let entry = try await first(of: decided.listing.timeline) else { return (false, nil) }
    guard let head = try await recovery.stored(decided.head) else { return (true, nil) }
    return (true, try await finish(entry, on: head, decided) ? entry.instant : nil)
  }

  private func decision(
    _ entry: TimelineEntry, _ locking: HudiLocking?
  ) async throws(TableError) -> CleanDecision? {
    do throws(TimelineError) {
      return try await CleanDecision.finishing(entry, in: recovery.storage, recovery.heads, locking)
    } catch { throw TableError(error) }
  }
}

extension CleanDecision {
  /// The same clean, which tells how far it is.
  func telling(_ settings: TableSettings) -> CleanDecision {
    let counter = settings.counting(.clean, of: files.count, "files")
    var decision = self
    decision.told = { counter.advance(by: $0) }
    return decision
  }
}
