import TarnColumns
import TarnFileGroups
import TarnStorage
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
  private func scope(ofFinding rows: RecordBatch) throws(TableError) -> KeyScope {
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
    try await write { transaction throws(TableError) in try await transaction.load(schema, source) }
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

  /// The rows of a batch that the table cannot hold, so that the others can be written without them.
  ///
  /// These are rows whose key is null, empty or ambiguous, whose partition no folder can stand for, that lack a value
  /// which the table requires, or have one that its column's type does not hold. Any of them would fail the write.
  ///
  /// - Parameters:
  ///   - changes: The rows.
  ///   - columns: As they are to be written.
  ///   - scope: Within what a key is to be unique.
  /// - Returns: The rows in ascending order, with the first reason of each.
  /// - Throws: ``TableError`` where the batch as a whole cannot be written, as for a column of another type.
  public func refusedRows(
    in changes: ChangeBatch, columns: WrittenColumns = .all, scope: KeyScope = .table
  ) async throws(TableError) -> [RefusedRow] {
    var quiet = settings
    quiet.warn = { _ in }
    let isPlaced = columns == .all ? true : try self.scope(ofFinding: changes.rows) == .partition
    let state = try await TableState.load(storage)
    let changes = try SoftDeletes.taken(from: changes, state.requireSchema(), .upsert, warn: quiet.warn)
    let widening = quiet.widensColumns ? ColumnWidening(state.properties) : nil
    let table = try WritableTable(state, quiet) { (present) throws(TableError) in
      try SchemaEvolution(schema: present).evolved(by: changes.rows, widening)
    }
    let intake = BatchIntake(
      table: table, kind: UpdateKind(columns: columns), scope: isPlaced ? scope : .table, warn: quiet.warn)
    var refused = RefusedRows(areNoted: true)
    _ = try intake.align(changes, &refused)
    return refused.rows.sorted { $0.row < $1.row }
  }

  private func write(
    _ changes: ChangeBatch, operation: OperationType, scope: KeyScope, kind: UpdateKind = .whole
  ) async throws(TableError) -> CommitReport {
    try await write { transaction throws(TableError) in
      try await transaction.run(changes, operation: operation, scope: scope, kind: kind)
    }
  }

  /// Runs a write under the table's lock.
  func write(
    _ body: (WriteTransaction) async throws(TableError) -> CommitReport
  ) async throws(TableError) -> CommitReport {
    let begun = settings.now()
    // All waits of the write together last no longer than its patience.
    let storage = storage.waiting(atMost: settings.lockPatience)
    let lock = try await tableErrors {
      try await location.lockProvider(of: storage).lock(
        TablePaths.writerLock, patience: settings.lockPatience)
    }
    // A write reads many small parts of few files.
    let files = storage.keepOpen()
    defer { withExtendedLifetime(files) {} }
    let authority = LockAuthority(lock)
    do throws(TableError) {
      let state = try await Recovery(storage: storage, settings: settings, authority: authority).run()
      var report = try await body(
        WriteTransaction(
          state: state, settings: settings, reader: BaseFileReader(storage, footers, warn: settings.warn),
          authority: authority, owners: owners))
      await lock.release()
      report.duration = .microseconds(settings.now() - begun)
      return report
    } catch {
      await lock.release()
      throw error
    }
  }
}
