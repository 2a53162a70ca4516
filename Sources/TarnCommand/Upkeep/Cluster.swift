import Tarn

/// `tarn cluster`.
enum ClusterCommand {
  static let command = Command(
    name: "cluster", summary: "Makes small files into full ones, or sorts the rows of files.",
    options: [
      Options.sortBy, Options.isZOrder, Options.clusteredPartition, Options.isDryRun, Options.memory,
      Options.retries, Options.noServices, Options.lock, Options.transaction, Options.noSync,
    ],
    notes: [
      "Without --sort-by, the small files of each partition are put together; with it, all of its files are written anew with "
        + "their rows in the order of the columns, or near in each of them with --z-order. Rows of which "
        + "an eighth of --memory does not hold all are sorted in parts, which lie in the folder TMPDIR meanwhile; along a Z-order "
        + "each part is one of its own.",
      "The rows stay the same, and are read as of earlier commits until a clean removes the old files. With --dry-run, the "
        + "files that would be replaced are printed, one a line, and nothing is done.",
    ],
    run: run)

  private static func run(_ arguments: Arguments) async throws {
    let access = try TableAccess(arguments)
    let columns = arguments[Options.sortBy] ?? []
    let isZOrder = arguments.has(Options.isZOrder)
    guard !isZOrder || !columns.isEmpty else { throw UsageError("--z-order needs --sort-by COLUMN[,..]") }
    let isPlan = arguments.has(Options.isDryRun)
    let partitions = arguments.all(Options.clusteredPartition)
    let order: ClusterOrder = columns.isEmpty ? .stored : isZOrder ? .zOrder(columns) : .columns(columns)
    let table = try await access.open()
    let report = try await access.located {
      try await table.cluster(order, partitions: partitions.isEmpty ? nil : partitions, isPlan: isPlan)
    }
    try report.tell("clustered", table, isPlan: isPlan)
  }
}
