import TarnColumns
import TarnFileGroups
import TarnTimeline

/// What an overwrite replaces; see ``Table/overwrite(_:_:isPlan:)``.
public enum OverwriteExtent: String, Sendable, Hashable, CaseIterable {
  /// What the partitions hold into which rows come; others stay as they are.
  case partitions
  /// All rows of the table.
  case table
}

extension Table {
  /// Replaces partitions, or the table, by rows, in one commit.
  ///
  /// The rows are added without looking their keys up, as ``insert(_:)`` adds them. What they replace is out of the table from
  /// this commit on, with what its files remember of deleted keys, and is read as of earlier ones until a clean removes it.
  /// Where another writer changes or adds rows there meanwhile, the overwrite begins again, and replaces these, too.
  ///
  /// - Parameters:
  ///   - rows: The rows; with ``OverwriteExtent/table`` there may be none.
  ///   - extent: What is replaced.
  ///   - isPlan: Whether it is only told what would be replaced.
  /// - Returns: What was done; ``CommitReport/replacedFiles`` tells what was replaced.
  /// - Throws: ``TableError``; the table is as it was then.
  @discardableResult
  public func overwrite(
    _ rows: RecordBatch, _ extent: OverwriteExtent = .partitions, isPlan: Bool = false
  ) async throws(TableError) -> CommitReport {
    try await replace(
      ReplaceWrite(rows: rows, extent: extent == .table ? .table : .ofRows), isPlan: isPlan)
  }

  /// Takes partitions out of the table, with all of their rows.
  ///
  /// Their files are read as of earlier commits until a clean removes them.
  ///
  /// - Parameters:
  ///   - paths: Their folders, as `day=2024-01-31`.
  ///   - isPlan: Whether it is only told what would go.
  /// - Returns: What was done; its instant is nil where they held no rows.
  /// - Throws: ``TableError``, `mismatch` where there is no such partition; the table is as it was then.
  @discardableResult
  public func deletePartitions(_ paths: [String], isPlan: Bool = false) async throws(TableError)
    -> CommitReport
  {
    guard !paths.isEmpty else { return CommitReport() }
    return try await replace(ReplaceWrite(rows: nil, extent: .partitions(paths)), isPlan: isPlan)
  }

  /// Takes all rows out of the table, which keeps its columns and its history.
  ///
  /// - Parameter isPlan: Whether it is only told what would go.
  /// - Returns: What was done; its instant is nil where there were no rows.
  /// - Throws: ``TableError``; the table is as it was then.
  @discardableResult
  public func truncate(isPlan: Bool = false) async throws(TableError) -> CommitReport {
    try await replace(ReplaceWrite(rows: nil, extent: .table), isPlan: isPlan)
  }

  /// Runs a write that replaces file groups, or only tells which.
  func replace<Write: TableWrite>(_ write: Write, isPlan: Bool) async throws(TableError) -> CommitReport {
    guard isPlan else { return try await run(write) }
    do throws(TableError) {
      let reader = BaseFileReader(storage, readFooters, warn: settings.warn)
      // What other engines replace is left out, or in the way, as it would be of the write.
      var state = try await presentState()
      state.replacements = try await recovery.replacements(state.timeline)
      let table = PresentTable(state: state, settings: settings, reader: reader)
      let planned = try await write.prepare(on: table, after: nil).planned
      try planned.check(against: state.replacements)
      return CommitReport(planned.counts, replacing: planned.plan.replaced)
    } catch { throw error.of(properties.name) }
  }
}
