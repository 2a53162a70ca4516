import TarnColumns

extension Table {
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
    quiet.observer = nil
    let isPlaced = columns == .all ? true : try self.scope(ofFinding: changes.rows) == .partition
    let state = try await presentState()
    return try Incoming(
      state: state, settings: quiet, kind: UpdateKind(columns: columns), scope: isPlaced ? scope : .table
    ).refusedRows(in: changes)
  }
}
