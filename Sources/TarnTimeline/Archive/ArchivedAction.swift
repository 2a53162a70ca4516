import TarnAvro
import TarnLogs
import TarnStorage

/// A completed action that goes into the archive, with what it says.
package struct ArchivedAction: Sendable {
  /// What an action says of what it did.
  package enum Metadata: Sendable {
    /// A commit, or a replacement.
    case commit(CommitMetadata)
    /// A clean.
    case clean(CleanMetadata)
    /// A rollback.
    case rollback(RollbackMetadata)
    /// The archive keeps nothing of it but that it was.
    case none
  }

  /// The action, completed.
  package let entry: TimelineEntry
  /// What it says.
  package let metadata: Metadata

  /// Pairs an action with what it says.
  package init(_ entry: TimelineEntry, _ metadata: Metadata) {
    self.entry = entry
    self.metadata = metadata
  }

  /// Reads what an action says.
  ///
  /// - Throws: ``TimelineError``: `damaged`, which names the file; `storage`.
  package static func load(
    _ entry: TimelineEntry, from storage: any Storage
  ) async throws(TimelineError) -> ArchivedAction {
    if entry.action.writesData {
      return ArchivedAction(entry, .commit(try await CommitLog(storage).metadata(of: entry)))
    }
    guard entry.action == .clean || entry.action == .rollback else { return ArchivedAction(entry, .none) }
    let bytes: [UInt8]
    do { bytes = try await storage.readAll(entry.path) } catch { throw TimelineError(error) }
    do throws(AvroError) {
      return entry.action == .clean
        ? ArchivedAction(entry, .clean(try CleanMetadata(avro: bytes)))
        : ArchivedAction(entry, .rollback(try RollbackMetadata(avro: bytes)))
    } catch {
      throw TimelineError(
        .damaged, path: entry.path, "no metadata of a \(entry.action.rawValue): \(error.description)",
        cause: error)
    }
  }

  /// The commit's metadata; nil for what is none.
  package var commit: CommitMetadata? { if case .commit(let metadata) = metadata { metadata } else { nil } }

  /// Bytes beyond which a block ends.
  private static let longestBlock = 8 << 20

  /// A file of the archive with all states of some actions.
  ///
  /// - Parameter tail: The file before it, whose records it takes over; nil for none.
  /// - Throws: Nothing that they can bring about.
  package static func file(
    of actions: [ArchivedAction], behind tail: ArchiveTail? = nil
  ) throws(AvroError) -> [UInt8] {
    let encoder = AvroEncoder(try AvroLayout(parsing: ArchiveSchema.text))
    var writer = LogWriter()
    var records = tail?.records ?? []
    var size = records.reduce(0) { $0 + $1.count }
    for action in actions {
      for state in [ActionState.requested, .inflight, .completed] {
        var record: [UInt8] = []
        try encoder.append(.record(action.record(state)), to: &record)
        size += record.count
        records.append(record)
      }
      guard size > longestBlock else { continue }
      writer.append(records: records, schema: ArchiveSchema.text)
      (records, size) = ([], 0)
    }
    if !records.isEmpty { writer.append(records: records, schema: ArchiveSchema.text) }
    return writer.bytes
  }

  private func record(_ state: ActionState) -> AvroRecord {
    var fields: [AvroValue.Entry] = [
      .init("commitTime", .string(entry.instant.text)), .init("actionType", .string(entry.action.rawValue)),
      .init("actionState", .string("\(state)".uppercased())),
    ]
    // What was planned is told by what was done.
    guard state == .completed else { return AvroRecord("", fields) }
    switch metadata {
    case .commit(let commit):
      let isReplacement = entry.action.completed == .replacecommit
      fields.append(
        .init(
          isReplacement ? "hoodieReplaceCommitMetadata" : "hoodieCommitMetadata",
          .record(commit.archived(isReplacement: isReplacement))))
    case .clean(let clean): fields.append(.init("hoodieCleanMetadata", .record(clean.record)))
    case .rollback(let rollback): fields.append(.init("hoodieRollbackMetadata", .record(rollback.record)))
    case .none: break
    }
    return AvroRecord("", fields)
  }
}
