import TarnColumns
import TarnIndex
import TarnTimeline

/// Brings changes into a table's schema, makes their keys and partitions, and keeps one row of each key.
struct BatchIntake: Sendable {
  let table: WritableTable
  let kind: UpdateKind
  let scope: KeyScope
  let warn: @Sendable (String) -> Void

  /// The changes, keyed, each key once.
  ///
  /// - Returns: The batch, and how many rows lost to another of the batch.
  /// - Throws: ``TableError`` with code `badRow` for a row that the table cannot hold.
  func keyed(_ changes: ChangeBatch) throws(TableError) -> (batch: KeyedBatch, superseded: Int) {
    warnOfChanges(changes.rows.schema)
    var refused = RefusedRows()
    let (aligned, keys) = try align(changes, &refused)
    let isPartial = kind.columns == .given
    let names = Set(changes.rows.schema.names)
    let order = BatchOrder(
      table.orderingColumns, in: aligned.rows.schema, given: names, isPartial: isPartial)
    let given = table.schema.fields.indices.filter { names.contains(table.schema.fields[$0].name) }
    let kept = Deduplication.run(aligned, keys, order, scope)
    let batch = KeyedBatch(
      aligned, keys: keys, order: order,
      given: isPartial && given.count < table.schema.fields.count ? given : nil, scope: scope,
      winners: kept.winners, kept.index)
    return (batch, kept.superseded)
  }

  /// All rows, keyed, for loads that look no key up.
  ///
  /// - Throws: ``TableError`` with code `badRow` for a row that the table cannot hold.
  func loaded(_ rows: RecordBatch) throws(TableError) -> KeyedBatch {
    warnOfChanges(rows.schema)
    var refused = RefusedRows()
    let (aligned, keys) = try align(ChangeBatch(upserting: rows), &refused)
    return KeyedBatch(all: aligned.rows, keys: keys)
  }

  /// The changes in the table's schema, and their keys and partitions; what stands for refused rows means nothing.
  func align(
    _ changes: ChangeBatch, _ refused: inout RefusedRows
  ) throws(TableError) -> (changes: ChangeBatch, keys: RecordKeys) {
    do {
      let isPartial = kind.columns == .given
      var rows = try changes.rows.aligned(
        to: table.schema, deletes: changes.isDelete, requiresAll: !isPartial, &refused)
      let generator = table.keys.generator
      // Keys are compared as they are, and share the memory of the columns that they are.
      for name in generator.keyFields {
        guard let index = rows.schema.index(of: name) else { continue }
        rows.columns[index] = try rows.columns[index].plain()
      }
      let aligned = try ChangeBatch(rows: rows, isDelete: changes.isDelete)
      // Rows that do not say where they are, as deletions may, are looked for everywhere.
      let isPlaced = generator.partition.fields.allSatisfy { changes.rows.schema.index(of: $0) != nil }
      let keys = try generator.keys(
        of: isPartial && !isPlaced ? aligned.asDeletions : aligned, needsPartition: scope == .partition,
        warn: warn, &refused)
      try aligned.refuseText(orderedBy: Set(table.orderingColumns.map(\.name)), &refused)
      return (aligned, keys)
    } catch { throw TableError(error) }
  }

  /// Says which timestamps without zone the table takes as instants, and which columns change their type.
  private func warnOfChanges(_ input: Schema) {
    let names = input.fields.filter { field in
      guard case .timestamp(_, .local) = field.type, let known = table.schema[field.name] else {
        return false
      }
      return known.type != field.type
    }
    if !names.isEmpty {
      let columns = names.map(\.name).joined(separator: ", ")
      warn("timestamps without zone are taken as UTC: \(names.count == 1 ? "column" : "columns") \(columns)")
    }
    if let warning = ColumnWidening.warning(from: table.present, to: table.schema) { warn(warning) }
  }
}
