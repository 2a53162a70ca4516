import TarnColumns
import TarnTimeline

extension Table {
  /// Inserts rows whose keys are not stored and replaces those whose keys are, in one commit.
  ///
  /// Of rows with one key in one partition, in the batch or stored, the one with the greatest ordering value
  /// stays; of equals, the later. Columns that the table does not have are added to it, and are null in older rows.
  ///
  /// With ``WrittenColumns/given``, only the batch's columns change in a stored row. A batch without the ordering
  /// column counts as newer than what is stored, which keeps its ordering value; one without the partition columns is
  /// looked for in all partitions, and its rows stay where they are. A row that is not stored is inserted, with null
  /// in the columns that it does not give.
  ///
  /// - Parameters:
  ///   - rows: The rows, with the key columns at least.
  ///   - columns: The columns of stored rows that are written.
  ///   - scope: Within what a key is unique. With ``KeyScope/table``, a row that comes with another partition than the
  ///     stored one moves.
  /// - Throws: ``TableError``, `badRow` where a row that is not stored lacks its partition or a column that takes no
  ///   null; the table is as it was then.
  @discardableResult
  public func upsert(
    _ rows: RecordBatch, columns: WrittenColumns = .all, scope: KeyScope = .partition
  ) async throws(TableError) -> CommitReport {
    let isPlaced = columns == .all ? true : try self.scope(ofFinding: rows) == .partition
    let scope = isPlaced ? scope : .table
    return try await write(
      ChangeBatch(upserting: rows), operation: .upsert, scope: scope, kind: UpdateKind(columns: columns))
  }

  /// Changes the batch's columns in the stored rows with these keys, and inserts nothing.
  ///
  /// It does what ``upsert(_:columns:scope:)`` does with ``WrittenColumns/given``, but rows that are not stored are only
  /// counted, as ``CommitReport/notFound``.
  ///
  /// - Parameter rows: The key columns, and those to change.
  /// - Throws: ``TableError``; the table is as it was then.
  @discardableResult
  public func update(_ rows: RecordBatch) async throws(TableError) -> CommitReport {
    try await write(
      ChangeBatch(upserting: rows), operation: .upsert, scope: try scope(ofFinding: rows),
      kind: UpdateKind(columns: .given, insertsNew: false))
  }

  /// Where to look for rows to change: in their partitions where the batch has these columns.
  func scope(ofFinding rows: RecordBatch) throws(TableError) -> KeyScope {
    let partition = properties.partitionFields
    let missing = partition.filter { rows.schema.index(of: $0) == nil }
    if missing.isEmpty { return .partition }
    guard missing.count == partition.count else {
      throw TableError(
        .mismatch, "give all of the partition columns \(partition.joined(separator: ", ")), or none of them")
    }
    return .table
  }

  /// Inserts rows whose keys are not stored, and writes what a function makes of the others and the stored rows.
  ///
  /// The function decides alone: the ordering column is not looked at, except that of several rows of the batch with
  /// one key only the newest takes part. Rows that come back equal to the stored ones are counted as duplicates.
  ///
  /// - Parameters:
  ///   - rows: The rows, in the table's columns; a column that they lack is null.
  ///   - merge: What makes the rows to store. It is called for some pairs at a time, perhaps for several files at once;
  ///     an error that it throws ends the write.
  /// - Throws: ``TableError``, `mismatch` where the function gives other rows than it should; the table is as it was
  ///   then.
  @discardableResult
  public func upsert(
    _ rows: RecordBatch, merging merge: @escaping MergeFunction
  ) async throws(TableError) -> CommitReport {
    try await write(
      ChangeBatch(upserting: rows), operation: .upsert, scope: .partition, kind: UpdateKind(merge: merge))
  }

  /// Adds rows without looking their keys up: for loading rows that are known to be new.
  ///
  /// - Throws: ``TableError``; the table is as it was then.
  @discardableResult
  public func insert(_ rows: RecordBatch) async throws(TableError) -> CommitReport {
    try await write(ChangeBatch(upserting: rows), operation: .insert, scope: .partition)
  }

  /// Adds rows batch by batch without looking their keys up, in one commit.
  ///
  /// The rows of an empty table's first load are written as they are read; a table with rows gets all at once.
  ///
  /// - Parameters:
  ///   - schema: The columns of each batch.
  ///   - source: Gives the batches. An error that it throws ends the write.
  /// - Throws: ``TableError``; the table is as it was then.
  @discardableResult
  package func insert(
    _ schema: Schema, batches source: @escaping BatchSource
  ) async throws(TableError) -> CommitReport {
    // Rows of a bucket go into one file, so that all of them must be at hand; so must those of a table with rows.
    let state = try await presentState()
    let stored = try TarnOptions(state.properties).buckets
    let isBucketed = settings.buckets != nil || stored != nil
    guard state.timeline.lastInstant == nil, !isBucketed else {
      let all = try await tableErrors {
        var batches: [RecordBatch] = []
        while let batch = try await source() { batches.append(batch) }
        return try RecordBatch.concatenate(batches, schema: schema)
      }
      return try await insert(all)
    }
    var first = try await tableErrors { try await source() }
    while let batch = first, batch.count == 0 { first = try await tableErrors { try await source() } }
    guard let first else { return CommitReport() }
    return try await run(LoadWrite(schema: schema, first: first, source: source))
  }

  /// Deletes the rows with these keys: in their partitions where these are given, else wherever they are.
  ///
  /// - Parameter keys: The key columns, and perhaps the partition and ordering columns. A deletion without
  ///   ordering value deletes whatever is stored; one with it leaves a newer row alone.
  /// - Throws: ``TableError``, `mismatch` where the partition is given for some of the keys only; the table is
  ///   as it was then.
  @discardableResult
  public func delete(_ keys: RecordBatch) async throws(TableError) -> CommitReport {
    let all = Bitmap(repeating: true, count: keys.count)
    let changes: ChangeBatch
    do { changes = try ChangeBatch(rows: keys, isDelete: all) } catch { throw TableError(error) }
    return try await write(changes, operation: .delete, scope: try scope(ofDeleting: keys))
  }

  /// Where to look for keys: in their partitions where all of them name one.
  private func scope(ofDeleting keys: RecordBatch) throws(TableError) -> KeyScope {
    let partition = properties.partitionFields
    let given = partition.compactMap { keys[$0] }
    let known = given.reduce(0) { $0 + $1.count - $1.nullCount }
    if known == 0 { return .table }
    guard known == partition.count * keys.count else {
      throw TableError(
        .mismatch, "give \(partition.joined(separator: ", ")) for all keys to delete, or for none of them")
    }
    return .partition
  }

  /// Applies upserts and deletions in one commit.
  ///
  /// - Parameters:
  ///   - changes: The rows, in the order in which they came.
  ///   - scope: Within what a key is unique. With `table`, all partitions are searched, and a row that
  ///     comes with another partition than the stored one moves.
  /// - Throws: ``TableError``; the table is as it was then.
  @discardableResult
  public func apply(
    _ changes: ChangeBatch, scope: KeyScope = .table
  ) async throws(TableError) -> CommitReport {
    try await write(changes, operation: .upsert, scope: scope)
  }

  private func write(
    _ changes: ChangeBatch, operation: OperationType, scope: KeyScope, kind: UpdateKind = .whole
  ) async throws(TableError) -> CommitReport {
    try await run(RowWrite(changes: changes, operation: operation, scope: scope, kind: kind))
  }
}
