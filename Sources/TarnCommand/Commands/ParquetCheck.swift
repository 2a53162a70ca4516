import TarnParquet

/// A Parquet file that a command is about.
enum ParquetAccess {
  /// Opens the file that the arguments name, and runs a body, whose errors get the path as users know it.
  static func open(_ arguments: Arguments, _ body: (ParquetFile, String) async throws -> Void) async throws {
    let path = arguments.operands.first ?? ""
    guard !path.isEmpty else { throw UsageError("FILE is empty") }
    let source = try InputSource.file(path)
    do {
      let file = try await ParquetFile.open(source.storage, path: source.name)
      try await body(file.warning { StandardError.note(source.prefix + $0) }, path)
    } catch let error as ParquetError where error.path != StandardOutput.name {
      throw CommandError(source.prefix + error.description)
    }
  }
}

/// `tarn parquet check`.
enum ParquetCheckCommand {
  static let command = Command(
    name: "parquet check", summary: "Reads every page of a Parquet file, and tells what in it is not true.",
    operands: [.parquetFile], options: [],
    notes: [
      "Compared with the pages are their checksums, sizes, counts, statistics, encoding lists, indexes and Bloom filters. What "
        + "is found stands in a line each: row group, column, page and offset. An empty page, a page that "
        + "refers to a dictionary behind one that does not, and text that is not UTF-8 are found too, since some "
        + "engines cannot read them. "
        + "The exit status is 1 where anything is found."
    ]
  ) { arguments in
    try await ParquetAccess.open(arguments) { file, path in
      let check = try await ParquetCheck.run(file)
      guard !check.findings.isEmpty else {
        let (groups, pages) = (check.rowGroupCount, check.pageCount)
        let text = "ok: \(groups) row group\(groups == 1 ? "" : "s"), \(pages) page\(pages == 1 ? "" : "s")\n"
        return try StandardOutput.write(text: text)
      }
      for finding in check.findings {
        try StandardOutput.write(Readable.printable(finding.description) + [0x0a])
      }
      let count = check.findings.count
      throw CommandError("\(path): \(count) finding\(count == 1 ? "" : "s")")
    }
  }
}

extension Readable {
  /// The bytes of a text in one line, without what would move a terminal's cursor.
  static func printable(_ text: String) -> [UInt8] { TableOutput.printable(Array(text.utf8)) }

  /// A text cut to so many characters.
  static func shortened(_ text: String, to length: Int) -> String {
    text.count <= length ? text : text.prefix(length - 1) + "…"
  }
}
