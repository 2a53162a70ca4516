import Tarn

/// `tarn check`.
enum CheckCommand {
  static let command = Command(
    name: "check", summary: "Compares a table's files, keys, timeline and head, and tells what is wrong.",
    options: [],
    notes: [
      "What is wrong stands in a line each. Notes tell of what writers left that died; it does no harm, and the next "
        + "write removes most of it. The exit status is 1 where anything is wrong, and 0, with a last line \"sound\", "
        + "where nothing is."
    ]
  ) { arguments in
    try await TableAccess(arguments).located { access in
      let findings = try await access.open().check()
      for finding in findings {
        let text = finding.isNote ? "note: \(finding)" : "\(finding)"
        try StandardOutput.write(Readable.printable(text) + [0x0a])
      }
      let count = findings.count { !$0.isNote }
      guard count > 0 else { return try StandardOutput.write(text: "sound\n") }
      throw CommandError("\(access.path): \(count) finding\(count == 1 ? "" : "s")")
    }
  }
}
