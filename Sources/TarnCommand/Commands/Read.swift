import Tarn
import TarnColumns

/// `tarn read` and `tarn count`.
enum ReadCommand {
  static let read = Command(
    name: "read", summary: "Writes a table's rows to standard output.",
    options: [Options.select] + Options.filters + [Options.format, Options.cutNanoseconds],
    notes: [
      "Without --select, Hudi's five columns come first. T is an instant of 14 or 17 digits, or ISO 8601 in UTC. "
        + "EXPR knows columns, = != < <= > >=, is [not] null, in (..), and, or, not and parentheses.",
      "With --since POSITION or start, the last line on standard error names the position to go on from: who always "
        + "does meets each commit once, also those that complete after one with a later instant.",
    ]
  ) { arguments in
    try await TableAccess(arguments).located { access in
      var snapshot = try await Self.snapshot(access)
      if let columns = arguments[Options.select] { snapshot = try snapshot.select(columns) }
      let format = arguments[Options.format] ?? .standard
      // Files may lack columns that the table has now, so every column may be null.
      let schema = Schema(snapshot.schema.fields.map { Field($0.name, $0.type) })
      var output = try format.output(schema)
      for try await batch in snapshot { try await output.append(batch) }
      try await output.finish()
      if let position = snapshot.position, arguments[Options.since]?.isFollowing == true {
        StandardError.write(line: "go on with --since \(position)")
      }
    }
  }

  static let count = Command(
    name: "count", summary: "Counts a table's rows.", options: Options.filters + [Options.cutNanoseconds]
  ) { arguments in
    try await TableAccess(arguments).located { access in
      let rows = try await Self.snapshot(access).count()
      try StandardOutput.write(text: "\(rows)\n")
    }
  }

  /// The rows that the filters leave.
  private static func snapshot(_ access: TableAccess) async throws -> Snapshot {
    let arguments = access.arguments
    let (asOf, since, until) = (arguments[Options.asOf], arguments[Options.since], arguments[Options.until])
    guard asOf == nil || since == nil else { throw UsageError("give --as-of or --since, not both") }
    guard until == nil || since != nil else {
      throw UsageError("--until needs --since; --as-of may be meant")
    }
    guard until == nil || since?.isFollowing != true else {
      throw UsageError("--until is an instant, and goes with a --since that is one")
    }
    let table = try await access.open()
    var snapshot: Snapshot
    switch since {
    case .time(let time)?:
      snapshot = try await table.changes(since: time.instant(of: table), until: until?.instant(of: table))
    case .position(let position)?: snapshot = try await table.changes(since: position)
    case .beginning?: snapshot = try await table.changes(since: nil)
    case nil: snapshot = try await table.snapshot(asOf: asOf?.instant(of: table))
    }
    if let condition = arguments[Options.condition] { snapshot = try snapshot.where(condition) }
    if let limit = arguments[Options.limit] { snapshot = snapshot.limit(limit) }
    return snapshot
  }
}
