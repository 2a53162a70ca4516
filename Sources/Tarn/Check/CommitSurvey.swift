import TarnBytes
import TarnStorage
import TarnTimeline

/// What the completed commits of the timeline tell, read some at a time.
struct CommitSurvey: Sendable {
  /// A data file that is the latest of its file group.
  struct NamedFile: Sendable {
    let path: String
    /// The commit that wrote it.
    let instant: Instant
    /// The rows that it holds.
    let rows: Int64
    /// Its size in bytes; 0 where the commit does not tell.
    let size: Int64
  }

  /// The latest file of each file group that commits on the timeline wrote, by partition and file id.
  private(set) var latest: [ExactText: [String: NamedFile]] = [:]
  /// The position of each commit that tells it.
  private(set) var positions: [(instant: Instant, position: TablePosition)] = []
  /// The positions of these, and of those of other engines that they took in.
  private(set) var sequences: [TablePosition] = []
  /// Commits that cannot be read, or tell nothing.
  private(set) var silent: Set<Instant> = []
  private(set) var findings: [CheckFinding] = []
  /// Hashes of the paths of all files that were named.
  private var named: Set<UInt64> = []

  /// How many commits are held at once.
  private static let commitsAtOnce = 16

  /// Reads the commits of a timeline.
  init(_ timeline: Timeline, _ storage: any Storage) async throws {
    let log = CommitLog(storage)
    var rest = timeline.completedCommits[...]
    while !rest.isEmpty {
      let some = Array(rest.prefix(Self.commitsAtOnce))
      rest = rest.dropFirst(some.count)
      let read = try await concurrently(some, width: storage.costs.requestsAtOnce) { entry in
        await Self.document(of: entry, log)
      }
      for (entry, result) in zip(some, read) {
        switch result {
        case .success(let document): try add(document, entry)
        case .failure(let error):
          guard error.code == .damaged || error.code == .unsupported else { throw error }
          silent.insert(entry.instant)
          findings.append(CheckFinding(.damaged, entry.path, error.message))
        }
      }
    }
  }

  private static func document(
    of entry: TimelineEntry, _ log: CommitLog
  ) async -> Result<CommitDocument, TimelineError> {
    do throws(TimelineError) { return .success(try await log.document(of: entry)) } catch {
      return .failure(error)
    }
  }

  private mutating func add(_ document: CommitDocument, _ entry: TimelineEntry) throws {
    let instant = entry.instant
    guard !document.isBlank else {
      silent.insert(instant)
      findings.append(CheckFinding(.damaged, entry.path, "this commit is completed, and its file is empty"))
      return
    }
    if let position = document.extra[CommitMetadata.positionKey].flatMap({ TablePosition($0) }) {
      positions.append((instant, position))
      sequences += Self.sequences(position, document.extra)
    }
    for (partition, groups) in try document.replaced(where: { _ in true }) {
      for group in groups { latest[ExactText(partition)]?[group] = nil }
    }
    for (partition, file) in try document.files(where: { _ in true }) {
      guard let path = file.path, !path.isEmpty else { continue }
      named.insert(Self.hash(path))
      latest[ExactText(partition), default: [:]][file.fileID] = NamedFile(
        path: path, instant: instant, rows: file.writes, size: file.fileSize)
    }
  }

  /// The position of a commit, and of those of other engines that it took in.
  static func sequences(_ position: TablePosition, _ extra: OrderedMap<String>) -> [TablePosition] {
    let others = CommitMetadata.takenIn(extra[CommitMetadata.takenInKey] ?? "")
    return [position] + others.map { TablePosition(epoch: position.epoch, sequence: $0.sequence) }
  }

  private static func hash(_ path: String) -> UInt64 { XXH64.hash(path.utf8.span.bytes) }

  /// Whether a commit names a file of its own.
  func names(_ path: String, of instant: Instant) -> Bool {
    silent.contains(instant) || named.contains(Self.hash(path))
  }
}
