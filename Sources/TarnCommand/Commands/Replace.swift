import Tarn
import TarnTimeline

/// `tarn truncate`.
enum TruncateCommand {
  static let command = Command(
    name: "truncate", summary: "Takes all rows out of a table, which keeps its columns and its history.",
    options: [
      Options.isDryRun, Options.retries, Options.noServices, Options.lock, Options.transaction,
      Options.noSync,
    ],
    notes: [
      "The rows are read as of earlier commits until a clean removes their files. With --dry-run, the files that would go "
        + "are printed, one a line, and nothing is done."
    ],
    run: run)

  private static func run(_ arguments: Arguments) async throws {
    let access = try TableAccess(arguments)
    let isPlan = arguments.has(Options.isDryRun)
    let table = try await access.open()
    let report = try await access.located { try await table.truncate(isPlan: isPlan) }
    try report.tell("truncated", table, isPlan: isPlan)
  }
}

extension CommitReport {
  /// Tells what was replaced, or would be: of a plan each file.
  func tell(_ verb: String, _ table: Table, isPlan: Bool) throws {
    guard isPlan else {
      StandardError.write(line: line(verb, table))
      return
    }
    for file in replacedFiles { try StandardOutput.write(Readable.printable(file) + [0x0a]) }
    StandardError.write(
      line:
        "\(replaced) file\(replaced == 1 ? "" : "s") of \(table.properties.name) would go out of the table")
  }
}

/// `tarn drop`.
enum DropCommand {
  static let command = Command(
    name: "drop", summary: "Removes a table, with all that lies in its folder, for good.",
    options: [Options.isDryRun, Options.forceDrop, Options.noSync],
    notes: [
      "From its first step on there is no table any more; a drop that dies leaves a rest, which another drop removes, and in "
        + "whose place no table is created. With --dry-run, the files that would go are printed, one a line, and nothing is "
        + "done."
    ],
    run: run)

  private static func run(_ arguments: Arguments) async throws {
    let isPlan = arguments.has(Options.isDryRun)
    try await TableAccess(arguments).located { access in
      let report = try await Table.drop(
        at: access.location, force: arguments.has(Options.forceDrop), isPlan: isPlan)
      if isPlan {
        for file in report.files { try StandardOutput.write(Readable.printable(file) + [0x0a]) }
      }
      let count = report.files.count
      StandardError.write(
        line: "\(isPlan ? "would drop" : "dropped") \(access.path): \(count) file\(count == 1 ? "" : "s") of "
          + Readable.bytes(report.bytes))
    }
  }
}
