import Tarn
import TarnTimeline

/// `tarn rollback`.
enum RollbackCommand {
  static let command = Command(
    name: "rollback",
    summary: "Rolls back attempts to write that were left unfinished, or the latest commit.",
    operands: [
      .table,
      Command.Operand(
        name: "INSTANT", help: "the attempt or commit, as tarn timeline lists it", isOptional: true),
    ],
    options: [Options.force, Options.isCompleted, Options.isDryRun, Options.lock, Options.noSync],
    notes: [
      "Without INSTANT, every attempt of a writer of Tarn's that died, as the next write does by itself. With it, that "
        + "attempt, whichever engine began it, also a doubtful one, which may have been decided before the table's head "
        + "was lost.",
      "With --completed, the latest commit is taken back, with its files, and what it replaced comes back; where INSTANT is "
        + "given, only if that is the latest.",
      "With --dry-run, what would be removed is printed, one a line, and nothing is done.",
    ],
    run: run)

  private static func run(_ arguments: Arguments) async throws {
    let access = try TableAccess(arguments)
    let instant = try arguments.operands.dropFirst().first.map { try CommitOperand.instant($0, "INSTANT") }
    let (isForced, isPlan) = (arguments.has(Options.force), arguments.has(Options.isDryRun))
    guard !arguments.has(Options.isCompleted) else {
      guard !isForced else { throw UsageError("--force goes with an attempt, and --completed with a commit") }
      return try await rollBackCompleted(instant, access, isPlan)
    }
    guard instant != nil || !isForced else { throw UsageError("--force needs INSTANT") }
    let table = try await access.open()
    if isPlan { return try await writePlan(of: instant, isForced, table, access) }
    let instants = try await access.located {
      guard let instant else { return try await table.rollBackDeadAttempts() }
      try await table.rollBack(instant, force: isForced)
      return [instant]
    }
    let texts = instants.isEmpty ? "nothing to roll back" : instants.map(\.text).joined(separator: ", ")
    StandardError.write(line: "rolled back in \(table.properties.name): \(texts)")
  }

  /// Prints what would be removed: of each attempt its entry on the timeline, then its files.
  private static func writePlan(
    of instant: Instant?, _ isForced: Bool, _ table: Table, _ access: TableAccess
  ) async throws {
    let removals = try await access.located { try await table.rollbackPlan(of: instant, force: isForced) }
    for removal in removals { try CommitOperand.write([removal.entry.path] + removal.files, true) }
    let texts = removals.map { "\($0.entry.instant.text) with \(CommitOperand.files($0.files.count))" }
    StandardError.write(
      line: "would roll back in \(table.properties.name): "
        + (texts.isEmpty ? "nothing" : texts.joined(separator: ", ")))
  }

  private static func rollBackCompleted(
    _ instant: Instant?, _ access: TableAccess, _ isPlan: Bool
  ) async throws {
    let table = try await access.open()
    let report = try await access.located { try await table.rollBackCompleted(instant, isPlan: isPlan) }
    try RestoreCommand.write(report, isPlan)
    let commits = report.commits.map(\.instant.text).joined(separator: ", ")
    let what =
      "commit \(commits) of \(table.properties.name) with \(CommitOperand.files(report.files.count)) of \(report.bytes) bytes"
    StandardError.write(
      line: isPlan
        ? "rollback would take back \(what)" : "rollback \(report.instant?.text ?? "") took back \(what)")
  }
}
