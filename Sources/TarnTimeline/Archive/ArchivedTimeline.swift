import TarnAvro
import TarnBytes
import TarnLogs
import TarnStorage

/// What left the timeline of a table of layout 1: actions in log files of their own, as Hudi's writers archive them.
///
/// It is long, so it is read through and never held: the newest file first, and a file from its begin on. Within a file
/// an action's states follow one another, but actions of different kinds may stand in any order; and a writer that died
/// while it merged files of the archive may have left an entry in two of them.
/// Source: `HoodieArchivedTimeline`; part A of the format, section 2.
package struct ArchivedTimeline: Sendable {
  /// A file of the archive.
  package struct File: Sendable, Hashable {
    /// The path relative to the table.
    package let path: String
    /// The number by which files follow one another.
    package let number: Int
    /// The size in bytes.
    package let size: Int
  }

  /// The table's storage.
  let storage: any Storage
  /// The files, the newest first.
  package let files: [File]
  /// The folder within the timeline's; empty for that itself.
  let folder: String

  /// The folder of the archive within the timeline's, where the table's properties name no other.
  package static let folder = "archived"
  private static let prefix = ".commits_.archive."

  /// Lists the archive of a table; one without any has no files.
  ///
  /// - Parameter folder: What the property `hoodie.archivelog.folder` says; empty for the timeline's own.
  /// - Throws: ``TimelineError`` with code `storage`.
  package static func load(
    from storage: any Storage, folder: String = folder
  ) async throws(TimelineError) -> ArchivedTimeline {
    let prefix = Self.prefix(in: folder)
    let page: ListingPage
    do { page = try await storage.listAll(prefix: prefix, stoppingAtSlash: true) } catch {
      throw TimelineError(error)
    }
    var files: [File] = []
    for object in page.objects {
      // A number, and behind an underscore the writer's token.
      let name = object.path.dropFirst(prefix.count)
      let digits = name.prefix { $0 != "_" }
      guard let number = Int(digits), number >= 0, !name.contains(".") else { continue }
      files.append(File(path: object.path, number: number, size: object.size))
    }
    files.sort { ($0.number, $0.path) > ($1.number, $1.path) }
    return ArchivedTimeline(storage: storage, files: files, folder: folder)
  }

  private static func prefix(in folder: String) -> String {
    TablePaths.folder + (folder.isEmpty ? "" : folder + "/") + prefix
  }

  /// The path of the next file, which no other writer takes: Hudi's writers have another token behind the number.
  ///
  /// - Parameter mark: A random number.
  package func nextFile(mark: UInt64) -> String {
    let (number, overflow) = (files.first?.number ?? 0).addingReportingOverflow(1)
    return "\(Self.prefix(in: folder))\(overflow ? Int.max : number)_1-\(mark % Self.marks + 1)-1"
  }

  /// How many marks there are, in the range of Java's `int`.
  private static let marks: UInt64 = 1 << 30

  /// Whether a path is one of the archive's files that Tarn has named.
  package static func isOwnFile(_ path: String) -> Bool {
    let name = TablePaths.name(of: path)
    guard path.hasPrefix(TablePaths.folder), name.hasPrefix(prefix), !path.contains("..") else {
      return false
    }
    let words = name.dropFirst(prefix.count).split(separator: "_", omittingEmptySubsequences: false)
    guard words.count == 2, let number = Int(words[0]), number >= 0 else { return false }
    let token = words[1].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    return token.count == 3 && token[0] == 1 && (token[1] ?? 0) > 0 && token[2] == 1
  }

  /// A reader of all entries, from the newest file on.
  package func entries() -> ArchivedEntries { ArchivedEntries(files, of: self) }

  /// What the archive has of an instant, in all states.
  ///
  /// - Throws: ``TimelineError``, as ``ArchivedEntries/next()``.
  package func entries(of instant: Instant) async throws(TimelineError) -> [ArchivedEntry] {
    var found: [ArchivedEntry] = []
    var entries = entries()
    while let entry = try await entries.next(where: { $0.instant == instant }) { found.append(entry) }
    return found
  }

  /// Whether a commit stands though it left the timeline.
  ///
  /// - Throws: ``TimelineError``, as ``ArchivedEntries/next()``.
  package static func has(
    _ instant: Instant, in storage: any Storage
  ) async throws(TimelineError) -> Bool {
    let folder = try await TableProperties.load(from: storage).archiveFolder
    return try await load(from: storage, folder: folder).commit(instant) != nil
  }

  /// The completed action of an instant that wrote data; nil where none was archived.
  ///
  /// Files older than the one that has it are not read. Where it is not found, the archive is listed once more: a listing
  /// that was walked while a file took another's place may show neither.
  ///
  /// - Throws: ``TimelineError``, as ``ArchivedEntries/next()``.
  package func commit(_ instant: Instant) async throws(TimelineError) -> ArchivedEntry? {
    var archive = self
    for _ in 0..<Self.mostListings {
      var walk = archive.walk(downTo: instant)
      let found = try await walk.next {
        $0.instant == instant && $0.state == .completed && $0.action.writesData
      }
      if let found { return found }
      let present = try await Self.load(from: storage, folder: folder)
      guard present.files != archive.files else { return nil }
      archive = present
    }
    return nil
  }

  /// How often an archive is listed whose files change while it is searched.
  private static let mostListings = 5

  /// A reader of what was archived, from the newest file on, down to an instant as far as that can be told.
  package func walk(downTo instant: Instant) -> ArchiveWalk { ArchiveWalk(self, downTo: instant) }
}

