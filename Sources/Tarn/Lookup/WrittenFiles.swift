import TarnBytes
import TarnStorage
import TarnTimeline

/// The base files that the latest commits left, so that a file that is gone is noticed.
///
/// A table's files are found by listing its folders, which does not tell of a file that is not there: its rows would
/// be taken as never written, or an older version of them as the present one. A writer asks the last thirty commits,
/// which the table's head tells; of a commit that wrote many files only while it is the newest. A reader asks only those
/// that it has read for the schema, mostly one.
struct WrittenFiles: Sendable {
  /// The last commit that wrote each file group, and the file, by partition.
  private var latest: [ExactText: [String: (instant: Instant, path: String)]] = [:]
  /// The file groups that were found.
  var fileIDs: some Sequence<String> { latest.values.lazy.flatMap(\.keys) }

  /// Finds out what the latest commits wrote in some partitions; one that cannot be read tells nothing.
  init(
    _ state: TableState, _ storage: any Storage, parallelism: Int,
    where isWanted: @escaping @Sendable (String) -> Bool
  ) async throws {
    let entries = Array(state.timeline.completedCommits.suffix(Head.mostRecent))
    var documents: [Instant: CommitDocument] = [:]
    for (instant, document) in state.latestCommits { documents[instant] = document }
    var told: [Instant: RecentDecision] = [:]
    for decision in state.head?.head.recent ?? [] { told[decision.instant] = decision }
    let log = CommitLog(storage)
    // Of one that replaced many file groups the head tells nothing.
    let unread = entries.filter { documents[$0.instant] == nil && told[$0.instant]?.replaced == nil }
    let read = try await concurrently(unread, width: parallelism) { try await Self.document(of: $0, log) }
    for (entry, document) in zip(unread, read) { documents[entry.instant] = document }
    for entry in entries {
      if let document = documents[entry.instant] {
        add(document, entry.instant, where: isWanted)
      } else if let decision = told[entry.instant] {
        add(decision.files ?? [], entry.instant, where: isWanted)
        for group in decision.replaced ?? [] {
          for partition in latest.keys { latest[partition]?[group] = nil }
        }
      }
    }
  }

  /// Takes what commits wrote that were read already; each must be newer than the one before.
  init(_ commits: [(instant: Instant, document: CommitDocument)], where isWanted: (String) -> Bool) {
    for commit in commits { add(commit.document, commit.instant, where: isWanted) }
  }

  private static func document(
    of entry: TimelineEntry, _ log: CommitLog
  ) async throws(TimelineError) -> CommitDocument? {
    do throws(TimelineError) { return try await log.document(of: entry) } catch {
      guard error.code == .damaged else { throw error }
      return nil
    }
  }

  private mutating func add(
    _ document: CommitDocument, _ instant: Instant, where isWanted: (String) -> Bool
  ) {
    for (partition, file) in (try? document.files(where: isWanted)) ?? [] {
      guard let path = file.path, !path.isEmpty else { continue }
      latest[ExactText(partition), default: [:]][file.fileID] = (instant, path)
    }
    for (partition, groups) in (try? document.replaced(where: isWanted)) ?? [] {
      for group in groups { latest[ExactText(partition)]?[group] = nil }
    }
  }

  private mutating func add(_ paths: [String], _ instant: Instant, where isWanted: (String) -> Bool) {
    for path in paths {
      let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
      let partition = slash.map { String(path[..<$0]) } ?? ""
      guard isWanted(partition), let file = BaseFileName(path: path) else { continue }
      latest[ExactText(partition), default: [:]][file.fileID] = (instant, path)
    }
  }

  /// Checks that the files are among those that were found, before a write.
  ///
  /// - Parameter slices: The latest slices of the partitions that were wanted.
  /// - Throws: ``TableError`` with code `damaged` that names a file which is gone.
  func check(_ slices: [FileSlice]) throws(TableError) {
    guard let gone = firstGone(slices) else { return }
    throw gone.error("nothing is written")
  }

  /// A file that a commit wrote and that is not there.
  struct GoneFile {
    let path: String
    let instant: Instant

    /// The error, which says what does not happen because of it.
    func error(_ consequence: String) -> TableError {
      TableError(
        .damaged,
        "\(path): commit \(instant.text) wrote this base file, and it is gone: \(consequence); restore the file, or "
          + "roll the table back to before that commit", path: path)
    }
  }

  /// One of the files that is not among those that were found; nil where all are.
  func firstGone(_ slices: [FileSlice]) -> GoneFile? {
    var found: [ExactText: [String: Instant]] = [:]
    for slice in slices { found[ExactText(slice.partitionPath), default: [:]][slice.fileID] = slice.instant }
    for (partition, files) in latest {
      for (fileID, file) in files where (found[partition]?[fileID]).map({ $0 < file.instant }) ?? true {
        return GoneFile(path: file.path, instant: file.instant)
      }
    }
    return nil
  }
}
