/// The texts of `tarn help`.
enum Help {
  private static let width = 100

  /// The help of the whole.
  static func overall(_ commands: [Command]) -> String {
    var lines = [
      "tarn keeps Apache Hudi copy-on-write tables on a local disk or in S3.", "",
      "Usage: tarn COMMAND TABLE [options]", "       tarn parquet COMMAND FILE [options]",
      "       tarn changes COMMAND SOURCE... [options]",
      "", "Commands:",
    ]
    lines += entries(commands.map { ($0.name, $0.summary) })
    lines += [
      "", "tarn help COMMAND explains a command; tarn --version tells the version.",
      "Rows go to standard output, everything else to standard error. Exit status: 0; 1 for a failure;",
      "2 where a write failed so late that it stands or may stand; 64 for wrong usage.",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  /// The help of a command.
  static func of(_ command: Command) -> String {
    let needed = command.options.filter(\.usage.isRequired).map { " " + $0.usage.text }.joined()
    let operands = command.operands.map { " " + $0.text }.joined()
    var lines = ["Usage: tarn \(command.name)\(operands)\(needed) [options]", "", command.summary]
    for note in command.notes { lines += [""] + wrapped(note, to: width) }
    lines += [""]
    lines += entries(command.operands.map { ($0.name, $0.help) })
    lines += entries(
      command.options.map { option in
        let usage = option.usage
        return (usage.text, usage.help + (usage.standard.map { " (default: \($0))" } ?? ""))
      })
    return lines.joined(separator: "\n") + "\n"
  }

  private static let indent = 26

  private static func entries(_ entries: [(String, String)]) -> [String] {
    entries.flatMap { name, help in
      var lines = wrapped(help, to: width - indent).map { String(repeating: " ", count: indent) + $0 }
      let head = "  " + name
      if head.count + 2 > indent {
        lines.insert(head, at: 0)
      } else if let first = lines.first {
        lines[0] = head + first.dropFirst(head.count)
      }
      return lines
    }
  }

  private static func wrapped(_ text: String, to width: Int) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
      let last = lines[lines.count - 1]
      if last.isEmpty {
        lines[lines.count - 1] = String(word)
      } else if last.count + 1 + word.count <= width {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}
