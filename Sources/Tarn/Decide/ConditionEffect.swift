import TarnColumns
import TarnExpressions
import TarnFileGroups
import TarnIndex

/// What a condition does to the rows for which it is true.
enum ConditionalChange: Sendable {
  /// They go.
  case delete
  /// These columns get these values.
  case set([String: Literal?])
}

/// Makes what a condition does to stored rows: the one place that decides it.
struct ConditionEffect: Sendable {
  private let table: WritableTable
  /// The values that rows get; nil where they go.
  let assignments: Assignments?

  /// Checks a change against a table.
  ///
  /// - Throws: ``TableError`` with code `mismatch`.
  init(_ change: ConditionalChange, _ table: WritableTable) throws(TableError) {
    self.table = table
    assignments = try Assignments(change, table)
  }

  /// The pure function of stored rows.
  var effect: StoredRowEffect {
    if let assignments {
      return StoredRowEffect(
        isDeletion: false, columns: table.schema.adding(table.keys.stored.schema.fields)
      ) { [table] stored, partition in
        .replaced(try Self.replacements(of: stored, assignments, table, partition))
      }
    }
    let ordering = table.orderingColumns
    guard table.keepsTombstones else {
      return StoredRowEffect(isDeletion: true, columns: Schema([])) { _, _ in .deleted(NewTombstones()) }
    }
    let keys = table.keys.stored
    return StoredRowEffect(isDeletion: true, columns: keys.schema.adding(ordering)) { stored, _ in
      .deleted(try Self.tombstones(of: stored, keys, ordering))
    }
  }

  /// Stored rows with other values, and their keys.
  private static func replacements(
    of stored: RecordBatch, _ assignments: Assignments, _ table: WritableTable, _ partition: String
  ) throws -> KeyedRows {
    var rows = try stored.select(table.schema.names)
    rows.schema = table.schema
    try assignments.apply(to: &rows)
    let keys = try table.keys.stored.keys(of: stored)
    for row in 0..<keys.count where keys.length(row) == 0 {
      throw TableError(.damaged, "partition \(partition.debugDescription) has a row without a record key")
    }
    return KeyedRows(rows, RecordKeys(keys, RowPartitions(path: partition, count: keys.count)))
  }

  /// The deletions of stored rows that are kept.
  private static func tombstones(
    of stored: RecordBatch, _ storedKeys: StoredKeys, _ ordering: [Field]
  ) throws -> NewTombstones {
    var tombstones = NewTombstones()
    let keys = try storedKeys.keys(of: stored)
    let values = ordering.map { stored[$0.name] ?? Column(nulls: stored.count, of: $0.type) }
    for row in 0..<stored.count { try tombstones.append(keys[row], orderedBy: values, row) }
    return tombstones
  }
}
