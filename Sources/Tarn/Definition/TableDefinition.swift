import TarnAvro
import TarnColumns
import TarnIndex
import TarnTimeline

/// What a new table is to be.
struct TableDefinition {
  var name: String
  var schema: Schema
  var recordKey: [String]
  var partition: [String]
  var ordering: String?
  var options: TableOptions

  /// A table's name from the last component of its place.
  static func name(from component: String) -> String {
    String(component.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "_" })
  }

  /// Checks that the columns fit together.
  ///
  /// - Throws: ``TableError`` with code `mismatch` or `unsupported`, naming the column.
  func check() throws(TableError) {
    guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else {
      throw TableError(.mismatch, "\(name.debugDescription) is no table name: use letters, digits and `_`")
    }
    guard !recordKey.isEmpty else { throw TableError(.mismatch, "a table needs at least one key column") }
    var seen: Set<String> = []
    for field in schema.fields {
      guard seen.insert(field.name.lowercased()).inserted else {
        throw TableError(
          .mismatch,
          "column \(field.name) stands twice in the schema, or differs from another only in case, which "
            + "Spark and Athena do not tell apart", column: field.name)
      }
      if MetaColumns.isReserved(field.name) {
        guard field.name == MetaColumns.isDeleted else { throw Self.reserved(field.name) }
        guard field.type == .boolean else {
          throw TableError(
            .mismatch,
            "column \(field.name) is \(field.type.name): it says which rows are deleted, and must be boolean",
            column: field.name)
        }
      }
      guard Self.isColumnName(field.name) else {
        throw TableError(
          .mismatch,
          "column \(field.name.debugDescription): Avro takes letters, digits and `_`, not first a digit",
          column: field.name)
      }
      if let objection = Self.objection(to: field.type) {
        throw TableError(
          .mismatch, "column \(field.name) is \(field.type.name): \(objection)", column: field.name)
      }
      if field.type.isNested {
        throw TableError(
          .unsupported, "column \(field.name) is \(field.type.name): Tarn does not write nested columns yet",
          column: field.name)
      }
    }
    for (role, names) in [("key", recordKey), ("partition", partition)] {
      for name in names {
        guard let field = schema[name] else {
          throw TableError(
            .mismatch,
            "the \(role) column \(name) is not in the schema: \(schema.names.joined(separator: ", "))",
            column: name)
        }
        if let objection = KeyText.objection(to: field.type) {
          throw TableError(
            .mismatch, "column \(name) is \(field.type.name) and cannot be a \(role) column: \(objection)",
            column: name)
        }
      }
      guard Set(names).count == names.count else {
        throw TableError(.mismatch, "a \(role) column is named twice: \(names.joined(separator: ", "))")
      }
    }
    try checkOrder()
    // What a writer would refuse to read back is refused here.
    _ = try TarnOptions(properties()) { TableError(.mismatch, "the options of the new table: \($0)") }
  }

  /// The most columns that may break ties.
  private static let mostTieBreakers = 16

  private func checkOrder() throws(TableError) {
    let ties = options.tarn.tieBreakers
    guard let ordering else {
      guard let tie = ties.first else { return }
      throw TableError(
        .mismatch, "\(tie) is to break ties, and there is no ordering column that has them: name one",
        column: tie)
    }
    guard ties.count <= Self.mostTieBreakers else {
      throw TableError(
        .mismatch, "\(ties.count) columns are to break ties, and at most \(Self.mostTieBreakers) can")
    }
    for (index, name) in ([ordering] + ties).enumerated() {
      let role = index == 0 ? "the ordering column" : "the tie-breaking column"
      guard let field = schema[name] else {
        throw TableError(.mismatch, "\(role) \(name) is not in the schema", column: name)
      }
      if field.type == .boolean || field.type == .binary || field.type.isNested {
        throw TableError(
          .mismatch, "column \(name) is \(field.type.name) and cannot order rows", column: name)
      }
      guard !([ordering] + ties).prefix(index).contains(name) else {
        throw TableError(.mismatch, "column \(name) is named twice among those that order rows", column: name)
      }
    }
  }

  /// Refuses a column by its name.
  static func reserved(_ name: String) -> TableError {
    TableError(
      .mismatch,
      "column \(name): Hudi keeps names that begin with _hoodie_, in whatever case, for itself: rename the column, or "
        + "leave it out", column: name)
  }

  /// Why there can be no column of a type; nil where there can.
  static func objection(to type: DataType) -> String? {
    if type == .time { return "Spark and Athena read no times of the day; keep it as text or as a number" }
    guard case .decimal(let precision, let scale) = type else { return nil }
    let isSound = (1...DataType.greatestPrecision).contains(precision) && (0...precision).contains(scale)
    return isSound ? nil : "a decimal has 1 to 38 digits, none to all of them behind the point"
  }

  /// Whether Avro, and so Hudi, takes a column name.
  static func isColumnName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return name.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x5f
    }
  }

  /// The properties of the new table, as format-tables 1.4 and 1.5 have them.
  func properties() -> TableProperties {
    var properties = TableProperties(
      name: name, recordKeyFields: recordKey, orderingField: ordering, partitionFields: partition,
      isHiveStyle: options.hiveStylePartitions, isURLEncoded: options.encodesPartitionPaths,
      populatesMetaFields: options.populatesMetaColumns,
      createSchema: AvroSchema.text(of: schema, table: name))
    for (key, value) in options.tarn.entries(bloom: options.bloomFilter) { properties.entries[key] = value }
    properties.set(options.columnOwners)
    return properties
  }
}
