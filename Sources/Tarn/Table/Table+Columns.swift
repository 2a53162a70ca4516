import TarnColumns

extension Table {
  /// Gives columns types that hold more: int becomes long, double or decimal, long decimal, float double, and decimal
  /// one with more digits.
  ///
  /// The commit has no files, as that of Hudi's `alter table` has none: files keep the types that they have, and are
  /// read as the table's are. To widen columns where the values of a batch need it, see
  /// ``TableSettings/widensColumns``.
  ///
  /// - Parameter types: The new type of each column.
  /// - Returns: A report without rows; its instant is nil where the columns have these types already.
  /// - Throws: ``TableError`` with code `mismatch` where a column is not there, or cannot have the type; the table is as
  ///   it was then.
  @discardableResult
  public func widen(_ types: [String: DataType]) async throws(TableError) -> CommitReport {
    try await run(WideningWrite(types: types))
  }
}
