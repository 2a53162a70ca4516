import Tarn
import TarnTimeline

/// `tarn archive`.
enum ArchiveCommand {
  static let command = Command(
    name: "archive", summary: "Moves old instants of the timeline into Hudi's archive.",
    options: [Options.isDryRun, Options.lock, Options.noSync],
    notes: [
      "What was done stays readable with tarn timeline --all. On the timeline stay the latest commits (12, or more where a clean "
        + "keeps more), what a savepoint holds, the newest commit with the checkpoint of a stream, and whatever came since "
        + "an attempt that is under way, or that was rolled back less than two days ago.",
      "With --dry-run, the instants that would go are printed, one a line, and nothing is done.",
    ],
    run: run)

  private static func run(_ arguments: Arguments) async throws {
    let isPlan = arguments.has(Options.isDryRun)
    try await TableAccess(arguments).located { access in
      let table = try await access.open()
      let report = try await table.archive(isPlan: isPlan)
      if isPlan {
        for action in report.actions {
          try StandardOutput.write(text: "\(action.instant.text) \(action.action.rawValue)\n")
        }
      }
      let count = report.actions.count
      let what =
        "\(count) instant\(count == 1 ? "" : "s") of \(table.properties.name), and \(report.kept) stay"
      StandardError.write(
        line: isPlan
          ? "archive would take \(what)"
          : count == 0
            ? "nothing to archive in \(table.properties.name), of which \(report.kept) instants are on the timeline"
            : "archived \(what)")
      for path in report.removed {
        StandardError.write(
          line: "\(isPlan ? "would remove" : "removed") \(path), which came behind its attempt's rollback")
      }
      if let holder = report.holder { StandardError.write(line: "\(holder)") }
    }
  }
}
