import Synchronization
import TarnTimeline

/// What a process has learnt of a table's commits and cleans, which never change: so that it need not ask behind each commit
/// of its own whether a service is due.
final class ServiceMemory: Sendable {
  private struct State {
    /// The partitions in which commits wrote new versions of file groups.
    var rewritten: [Instant: [String]] = [:]
    var cleans: [Instant: LastClean] = [:]
    /// So many actions must be on the timeline before it is looked again what can be archived.
    var leastActions = 0
    /// So many commits pass before small files are packed again.
    var unpackedCommits = 0
  }

  private let state = Mutex(State())

  /// The most commits and cleans that are kept in mind.
  private static let most = 512
  /// So many actions must have come since an archive found nothing to do.
  private static let pause = 10
  /// So many commits pass behind a packing that came to nothing, since others changed the same files.
  private static let packingPause = 5

  /// The partitions in which a commit wrote new versions of file groups; nil where that is not known.
  func rewritten(by instant: Instant) -> [String]? { state.withLock { $0.rewritten[instant] } }

  /// Keeps in mind what a commit wrote.
  func note(_ instant: Instant, rewriting partitions: [String]) {
    state.withLock { state in
      state.rewritten[instant] = partitions
      guard state.rewritten.count > Self.most, let oldest = state.rewritten.keys.min() else { return }
      state.rewritten[oldest] = nil
    }
  }

  /// What a clean looked at; nil where that is not known.
  func clean(at instant: Instant) -> LastClean? { state.withLock { $0.cleans[instant] } }

  /// Keeps in mind what a clean looked at.
  func note(_ clean: LastClean, at instant: Instant) {
    state.withLock { state in
      state.cleans[instant] = clean
      guard state.cleans.count > Self.most, let oldest = state.cleans.keys.min() else { return }
      state.cleans[oldest] = nil
    }
  }

  /// Whether there may be something to archive, of so many actions.
  func mayArchive(of actions: Int) -> Bool { state.withLock { actions >= $0.leastActions } }

  /// Keeps in mind that of so many actions there was nothing to archive, or that there was something.
  func note(foundToArchive: Bool, of actions: Int) {
    state.withLock { $0.leastActions = foundToArchive ? 0 : actions + Self.pause }
  }
}

extension ServiceMemory {
  /// Whether small files may be packed behind a commit.
  func mayPack() -> Bool {
    state.withLock { state in
      guard state.unpackedCommits > 0 else { return true }
      state.unpackedCommits -= 1
      return false
    }
  }

  /// Keeps in mind whether small files were packed.
  func note(packed: Bool) { state.withLock { $0.unpackedCommits = packed ? 0 : Self.packingPause } }
}

/// What the last clean of a table looked at.
struct LastClean: Sendable, Hashable {
  /// The oldest commit that it kept whole; nil where it did not go by commits.
  let earliest: Instant?
  /// The latest commit that it saw; nil where it does not say.
  let last: Instant?
  /// The savepoints that it saw.
  let savepoints: String
  /// What it kept, as Tarn's cleans say; nil for those of other engines.
  let retention: String?
}
