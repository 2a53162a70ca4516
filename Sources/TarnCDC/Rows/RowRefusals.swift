/// The rows that a table refuses, whose records are found by reading them again.
///
/// So nothing need be kept of where each row came from, for the few that are refused. A builder that has this rejects
/// the record of such a row, which alone goes where rejected ones do, whatever carried it.
package struct RowRefusals: Sendable {
  /// The reasons, by the rows' positions among those of all records that were taken.
  private let reasons: [Int: String]
  /// Rows of all records so far, without those of rejected ones.
  package private(set) var rowCount = 0
  /// The rows of records with a row that is refused, ascending.
  package private(set) var found: [Int] = []

  /// - Parameter reasons: The reasons, by the rows' positions.
  package init(_ reasons: [Int: String]) { self.reasons = reasons }

  /// Takes note of the rows that a record gave.
  ///
  /// - Throws: ``RejectionReason`` where one of them is refused: all of them are then ``found``.
  mutating func note(_ count: Int) throws(RejectionReason) {
    let rows = rowCount..<rowCount + count
    rowCount = rows.upperBound
    for row in rows {
      guard let why = reasons[row] else { continue }
      found += rows
      throw .refused(why: why)
    }
  }
}
