import TarnAvro
import TarnColumns
import TarnTimeline

/// Gives columns of a table types that hold more values, so that those stored in the old type are read as equals.
///
/// Files keep the types that they have, and readers convert. Spark with Hudi 0.15, hudi-rs and Tarn were tried with
/// what is permitted here. Of a key or partition column no text may change, since rows are found by it.
struct ColumnWidening: Sendable {
  private let texts: [String]

  init(_ properties: TableProperties) {
    texts = properties.recordKeyFields + properties.partitionFields
  }

  /// The schema with a wider column.
  ///
  /// - Throws: ``TableError`` with code `mismatch` where the column is not there or cannot have that type.
  func widened(_ schema: Schema, _ name: String, to type: DataType) throws(TableError) -> Schema {
    guard let index = schema.index(of: name) else {
      throw TableError(
        .mismatch, "there is no column \(name): the table has \(schema.names.joined(separator: ", "))",
        column: name)
    }
    let field = schema.fields[index]
    guard field.type != type else { return schema }
    if let objection = TableDefinition.objection(to: type) {
      throw TableError(.mismatch, "column \(name) cannot be \(type.name): \(objection)", column: name)
    }
    guard Self.isPermitted(from: field.type, to: type) else {
      throw TableError(
        .mismatch,
        "column \(name) is \(field.type.name) and cannot become \(type.name): int becomes long, double or decimal, "
          + "long decimal, float double, and decimal one of as many digits before and behind the point at least; write "
          + "the rows to another table for other types", column: name)
    }
    guard !texts.contains(name) || Self.keepsTexts(from: field.type, to: type) else {
      throw TableError(
        .mismatch,
        "column \(name) is a key or partition column, whose values would have other texts as \(type.name), so that "
          + "rows were not found: write the rows to another table", column: name)
    }
    var wider = schema
    wider.fields[index].type = type
    return wider
  }

  /// The schema whose columns hold all values of rows, where wider types can.
  ///
  /// Decimals get no more digits than the values need.
  func widened(_ schema: Schema, for rows: RecordBatch) throws(TableError) -> Schema {
    var wider = schema
    for (field, column) in zip(rows.schema.fields, rows.columns) {
      guard let known = wider[field.name]?.type, !field.type.widens(to: known) else { continue }
      if let fitted = try? column.fitted(to: known), fitted.misfits.isEmpty { continue }
      var needed = field.type
      if case .decimal(let precision, let scale) = needed {
        needed = .decimal(
          precision: min(precision, max(scale + column.greatestWholeDigits, 1)), scale: scale)
      }
      guard let joined = known.joined(with: needed), joined != known else { continue }
      wider = try widened(wider, field.name, to: joined)
    }
    return wider
  }

  private static func isPermitted(from type: DataType, to wider: DataType) -> Bool {
    switch (type, wider) {
    case (.int32, .int64), (.int32, .double), (.float, .double), (.int32, .decimal), (.int64, .decimal),
      (.decimal, .decimal):
      type.widens(to: wider)
    default: false
    }
  }

  private static func keepsTexts(from type: DataType, to wider: DataType) -> Bool {
    switch (type, wider) {
    case (.int32, .int64), (_, .decimal(_, 0)): true
    case (.decimal(_, let scale), .decimal(_, let widerScale)): scale == widerScale
    default: false
    }
  }

  /// What a user should know of a schema's change; nil where there is nothing.
  static func warning(from schema: Schema, to wider: Schema) -> String? {
    let names = schema.fields.filter { $0.type == .float && wider[$0.name]?.type == .double }.map(\.name)
    guard !names.isEmpty else { return nil }
    return
      "\(names.joined(separator: ", ")): a stored float such as 1.1 is 1.100000023841858 as a double, and Spark and hudi-rs "
      + "may show 1.1"
  }
}
