import TarnColumns
import TarnExpressions

extension Table {
  /// Deletes the rows for which a condition is true.
  ///
  /// Only files that can hold such rows are opened. Meta columns that the table has may stand in the condition.
  ///
  /// - Throws: ``TableError``, `mismatch` where a column is missing or a value does not fit one; the table is as it
  ///   was then.
  @discardableResult
  public func delete(where condition: Condition) async throws(TableError) -> CommitReport {
    try await run(ConditionWrite(change: .delete, condition: condition))
  }

  /// Gives columns new values in the rows for which a condition is true.
  ///
  /// Rows that have these values already are counted as ``CommitReport/duplicates`` and not written.
  ///
  /// - Parameters:
  ///   - condition: The condition; meta columns that the table has may stand in it.
  ///   - values: The new value of each column, nil for null. Key and partition columns cannot be among them.
  /// - Throws: ``TableError``, `mismatch` where a column is missing or a value does not fit one; the table is as it
  ///   was then.
  @discardableResult
  public func update(
    where condition: Condition, set values: [String: Literal?]
  ) async throws(TableError) -> CommitReport {
    try await run(ConditionWrite(change: .set(values), condition: condition))
  }
}
