import Tarn
import TarnAvro
import TarnColumns
import TarnTimeline

/// Checks that options for new tables say what the table has that is there.
struct TableAgreement {
  let path: String
  let arguments: Arguments

  /// Checks all options but those that give columns.
  ///
  /// - Throws: ``CommandError`` that names the option and what the table has.
  func check(_ properties: TableProperties) throws {
    try checkColumns(properties)
    try check(Options.name, properties.name)
    try check(Options.type, properties.type == .mergeOnRead ? "mor" : "cow")
    try check(Options.tableVersion, properties.version.map { "\($0.rawValue)" } ?? "")
    try checkFlag(Options.noHiveStyle, properties.isHiveStyle, "folders called COLUMN=VALUE")
    try checkFlag(Options.noURLEncode, properties.isURLEncoded, "percent-encoded folders")
    let own = try TarnOptions(properties)
    try check(Options.targetFileSize, own.targetFileSize)
    try check(Options.smallFileLimit, own.smallFileLimit)
    try checkFlag(Options.noMetaColumns, properties.populatesMetaFields, "meta columns")
    try checkFlag(Options.noKeyIndex, own.hasKeyIndex, "key indexes")
    try check(Options.keep, own.retention)
    try check(Options.clusterBeyond, own.mostSmallFiles ?? 0)
    try check(Options.tombstoneRetention, own.tombstoneRetentionHours)
    try check(Options.bloom, try TarnOptions.bloom(properties), \.rawValue)
  }

  private func checkColumns(_ properties: TableProperties) throws {
    let owners = try properties.columnOwners()
    let text = { (names: [String]) in names.joined(separator: ",") }
    // A name of the records' may stand for its column.
    func check(_ option: Option<[String]>, _ present: [String]) throws {
      if arguments[option]?.map({ owners.column(of: $0) ?? $0 }) == present { return }
      try self.check(option, present, text)
    }
    try check(Options.key, properties.recordKeyFields)
    try check(Options.partitionBy, properties.partitionFields)
    try check(Options.thenBy, properties.tieBreakers)
    if let ordering = properties.orderingField,
      arguments[Options.orderBy].flatMap(owners.column(of:)) == ordering
    {
      return
    }
    try self.check(Options.orderBy, properties.orderingField ?? "")
  }

  private func check<Value: Equatable>(
    _ option: Option<Value>, _ present: Value, _ text: (Value) -> String = { "\($0)" }
  ) throws {
    guard arguments.isGiven(option), let given = arguments[option], given != present else { return }
    throw misfit("--\(option.usage.name) \(text(given))", text(present))
  }

  private func checkFlag(_ option: Option<Bool>, _ isOff: Bool, _ present: String) throws {
    if arguments.isGiven(option), isOff { throw misfit("--\(option.usage.name)", present) }
  }

  private func misfit(_ given: String, _ present: String) -> CommandError {
    CommandError(
      "\(path): \(given) does not fit the table, which has \(present.isEmpty ? "none" : present): "
        + "leave the option out, or write to another table")
  }

  /// A table's columns, and behind them those of a given schema that it lacks.
  ///
  /// - Parameters:
  ///   - present: The table's columns.
  ///   - given: The columns that are to be there.
  ///   - option: The option that gives them, as written.
  /// - Throws: ``CommandError`` where a column has another type, or cannot be added since it is not nullable.
  func joined(_ present: Schema, with given: Schema, of option: String) throws -> Schema {
    var joined = present
    for field in try asStored(given, option).fields {
      guard let known = present[field.name] else {
        guard field.isNullable else {
          throw CommandError(
            "\(path): \(option) has the column \(field.name), which the table lacks and which is not nullable: "
              + "a column that is added must be, since older rows have no value for it")
        }
        joined.fields.append(field)
        continue
      }
      guard known.type == field.type else {
        throw misfit(
          "\(option), where column \(field.name) is \(field.type.name),",
          "\(known.type.name) there")
      }
    }
    return joined
  }

  /// A schema with the types that a table keeps, which are Avro's.
  private func asStored(_ schema: Schema, _ option: String) throws -> Schema {
    do { return try AvroSchema.parse(AvroSchema.text(of: schema, table: "t")) } catch {
      throw CommandError("\(option): \(error)")
    }
  }
}
