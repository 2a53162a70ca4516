import TarnBytes
import TarnStorage
import TarnTimeline

/// The base files that the latest commits left, so that a file that is gone is noticed.
///
/// A table's files are found by listing its folders, which does not tell of a file that is not there: its rows would
/// be taken as never written, or an older version of them as the present one. A writer asks the last thirty commits, of
/// which each commit of Tarn's tells those before it, so that one is read; of a commit that wrote many files only while
/// it is the newest. A reader asks only those that it has read for the schema, mostly one.
struct WrittenFiles: Sendable {
  /// The last commit that wrote each file group, and the file, by partition.
  private var latest: [ExactText: [String: (instant: Instant, path: String)]] = [:]
  /// What the next commit carries on.
  private(set) var recent = RecentCommits()

  /// The file groups that were found.
  var fileIDs: some Sequence<String> { latest.values.lazy.flatMap(\.keys) }

  /// Finds out what the latest commits wrote in some partitions; one that cannot be read tells nothing.
  init(
    _ state: TableState, _ storage: any Storage, parallelism: Int,
    where isWanted: @escaping @Sendable (String) -> Bool
  ) async throws {
    let entries = Array(state.timeline.completedCommits.suffix(RecentCommits.most))
    var documents: [Instant: CommitDocument] = [:]
    for (instant, document) in state.latestCommits { documents[instant] = document }
    let log = CommitLog(storage)
    if let last = entries.last, documents[last.instant] == nil {
      documents[last.instant] = try await Self.document(of: last, log)
    }
    let carried = entries.last.flatMap { documents[$0.instant] }?.extra[RecentCommits.key]
      .flatMap { RecentCommits(text: $0) }
    // Commits of other engines that it does not know, and all where it is another engine's or an older build's.
    let named = Set(carried?.entries.map(\.instant) ?? [])
    let unread = entries.filter { documents[$0.instant] == nil && !named.contains($0.instant) }
    let read = try await concurrently(unread, width: parallelism) { try await Self.document(of: $0, log) }
    for (entry, document) in zip(unread, read) { documents[entry.instant] = document }
    var told: [Instant: [String]] = [:]
    for commit in carried?.entries ?? [] { told[commit.instant] = commit.paths }
    for entry in entries {
      if let document = documents[entry.instant] {
        add(document, entry.instant, where: isWanted)
        recent.append(entry.instant, document.paths)
        recent.remove((try? document.replaced { _ in true })?.flatMap(\.groups) ?? [])
      } else {
        add(told[entry.instant] ?? [], entry.instant, where: isWanted)
        recent.append(entry.instant, told[entry.instant])
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

extension CommitDocument {
  /// The paths of the base files that the commit wrote, as the next one carries them on; nil where they are many, or
  /// more must be known of it.
  fileprivate var paths: [String]? {
    guard partitions.count <= RecentCommits.mostFilesOfCommit, let files = try? files(where: { _ in true }),
      files.count <= RecentCommits.mostFilesOfCommit
    else { return nil }
    let paths = files.compactMap(\.file.path)
    return paths.count == files.count && !paths.contains("") ? paths : nil
  }
}
