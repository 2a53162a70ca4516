import TarnAvro
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

extension Table {
  /// Inserts rows whose keys are not stored and replaces those whose keys are, in one commit.
  ///
  /// Of rows with one key in one partition, in the batch or stored, the one with the greatest ordering value
  /// stays; of equals, the later. Columns that the table does not have are added to it, and are null in older rows.
  ///
  /// - Throws: ``TableError``; the table is as it was then.
  @discardableResult
  public func upsert(_ rows: RecordBatch) async throws(TableError) -> CommitReport {
    try await write(ChangeBatch(upserting: rows), operation: .upsert, scope: .partition)
  }

  /// Adds rows without looking their keys up: for loading rows that are known to be new.
  ///
  /// - Throws: ``TableError``; the table is as it was then.
  @discardableResult
  public func insert(_ rows: RecordBatch) async throws(TableError) -> CommitReport {
    try await write(ChangeBatch(upserting: rows), operation: .insert, scope: .partition)
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
    _ changes: ChangeBatch, operation: OperationType, scope: KeyScope
  ) async throws(TableError) -> CommitReport {
    let begun = settings.now()
    let lock: any StorageLock
    do { lock = try await storage.lock(TablePaths.writerLock, patience: settings.lockPatience) } catch {
      // A storage has no name for it.
      throw Task.isCancelled ? TableError(CancellationError()) : TableError(error)
    }
    do throws(TableError) {
      let transaction = WriteTransaction(storage: storage, settings: settings)
      var report = try await transaction.run(changes, operation: operation, scope: scope)
      await lock.release()
      report.duration = .microseconds(settings.now() - begun)
      return report
    } catch {
      await lock.release()
      throw error
    }
  }
}