/// Reads an archive from its newest file on, and ends where all that is older has come.
///
/// What Tarn archives is the oldest part of the timeline, and lies in its file by instants: where such a file begins with
/// an instant that is not greater than what is looked for, whatever was archived before is older. Another engine's file
/// tells nothing of the kind: it may hold what was merged of older ones.
package struct ArchiveWalk: ~Copyable, Sendable {
  private let archive: ArchivedTimeline
  private var files: ArraySlice<ArchivedTimeline.File>
  private let last: Instant
  private var entries: ArchivedEntries
  /// Whether the file that is read is one of Tarn's.
  private var isOwn = false
  private var isLastFile = false

  init(_ archive: ArchivedTimeline, downTo last: Instant) {
    self.archive = archive
    files = archive.files[...]
    self.last = last
    entries = ArchivedEntries([], of: archive)
  }

  /// The next entry that is wanted.
  ///
  /// - Throws: ``TimelineError``, as ``ArchivedEntries/next()``.
  package mutating func next(
    where isWanted: (TimelineEntry) -> Bool
  ) async throws(TimelineError) -> ArchivedEntry? {
    while true {
      let (isOwn, last) = (isOwn, last)
      var reachesEnd = false
      let found = try await entries.next { entry in
        if isOwn, entry.instant <= last { reachesEnd = true }
        return isWanted(entry)
      }
      if reachesEnd { isLastFile = true }
      if let found { return found }
      guard !isLastFile, let file = files.popFirst() else { return nil }
      self.isOwn = ArchivedTimeline.isOwnFile(file.path)
      entries = ArchivedEntries([file], of: archive)
    }
  }
}

/// An action in one state, as it was archived.
package struct ArchivedEntry: Sendable {
  /// The action.
  package let entry: TimelineEntry
  /// The file of the archive that has it.
  package let path: String
  /// Where it lies in that file.
  package let offset: Int
  /// The whole record, in which the metadata is read when it is asked for.
  let record: [UInt8]
  let decoder: AvroDecoder

  /// The fields with the metadata of commits, by what they are of.
  private static let fields = [
    "hoodieReplaceCommitMetadata", "hoodieCommitMetadata", "HoodieInflightReplaceMetadata",
  ]

  /// What the commit did; nil for actions that are none, and for those that were only requested.
  ///
  /// What an archive does not keep is as if it had been nothing.
  ///
  /// - Throws: ``TimelineError`` with code `damaged`.
  package func metadata() throws(TimelineError) -> CommitMetadata? {
    guard entry.action.writesData, entry.state != .requested else { return nil }
    do throws(AvroError) {
      var reader = ByteReader(record.span.bytes)
      let found = try decoder.record(from: &reader, fields: Set(Self.fields))
      for field in Self.fields {
        if let metadata = try found.record(field) { return try CommitMetadata(record: metadata) }
      }
      return nil
    } catch {
      throw TimelineError(
        .damaged, path: path, "no commit metadata of \(entry.instant) at byte \(offset): \(error.description)"
      )
    }
  }
}
