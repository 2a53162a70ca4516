/// A row that a table cannot hold, as its key, its partition or a value of it makes none that can be stored.
public struct RefusedRow: Sendable, Hashable {
  /// The row's position in its batch.
  public let row: Int
  /// What is wrong with it, and what to do.
  public let reason: String
}

/// What becomes of rows that a table cannot hold: the first one ends the write, or all of them are noted.
package struct RefusedRows: Sendable {
  /// The rows noted, in the order in which they were found, with the first reason of each.
  package private(set) var rows: [RefusedRow] = []
  private var known: Set<Int> = []
  private let areNoted: Bool

  /// - Parameter areNoted: Whether rows are noted, rather than thrown.
  package init(areNoted: Bool = false) { self.areNoted = areNoted }

  /// Takes note of a row.
  ///
  /// - Throws: ``ColumnError/refused(row:reason:)``, where rows are not noted.
  package mutating func refuse(_ row: Int, _ reason: String) throws(ColumnError) {
    guard areNoted else { throw .refused(row: row, reason: reason) }
    if known.insert(row).inserted { rows.append(RefusedRow(row: row, reason: reason)) }
  }
}
