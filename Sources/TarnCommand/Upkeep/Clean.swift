import Tarn
import TarnTimeline

/// `tarn clean`.
enum CleanCommand {
  static let command = Command(
    name: "clean", summary: "Removes versions of files that nobody needs any more.",
    options: [Options.keep, Options.isDryRun, Options.lock, Options.noSync],
    notes: [
      "The latest version of each file stays, what the kept commits wrote, and one version before them. What --keep says "
        + "goes for this time; a table is created with the rule that holds for it (--keep there). Reading as of an older "
        + "commit is an error then.",
      "With --dry-run, the files that would go are printed, one a line, and nothing is done.",
    ],
    run: run)

  private static func run(_ arguments: Arguments) async throws {
    let isPlan = arguments.has(Options.isDryRun)
    try await TableAccess(arguments).located { access in
      let table = try await access.open()
      let report = try await table.clean(keeping: arguments[Options.keep], isPlan: isPlan)
      if isPlan {
        for file in report.files { try StandardOutput.write(Readable.printable(file) + [0x0a]) }
      }
      for instant in report.finished {
        StandardError.write(line: CommitOperand.finished(instant, isPlan))
      }
      let files = "\(report.files.count) file\(report.files.count == 1 ? "" : "s")"
      let what = "\(files) of \(report.bytes) bytes in \(report.partitions) partitions that were looked into"
      let kept = report.earliest.map { ", none of commit \($0.text) or later" } ?? ""
      StandardError.write(
        line: isPlan
          ? "clean would remove from \(table.properties.name) \(what)\(kept)"
          : report.instant.map { "clean \($0.text) removed from \(table.properties.name) \(what)\(kept)" }
            ?? "nothing to clean in \(table.properties.name)")
    }
  }
}
