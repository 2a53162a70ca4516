import TarnBytes
import TarnCDC
import TarnColumns

/// `tarn changes show`.
enum ChangesShowCommand {
  static let command = Command(
    name: "changes show",
    summary: "Tells what change records there are: kinds, tables, attributes, times and duplicates.",
    operands: [.changeRecords],
    options: [Options.summaryFormat, Options.shape, Options.dynamoDBTable, Options.onError],
    notes: [
      "Records are all that tarn ingest takes. An attribute's share is that of the items that have it: of each record "
        + "the new image, else the old one, else the keys. Types are DynamoDB's; plain JSON has those that it would become.",
      "A duplicate is a record of the same kind, table, time, keys and images as one before it; of two of one second, "
        + "whose time is that coarse, the sequence number must be the same, too. Records are compared by hashes of 64 bits, "
        + "of which 3,145,728 are kept in 32 MiB: where there are more different records, later ones are compared with the "
        + "first ones alone, and that is told.",
    ]
  ) { arguments in
    var input = try await ChangesInput(arguments)
    var summary = ChangeSummary(
      table: arguments[Options.dynamoDBTable], shape: arguments[Options.shape])
    try await input.read(into: &summary)
    let report = ChangesReport(summary)
    let isText = arguments[Options.summaryFormat].map { $0 == "table" } ?? StandardOutput.isTerminal
    if isText {
      for line in report.lines { try StandardOutput.write(Readable.printable(line) + [0x0a]) }
      try await OutputFormat.table.write(try report.attributes())
    } else {
      try StandardOutput.write(text: report.json.text() + "\n")
    }
    input.sayLeftOut(otherTables: summary.otherTables)
  }
}

/// What is told of change records.
private struct ChangesReport {
  private let summary: ChangeSummary

  init(_ summary: ChangeSummary) { self.summary = summary }

  private static let kinds: [ChangeKind] = [.insert, .modify, .remove]

  // MARK: For people

  var lines: [String] {
    var lines = ["\(summary.count) records" + (summary.rejected > 0 ? ", \(summary.rejected) rejected" : "")]
    lines.append(
      "kinds: " + Self.kinds.map { "\(summary.kinds[$0] ?? 0) \($0.name)" }.joined(separator: ", ")
        + (summary.expiries > 0 ? " (\(summary.expiries) of them by time to live)" : ""))
    lines.append("shapes: " + list(ChangeShape.allCases.map { ($0.rawValue, summary.shapes[$0] ?? 0) }))
    let unknown = summary.withoutTable > 0 ? [("not told", summary.withoutTable)] : []
    lines.append("tables: " + list(summary.tables.map { ($0.name, $0.count) } + unknown))
    if let times = summary.times {
      lines.append("time: \(Self.text(of: times.lowerBound)) to \(Self.text(of: times.upperBound))")
      lines.append("precision: " + list(precisions))
      lines.append("behind an earlier record: \(summary.late)")
    }
    if summary.withoutTime > 0 { lines.append("without time: \(summary.withoutTime)") }
    lines.append(
      "duplicates: \(summary.duplicates)"
        + (summary.comparedAll
          ? "" : ", and perhaps more: not all records could be compared with one another"))
    if summary.hasMoreNames {
      lines.append("attributes: only the first \(summary.attributes.count) are told")
    }
    lines.append("")
    return lines
  }

  private var precisions: [(String, Int)] {
    EventTimePrecision.allCases.map { (Self.name(of: $0), summary.precisions[$0] ?? 0) }
  }

  private func list(_ counts: [(String, Int)]) -> String {
    let found = counts.filter { $0.1 > 0 }.map { "\($0.0) (\($0.1))" }
    return found.isEmpty ? "none" : found.joined(separator: ", ")
  }

  /// A row an attribute.
  func attributes() throws -> RecordBatch {
    var rows = ReportRows([
      "attribute": .string, "items": .int64, "share": .string, "types": .string,
    ])
    for attribute in summary.attributes {
      try rows.append([
        .text(attribute.name + (attribute.isKey ? " (key)" : "")), .number(Int64(attribute.count)),
        .text(percent(attribute.count, of: summary.count)),
        .text(
          types(of: attribute).map { "\($0.0) \(percent($0.1, of: attribute.count))" }.joined(separator: ", ")
        ),
      ])
    }
    return try rows.batch()
  }

  private func types(of attribute: ChangeSummary.Attribute) -> [(String, Int)] {
    AttributeTag.allCases.map { ($0.name, attribute.types[$0.rawValue]) }.filter { $0.1 > 0 }
  }

  /// A share such as `99.9 %`, which is 100 or 0 for all and none alone.
  private func percent(_ count: Int, of all: Int) -> String {
    guard all > 0 else { return "0 %" }
    if count == all { return "100 %" }
    let tenths = max(min((count * 1_000 + all / 2) / all, 999), count > 0 ? 1 : 0)
    return "\(tenths / 10).\(tenths % 10) %"
  }

  private static func text(of time: Int64) -> String {
    var text: [UInt8] = []
    CivilTime.append(microseconds: time, isInstant: true, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  private static func name(of precision: EventTimePrecision) -> String {
    switch precision {
    case .second: "seconds"
    case .millisecond: "milliseconds"
    case .microsecond: "microseconds"
    }
  }

  // MARK: For programs

  var json: JSONValue {
    func object(_ members: [(String, JSONValue)]) -> JSONValue {
      .object(members.map { JSONValue.Member($0.0, $0.1) })
    }
    func number(_ count: Int) -> JSONValue { .number("\(count)") }
    func counts(_ members: [(String, Int)]) -> JSONValue { object(members.map { ($0.0, number($0.1)) }) }
    let times: [(String, JSONValue)] =
      summary.times.map {
        [
          ("first", .string(Self.text(of: $0.lowerBound))), ("last", .string(Self.text(of: $0.upperBound))),
        ]
      } ?? [("first", .null), ("last", .null)]
    return object([
      ("records", number(summary.count)), ("rejected", number(summary.rejected)),
      ("otherTables", number(summary.otherTables)),
      ("kinds", counts(Self.kinds.map { ($0.name, summary.kinds[$0] ?? 0) })),
      ("timeToLive", number(summary.expiries)),
      (
        "shapes",
        counts(ChangeShape.allCases.map { ($0.rawValue, summary.shapes[$0] ?? 0) }.filter { $0.1 > 0 })
      ),
      (
        "tables",
        .array(
          summary.tables.map { object([("name", .string($0.name)), ("records", number($0.count))]) })
      ),
      ("withoutTable", number(summary.withoutTable)),
      (
        "time",
        object(
          times + [
            ("without", number(summary.withoutTime)), ("late", number(summary.late)),
            ("precisions", counts(precisions)),
          ])
      ),
      ("duplicates", number(summary.duplicates)), ("comparedAll", .boolean(summary.comparedAll)),
      (
        "attributes",
        .array(
          summary.attributes.map {
            object([
              ("name", .string($0.name)), ("isKey", .boolean($0.isKey)), ("items", number($0.count)),
              ("types", counts(types(of: $0))),
            ])
          })
      ),
      ("hasMoreAttributes", .boolean(summary.hasMoreNames)),
    ])
  }
}
