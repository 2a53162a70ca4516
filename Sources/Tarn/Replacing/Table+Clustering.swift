import TarnFileGroups

/// In which order a clustering writes rows; see ``Table/cluster(_:partitions:isPlan:)``.
public enum ClusterOrder: Sendable, Hashable {
  /// As they are: small files are made into full ones.
  case stored
  /// By columns, the first of them first; nulls come before all else.
  case columns([String])
  /// Along a Z-order of columns: rows that are near in each of them are near in the file, so that a condition on any of them
  /// opens few pages.
  case zOrder([String])
}

extension Table {
  /// Makes small files of a partition into full ones, or writes its files anew in an order.
  ///
  /// Without an order, files below the limit of small ones (``TarnOptions/smallFileLimit``) are put together, where there are
  /// two at least. With one, all files of the partitions are written anew. As many rows are sorted at once as an eighth of
  /// ``TableSettings/memory`` holds; a partition with more is sorted in runs, which lie in
  /// ``TableSettings/temporaryFolder`` until they are merged. Along a Z-order of several columns runs are not merged: each is in
  /// order.
  ///
  /// The rows stay as they are, with the commits that wrote them: who follows the table meets none again. What the files
  /// remember of deleted keys goes with them. It is a commit as each other one, Hudi's replacecommit with a plan: whoever
  /// changes one of the files meanwhile has it begin again, and of two the one that is decided first stands. The old files are
  /// read as of earlier commits until a clean removes them.
  ///
  /// - Parameters:
  ///   - order: The order of the rows.
  ///   - partitions: The folders of the partitions, as `day=2024-01-31`; nil for all.
  ///   - isPlan: Whether it is only told which files would be replaced.
  /// - Returns: What was done; its instant is nil where there was nothing to do.
  /// - Throws: ``TableError``: `mismatch` where a column or partition is not there; `unsupported` for a table with a bucket
  ///   index. The table is as it was then.
  @discardableResult
  public func cluster(
    _ order: ClusterOrder = .stored, partitions: [String]? = nil, isPlan: Bool = false
  ) async throws(TableError) -> CommitReport {
    let rows: RowOrder =
      switch order {
      case .stored: .stored
      case .columns(let names): .columns(names)
      case .zOrder(let names): .zOrder(names)
      }
    let write = ClusterWrite(
      order: rows.columns.isEmpty ? .stored : rows, partitions: partitions, base: location.base)
    if isPlan { return try await replace(write, isPlan: true) }
    return try await cluster(write)
  }
}
