import Tarn
import TarnColumns
import TarnTimeline

/// `tarn timeline`.
enum TimelineCommand {
  static let command = Command(
    name: "timeline", summary: "Lists what was done to a table, by instant.",
    options: [Options.includesArchive, Options.reportFormat],
    notes: [
      "The position of a commit tells how many decisions stand before it; instants need not be in that order. What is not "
        + "completed has its age, and how it stands with it: alive and dead tell of a writer of Tarn's, decided is what "
        + "appears with the next write, doubtful what no write rolls back, foreign what another engine began. See tarn "
        + "help rollback.",
      "With --all, what was archived comes first, of Tarn's and of Spark's archives.",
    ]
  ) { arguments in
    try await TableAccess(arguments).located { access in
      let table = try await access.open()
      var rows = ReportRows([
        "instant": .string, "action": .string, "state": .string, "operation": .string, "inserted": .int64,
        "updated": .int64, "deleted": .int64, "files": .int64, "bytes": .int64, "position": .string,
        "attempt": .string, "age_seconds": .int64,
      ])
      let attempts = Dictionary(
        try await table.attempts().map { ($0.entry.instant, $0) }, uniquingKeysWith: { first, _ in first })
      let timeline = try await table.timeline()
      if arguments.has(Options.includesArchive) {
        for row in try await archived(table, access, besides: timeline) { try rows.append(row) }
      }
      for entry in timeline.entries {
        let isCommit = entry.state == .completed && entry.action.writesData
        let metadata = isCommit ? try await table.metadata(of: entry) : nil
        let attempt = entry.state == .completed ? nil : attempts[entry.instant]
        try rows.append(
          try row(entry, metadata, access) + [
            .text(attempt?.state.description), .number(attempt?.age.components.seconds),
          ])
      }
      try await (arguments[Options.reportFormat] ?? .standard).write(try rows.batch())
    }
  }

  /// What is told of an action, but for how it stands with it.
  private static func row(
    _ entry: TimelineEntry, _ metadata: CommitMetadata?, _ access: TableAccess
  ) throws -> [ReportRows.Cell] {
    let files = metadata?.files
    func sum(_ value: (WriteStatistics) -> Int64) throws -> ReportRows.Cell {
      guard let files else { return .number(nil) }
      guard let total = WriteStatistics.total(files, value) else {
        throw CommandError(
          "\(access.path): instant \(entry.instant.text): the statistics of its files add up to more than "
            + "2^63: its metadata is damaged")
      }
      return .number(total)
    }
    return [
      .text(entry.instant.text), .text(entry.action.rawValue), .text("\(entry.state)"),
      .text(metadata?.operation?.rawValue.lowercased()), try sum(\.inserts), try sum(\.updates),
      try sum(\.deletes), .number(files.map { Int64($0.count) }), try sum(\.bytesWritten),
      .text(metadata?.extra[CommitMetadata.positionKey]),
    ]
  }

  /// The rows of what was archived and is not on the timeline, by instant.
  private static func archived(
    _ table: Table, _ access: TableAccess, besides timeline: Timeline
  ) async throws -> [[ReportRows.Cell]] {
    let archive = try await ArchivedTimeline.load(
      from: access.location.storage, folder: table.properties.archiveFolder)
    let present = Set(timeline.entries.map(\.instant))
    var found: [TimelineEntry: [ReportRows.Cell]] = [:]
    var entries = archive.entries()
    while let archived = try await entries.next(where: {
      $0.state == .completed && !present.contains($0.instant)
    }) {
      // A file that was merged while its writer died has some twice.
      guard found[archived.entry] == nil else { continue }
      found[archived.entry] =
        try row(archived.entry, try archived.metadata(), access) + [.text(nil), .number(nil)]
    }
    return found.sorted { $0.key.instant < $1.key.instant }.map(\.value)
  }
}
