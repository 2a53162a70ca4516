import TarnBytes
import TarnStorage
import TarnTimeline

/// The base files that the latest commits left, so that a file that is gone is noticed.
///
/// A table's files are found by listing its folders, which does not tell of a file that is not there: its rows would
/// be taken as never written, or an older version of them as the present one. A writer asks the latest commits; a
/// reader only those that it has read for the schema, mostly one.
struct WrittenFiles {
  /// How many commits a writer asks.
  ///
  /// As many as Hudi's writers leave on a timeline when they archive; with more, the cost of a write would grow with
  /// the table's age.
  static let commits = 30

  /// The last commit that wrote each file group, and the file, by partition.
  private var latest: [ExactText: [String: (instant: Instant, path: String)]] = [:]

  /// The file groups that were found.
  var fileIDs: some Sequence<String> { latest.values.lazy.flatMap(\.keys) }

  /// Reads what the latest commits wrote; one that cannot be read tells nothing.
  init(_ storage: any Storage, _ timeline: Timeline, parallelism: Int) async throws(TableError) {
    let log = CommitLog(storage)
    let entries = Array(timeline.completedCommits.suffix(Self.commits))
    let read = try await tableErrors {
      try await concurrently(entries, width: parallelism) { entry -> (Instant, CommitMetadata?) in
        do { return (entry.instant, try await log.metadata(of: entry)) } catch let error as TimelineError {
          guard case .damaged = error.code else { throw error }
          return (entry.instant, nil)
        }
      }
    }
    for (instant, metadata) in read {
      if let metadata { add(metadata, instant) }
    }
  }

  /// Takes what commits wrote that were read already; each must be newer than the one before.
  init(_ commits: [(instant: Instant, metadata: CommitMetadata)]) {
    for commit in commits { add(commit.metadata, commit.instant) }
  }

  private mutating func add(_ metadata: CommitMetadata, _ instant: Instant) {
    for (partition, files) in metadata.partitions.pairs {
      for file in files {
        guard let path = file.path, !path.isEmpty else { continue }
        latest[ExactText(partition), default: [:]][file.fileID] = (instant, path)
      }
    }
    for (partition, groups) in metadata.replaced?.pairs ?? [] {
      for group in groups { latest[ExactText(partition)]?[group] = nil }
    }
  }

  /// Checks that the files are among those that were found, before a write.
  ///
  /// - Parameters:
  ///   - slices: The latest slices of the partitions.
  ///   - isWanted: Whether a partition matters; slices of others need not be given.
  /// - Throws: ``TableError`` with code `damaged` that names a file which is gone.
  func check(
    _ slices: [FileSlice], of isWanted: (String) throws(TableError) -> Bool
  ) throws(TableError) {
    guard let gone = try firstGone(slices, of: isWanted) else { return }
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
          + "roll the table back to before that commit")
    }
  }

  /// One of the files that is not among those that were found; nil where all are.
  func firstGone(
    _ slices: [FileSlice], of isWanted: (String) throws(TableError) -> Bool = { _ in true }
  ) throws(TableError) -> GoneFile? {
    var found: [ExactText: [String: Instant]] = [:]
    for slice in slices { found[ExactText(slice.partitionPath), default: [:]][slice.fileID] = slice.instant }
    for (partition, files) in latest where try isWanted(partition.text) {
      for (fileID, file) in files where (found[partition]?[fileID]).map({ $0 < file.instant }) ?? true {
        return GoneFile(path: file.path, instant: file.instant)
      }
    }
    return nil
  }
}
