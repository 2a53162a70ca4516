import Tarn
import TarnAvro
import TarnBytes
import TarnColumns
import TarnParquet
import TarnTimeline

/// `tarn files`.
enum FilesCommand {
  static let command = Command(
    name: "files", summary: "Lists the files that make up a table.",
    options: [Options.asOf, Options.reportFormat]
  ) { arguments in
    try await TableAccess(arguments).located { access in
      let table = try await access.open()
      var rows = ReportRows([
        "partition": .string, "file_id": .string, "instant": .string, "bytes": .int64, "rows": .int64,
        "path": .string,
      ])
      for slice in try await table.snapshot(asOf: arguments[Options.asOf]?.instant(of: table)).slices {
        let file = try await ParquetFile.open(access.location.storage, path: slice.path, size: slice.size)
        try rows.append([
          .text(slice.partitionPath), .text(slice.fileID), .text(slice.instant.text),
          .number(Int64(slice.size)),
          .number(Int64(file.rowCount)), .text(slice.path),
        ])
      }
      try await (arguments[Options.reportFormat] ?? .standard).write(try rows.batch())
    }
  }
}

/// `tarn schema`.
enum SchemaCommand {
  static let command = Command(
    name: "schema", summary: "Lists a table's columns and their types, or widens some.",
    options: [Options.schemaFormat, Options.widened, Options.noSync],
    notes: [
      "With --widen, columns get types that hold more, in a commit without files: files keep what they hold, and all "
        + "readers convert. Of key and partition columns only int and long can be widened, and decimals that keep "
        + "their digits behind the point."
    ]
  ) { arguments in
    try await TableAccess(arguments).located { access in
      let table = try await access.open()
      if arguments.has(Options.widened) {
        var types: [String: DataType] = [:]
        for column in arguments.all(Options.widened) { types[column.name] = column.type }
        let report = try await table.widen(types)
        StandardError.write(
          line: "widened \(table.properties.name): "
            + (report.instant.map { "instant \($0.text)" } ?? "nothing to commit"))
      }
      let schema = try await table.schema()
      if arguments[Options.schemaFormat] == "avsc" {
        try StandardOutput.write(text: AvroSchema.text(of: schema, table: table.properties.name) + "\n")
        return
      }
      var rows = ReportRows(["column": .string, "type": .string, "nullable": .string])
      for field in schema.fields {
        try rows.append([.text(field.name), .text(field.type.name), .text(field.isNullable ? "yes" : "no")])
      }
      let format = arguments[Options.schemaFormat].flatMap(OutputFormat.init) ?? .standard
      try await format.write(try rows.batch())
    }
  }
}

/// `tarn show`.
enum ShowCommand {
  static let command = Command(
    name: "show", summary: "Tells what a table is, and how large.", options: [Options.reportFormat]
  ) { arguments in
    try await TableAccess(arguments).located { access in
      let table = try await access.open()
      let facts = try await Self.facts(table)
      let entries = table.properties.entries.entries.pairs
      switch arguments[Options.reportFormat] ?? .standard {
      case .jsonl:
        let properties = JSONValue.object(entries.map { JSONValue.Member($0.key, .string($0.value)) })
        let members =
          facts.map { JSONValue.Member($0.0, $0.1) } + [JSONValue.Member("properties", properties)]
        try StandardOutput.write(text: JSONValue.object(members).text() + "\n")
      case let format:
        var rows = ReportRows(["property": .string, "value": .string])
        for (name, value) in facts { try rows.append([.text(name), .text(Self.text(value))]) }
        for (key, value) in entries { try rows.append([.text(key), .text(value)]) }
        try await format.write(try rows.batch())
      }
    }
  }

  private static func facts(_ table: Table) async throws -> [(String, JSONValue)] {
    let properties = table.properties
    let timeline = try await table.timeline()
    let snapshot = try await table.snapshot()
    let slices = try await snapshot.slices
    let holder = timeline.entries.count > Self.usualActions ? try await table.archiveHolder() : nil
    func names(_ list: [String]) -> JSONValue { .array(list.map { .string($0) }) }
    var facts: [(String, JSONValue)] = [
      ("name", .string(properties.name)),
      ("type", .string(properties.type == .copyOnWrite ? "copy-on-write" : "merge-on-read")),
      ("version", properties.version.map { .integer($0.rawValue) } ?? .null),
      ("key", names(properties.recordKeyFields)),
      ("partition", names(properties.partitionFields)),
      ("ordering", properties.orderingField.map { .string($0) } ?? .null),
      ("columns", .integer(try await table.schema().fields.count)),
      ("rows", .integer(try await snapshot.count())),
      ("files", .integer(slices.count)),
      ("bytes", .integer(slices.reduce(0) { $0 + $1.size })),
      ("commits", .integer(timeline.completedCommits.count)),
      ("latest_commit", timeline.latest.map { .string($0.instant.text) } ?? .null),
      ("actions", .integer(timeline.entries.count)),
    ]
    if !properties.tieBreakers.isEmpty { facts.append(("tie_breakers", names(properties.tieBreakers))) }
    let readers = try await table.readers()
    if !readers.isEmpty { facts.append(("readers", names(readers.map(Self.text)))) }
    if let holder { facts.append(("archive_waits", .string(holder.description))) }
    return facts
  }

  /// Such as `reports from 20240131120000000 until 2024-02-01T12:00:00.000000Z`.
  private static func text(_ reader: RetainedReader) -> String {
    var end: [UInt8] = []
    if let expiry = reader.expiry { CivilTime.append(microseconds: expiry, isInstant: true, to: &end) }
    return "\(reader.name) from \(reader.instant.text)"
      + (end.isEmpty ? "" : " until " + String(decoding: end, as: UTF8.self))
  }

  /// Actions on a timeline beyond which it is told why they are not archived.
  private static let usualActions = 40

  private static func text(_ value: JSONValue) -> String? {
    switch value {
    case .string(let text), .number(let text): text
    case .array(let values): values.compactMap(\.string).joined(separator: ",")
    default: nil
    }
  }
}
