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
    let prefix = TablePaths.folder + (folder.isEmpty ? "" : folder + "/") + prefix
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
    return ArchivedTimeline(storage: storage, files: files)
  }

  /// A reader of all entries, from the newest file on.
  package func entries() -> ArchivedEntries { ArchivedEntries(storage, files) }

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
  /// Files older than the one that has it are not read.
  ///
  /// - Throws: ``TimelineError``, as ``ArchivedEntries/next()``.
  package func commit(_ instant: Instant) async throws(TimelineError) -> ArchivedEntry? {
    var entries = entries()
    return try await entries.next {
      $0.instant == instant && $0.state == .completed && $0.action.writesData
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
