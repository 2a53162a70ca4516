import TarnBytes

/// What the last commits wrote, as each commit of Tarn's carries it on, so that a writer which looks whether these files
/// are still there reads one commit and not thirty.
package struct RecentCommits: Sendable, Hashable {
  /// How many commits are remembered: as many as Hudi's writers leave on a timeline when they archive.
  package static let most = 30
  /// Files beyond which a commit's are not carried on.
  package static let mostFilesOfCommit = 64
  /// Files of all commits beyond which those of the oldest are not carried on.
  private static let mostFiles = 256
  /// The key of the commit's extra metadata.
  package static let key = "tarn.recent"

  /// A commit.
  package struct Entry: Sendable, Hashable {
    /// The commit's instant.
    package let instant: Instant
    /// The paths of the base files that it wrote; nil where they are not carried on.
    package var paths: [String]?
  }

  /// The commits, by instant.
  package private(set) var entries: [Entry] = []

  /// Begins with none.
  package init() {}

  /// Adds a commit behind those that are there.
  ///
  /// - Parameter paths: The base files that it wrote; nil where they are not known.
  package mutating func append(_ instant: Instant, _ paths: [String]?) {
    let isShort = paths.map { $0.count <= Self.mostFilesOfCommit } ?? false
    entries.append(Entry(instant: instant, paths: isShort ? paths : nil))
    entries.removeFirst(max(entries.count - Self.most, 0))
    var files = 0
    for index in entries.indices.reversed() {
      files += entries[index].paths?.count ?? 0
      if files > Self.mostFiles { entries[index].paths = nil }
    }
  }

  /// Forgets the files of file groups that were replaced.
  package mutating func remove(_ fileIDs: [String]) {
    guard !fileIDs.isEmpty else { return }
    let gone = Set(fileIDs)
    for index in entries.indices {
      entries[index].paths?.removeAll { BaseFileName(path: $0).map { gone.contains($0.fileID) } ?? false }
    }
  }

  /// The text that a commit carries.
  package var text: String {
    JSONValue.object(
      entries.map { entry in
        .init(entry.instant.text, entry.paths.map { .array($0.map { .string($0) }) } ?? .null)
      }
    ).text()
  }

  /// Reads the text of a commit; nil where it makes no sense.
  package init?(text: String) {
    guard let json = try? JSONValue(parsing: Array(text.utf8)), let members = json.members,
      members.count <= Self.most
    else { return nil }
    for member in members {
      guard let instant = Instant(member.key), entries.last.map({ $0.instant < instant }) ?? true else {
        return nil
      }
      if member.value == .null {
        entries.append(Entry(instant: instant, paths: nil))
        continue
      }
      guard let elements = member.value.elements else { return nil }
      let paths = elements.compactMap(\.string)
      guard paths.count == elements.count else { return nil }
      entries.append(Entry(instant: instant, paths: paths))
    }
  }
}
