import Tarn
import TarnTimeline

/// `tarn savepoint`.
enum SavepointCommand {
  static let command = Command(
    name: "savepoint", summary: "Holds the files of a commit, so that no clean removes them.",
    operands: [
      .table,
      Command.Operand(
        name: "INSTANT", help: "the commit, as tarn timeline lists it (the latest)", isOptional: true),
    ],
    options: [
      Options.deletesSavepoint, Options.comment, Options.isDryRun, Options.lock, Options.noSync,
    ],
    notes: [
      "tarn restore goes back to it. With --delete, the savepoint of INSTANT is deleted, and a clean may remove what it held; "
        + "it cannot be made again for two days.",
      "With --dry-run, the files that would be held, or let go, are printed, one a line, and nothing is done.",
    ],
    run: run)

  private static func run(_ arguments: Arguments) async throws {
    let instant = try arguments.operands.dropFirst().first.map { try CommitOperand.instant($0, "INSTANT") }
    let isPlan = arguments.has(Options.isDryRun)
    let deletes = arguments.has(Options.deletesSavepoint)
    guard instant != nil || !deletes else { throw UsageError("--delete needs INSTANT") }
    guard !deletes || arguments[Options.comment] == nil else {
      throw UsageError("--comment goes with a savepoint that is made")
    }
    try await TableAccess(arguments).located { access in
      let table = try await access.open()
      let name = table.properties.name
      if deletes, let instant {
        let report = try await table.deleteSavepoint(instant, isPlan: isPlan)
        try CommitOperand.write(report.files, isPlan)
        let what =
          "savepoint \(instant.text) of \(name), which holds \(CommitOperand.files(report.files.count))"
        StandardError.write(line: isPlan ? "would delete \(what)" : "deleted \(what)")
        return
      }
      let report = try await table.savepoint(
        instant, comments: arguments[Options.comment] ?? "", isPlan: isPlan)
      for clean in report.finished { StandardError.write(line: CommitOperand.finished(clean, isPlan)) }
      try CommitOperand.write(report.files, isPlan)
      let what = "\(report.instant.text) of \(name) \(isPlan ? "would hold" : "holds")"
      StandardError.write(line: "savepoint \(what) \(CommitOperand.files(report.files.count))")
    }
  }
}

/// `tarn restore`.
enum RestoreCommand {
  static let command = Command(
    name: "restore", summary: "Makes a table what it was as of a commit.",
    operands: [
      .table, Command.Operand(name: "TO", help: "the commit, as tarn timeline lists it"),
    ],
    options: [Options.isDryRun, Options.lock, Options.noSync],
    notes: [
      "All later commits are taken back, with their files, and cannot be brought back. It is refused where a clean has removed "
        + "files that the table had then: a savepoint holds them. Writers under way begin again on what is left, and who "
        + "follows the table by positions begins again.",
      "With --dry-run, what would be removed is printed, one a line, in its order, and nothing is done.",
    ],
    run: run)

  private static func run(_ arguments: Arguments) async throws {
    let text = arguments.operands.dropFirst().first ?? ""
    let target = try CommitOperand.instant(text, "TO")
    let isPlan = arguments.has(Options.isDryRun)
    try await TableAccess(arguments).located { access in
      let table = try await access.open()
      let report = try await table.restore(to: target, isPlan: isPlan)
      try write(report, isPlan)
      let count = report.commits.count
      let what =
        "\(count) commit\(count == 1 ? "" : "s") with \(CommitOperand.files(report.files.count)) of \(report.bytes) bytes"
      let name = table.properties.name
      StandardError.write(
        line: isPlan
          ? "restore to \(target.text) would take back \(what) of \(name)"
          : report.instant.map { "restore \($0.text) took \(name) back to \(target.text): \(what)" }
            ?? "nothing to restore in \(name): \(target.text) is its latest commit")
    }
  }

  /// Prints what would be removed: of each commit its entry on the timeline, then its files.
  static func write(_ report: RestoreReport, _ isPlan: Bool) throws {
    for clean in report.finished { StandardError.write(line: CommitOperand.finished(clean, isPlan)) }
    guard isPlan else { return }
    for commit in report.commits {
      let files = report.files.filter { BaseFileName(path: $0)?.instant == commit.instant }
      try CommitOperand.write([commit.path] + files, isPlan)
    }
  }
}

/// What commands share that are about one commit.
enum CommitOperand {
  static func instant(_ text: String, _ name: String) throws -> Instant {
    guard let instant = Instant(text) else {
      throw UsageError("\(name) \(text): an instant of 14 or 17 digits is expected")
    }
    return instant
  }

  /// That a clean of another engine is brought to its end.
  static func finished(_ clean: Instant, _ isPlan: Bool) -> String {
    "\(isPlan ? "would bring" : "brought") clean \(clean.text) of another engine to its end"
  }

  static func files(_ count: Int) -> String { "\(count) file\(count == 1 ? "" : "s")" }

  /// Prints paths of what would be done, one a line.
  static func write(_ paths: [String], _ isPlan: Bool) throws {
    guard isPlan else { return }
    for path in paths { try StandardOutput.write(Readable.printable(path) + [0x0a]) }
  }
}
