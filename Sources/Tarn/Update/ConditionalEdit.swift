import TarnColumns
import TarnParquet

/// Rows of one file that a condition chose, and what becomes of them.
///
/// What they become is read when the file is written, so that of a change to a whole table no more rows are held than
/// those of the files under way.
struct ConditionalEdit: Sendable {
  /// The chosen ones among the file's rows.
  let rows: Bitmap
  /// How many they are.
  let count: Int
  /// The values that they get; nil where they go.
  let values: Assignments?
  let table: WriteTransaction.Target

  /// Chooses rows of a file by their positions, which are ascending.
  init(_ positions: [Int], _ values: Assignments?, _ table: WriteTransaction.Target) {
    // Not by the footer's word: it may claim more rows than there are.
    var rows = Bitmap(count: (positions.last ?? -1) + 1)
    for position in positions { rows[position] = true }
    self.rows = rows
    count = positions.count
    self.values = values
    self.table = table
  }

  /// The chosen ones of some rows, ascending.
  func positions(_ range: Range<Int>) -> [Int] { range.clamped(to: 0..<rows.count).filter { rows[$0] } }

  /// All chosen ones, ascending.
  fileprivate var positions: [Int] { positions(0..<rows.count) }

  /// What stored rows become, with their keys.
  ///
  /// - Parameters:
  ///   - stored: Rows with the table's columns, and those of which keys are made.
  ///   - partition: The path of their partition.
  func batch(
    of stored: RecordBatch, _ values: Assignments, partition: String
  ) throws -> PreparedBatch {
    var rows = try stored.select(table.schema.names)
    rows.schema = table.schema
    try values.apply(to: &rows)
    let keys = try table.storedKeys.keys(of: stored)
    guard (0..<keys.count).allSatisfy({ keys.length($0) > 0 }) else {
      throw TableError(.damaged, "partition \(partition.debugDescription) has a row without a record key")
    }
    let made = RecordKeyGenerator.Keys(
      keys: keys, hashes: keys.hashes(), partitions: [partition],
      partitionOf: [Int32](repeating: 0, count: keys.count))
    return PreparedBatch(
      ChangeBatch(upserting: rows), keys: made, orderedBy: table.state.properties.orderingField,
      scope: .partition, keepsAll: true)
  }

  /// The deleted keys that are to be remembered.
  fileprivate func burials(_ file: ParquetFile, _ positions: [Int]) async throws -> Burials {
    var burials = Burials()
    guard table.remembers, let ordering = table.ordering else { return burials }
    let rows = try await StoredRows.read(
      file, at: positions, as: table.storedKeys.schema.adding([ordering]))
    let keys = try table.storedKeys.keys(of: rows)
    guard let order = rows[ordering.name] else { return burials }
    for row in 0..<rows.count { try burials.append(keys[row], orderedBy: order, row) }
    return burials
  }
}

extension CommitContext {
  /// The merge of a file with its deletions made out, where a condition chose them.
  func withDeletions(_ merge: WritePlan.Merge, _ file: ParquetFile) async throws -> WritePlan.Merge {
    guard let edit = merge.edit, edit.values == nil else { return merge }
    var merge = merge
    merge.resolution.deleted = edit.positions
    merge.resolution.burials = try await edit.burials(file, merge.resolution.deleted)
    return merge
  }

  /// The merge of a file with its updates made out, where a condition chose them, and a context that has their rows.
  func withUpdates(
    _ merge: WritePlan.Merge, _ file: ParquetFile
  ) async throws -> (context: CommitContext, merge: WritePlan.Merge) {
    guard let edit = merge.edit, let values = edit.values else { return (self, merge) }
    let positions = edit.positions
    let stored = try await StoredRows.read(
      file, at: positions, as: edit.table.schema.adding(edit.table.storedKeys.schema.fields))
    var context = self
    context.batch = try edit.batch(of: stored, values, partition: merge.tagged.slice.partitionPath)
    var merge = merge
    merge.resolution.updated = positions.enumerated().map {
      TaggedSlice.Match(stored: $0.element, incoming: $0.offset)
    }
    return (context, merge)
  }
}
