import Synchronization
import TarnTimeline

/// A commit whose files are written, and which waits to be decided.
struct CommitCandidate: Sendable {
  /// The names of the attempt's files on the timeline.
  let files: InstantFiles
  /// What its completed file will say, but for its position.
  let metadata: CommitMetadata
  /// What it stands on.
  let claim: WriteClaim
  /// The table as it was when it was found out what is to be written.
  let base: CommitBase
  /// The timeline as it was before the attempt began, however often the write looked again since.
  let begun: Timeline
  /// Whether it keeps deletions that no file group is known to keep.
  let keepsDeletions: Bool
  /// Which version of an application it is; nil for none.
  let transaction: WriteTransaction?

  /// The attempt's instant.
  var instant: Instant { files.instant }

  /// Where what came since the attempt began can first stand on the timeline.
  var whereNewsBegin: Instant? {
    guard let first = begun.whereNewsBegin, let second = base.timeline.whereNewsBegin else { return nil }
    return min(first, second)
  }

  /// As those who began before must know it.
  func decision(_ sequence: Int64) -> RecentDecision {
    let paths = metadata.files.compactMap(\.path)
    return RecentDecision(
      sequence: sequence, instant, files: paths, replaced: metadata.replaced?.pairs.flatMap(\.value) ?? [],
      keepsDeletions: keepsDeletions, schema: RecentDecision.name(ofSchema: metadata.schema))
  }
}

/// The state of a table on which a commit stands.
struct CommitBase: Sendable {
  /// The head, read before the timeline.
  let head: LoadedHead
  /// The timeline.
  let timeline: Timeline
  /// How the lock of other engines is taken; nil where they have none.
  let locking: HudiLocking?
}

/// What was decided of a commit.
enum CommitAnswer: Sendable {
  /// It stands.
  case decided(DecidedCommit)
  /// It does not yet: something came where it looked, so that it must look again.
  case look
  /// It does not: another changed what it changes.
  case conflict(TableError)
  /// It does not, nor will it: this version of its application stands already.
  case repeated(ApplicationVersion)
  /// It does not, nor will it.
  case refused(TableError)
  /// It was decided, and another engine took it back: what is left of it is that engine's to remove.
  case undone(TableError)
  /// It may stand, or may yet.
  case unknown(TimelineError)
}

/// A commit that stands.
struct DecidedCommit: Sendable {
  /// How far the table has come with it.
  let position: TablePosition
  /// What is to be told of it.
  let warnings: [CommitWarning]
}

/// A version of an application that writes each of its versions once; see ``WriteOptions``.
public struct WriteTransaction: Sendable, Hashable {
  /// The application's name.
  public var application: String
  /// The version, which rises from one write of the application to the next.
  public var version: Int64

  /// Makes a transaction.
  public init(application: String, version: Int64) {
    self.application = application
    self.version = version
  }
}

/// Contents that were written for decisions which were not made.
final class Leftovers: Sendable {
  private let found = Mutex<(paths: [String], isTidied: Bool)>(([], false))
  private let remove: @Sendable ([String]) async -> Void

  /// - Parameter remove: Removes paths, and whatever else an attempt leaves whose commit stands.
  init(removing remove: @escaping @Sendable ([String]) async -> Void) { self.remove = remove }

  func add(_ paths: [String]) { found.withLock { $0.paths += paths } }

  var paths: [String] { found.withLock { $0.paths } }

  /// Removes all that a commit leaves that stands, once.
  ///
  /// - Parameter left: What was put in its place and may lie where it was, too.
  func tidy(with left: [String] = []) async {
    let paths = found.withLock { found -> [String]? in
      defer { found.isTidied = true }
      return found.isTidied ? nil : found.paths + left
    }
    if let paths { await remove(paths) }
  }
}
