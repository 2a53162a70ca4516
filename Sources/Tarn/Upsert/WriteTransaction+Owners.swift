import TarnColumns
import TarnStorage
import TarnTimeline

extension WriteTransaction {
  /// Stores which names own which columns, where the table's properties do not have it yet.
  ///
  /// Whatever a commit then puts into such a column is that name's for every later batch. Where the commit fails, what
  /// is stored does no harm: the name gets its column when it comes again.
  ///
  /// - Throws: ``TableError``: `conflict` where another writer has given a name or column away meanwhile; `mismatch`
  ///   where there are too many.
  func storeOwners(_ state: TableState) async throws(TableError) {
    guard let owners else { return }
    var properties = state.properties
    let known = try await tableErrors { try properties.columnOwners() }
    var joined = known
    if let column = joined.formUnion(owners) {
      throw TableError(
        .conflict, "another writer gave the column \(column), or the name that is to own it, away: try again")
    }
    guard joined != known else { return }
    guard !joined.isTooLarge else {
      throw TableError(
        .mismatch,
        "the names that are not those of their columns are more than \(ColumnOwners.limit), or take more than "
          + "\(ColumnOwners.byteLimit) bytes: keep what has names without end, such as a map by id, in one attribute"
      )
    }
    properties.set(joined)
    let changed = properties
    try await tableErrors { try await changed.store(in: storage, now: settings.now()) }
  }
}
