import TarnBytes
import TarnCDC
import TarnColumns

/// Finds the records of rows that the table refused, by reading them again.
///
/// So nothing need be kept of where each row came from, for the few that are refused.
struct RefusalFinder<Base: RowBuilder>: RecordConsumer {
  /// Makes the rows again.
  var base: Base
  private let refused: [Int: String]
  /// Rows of all records so far, without those of rejected ones.
  private(set) var rowCount = 0
  /// The rows of records with a row that is refused.
  private(set) var found: [Int] = []

  init(_ base: Base, _ refused: [Int: String]) {
    self.base = base
    self.refused = refused
  }

  var shape: RecordShape { base.shape }

  func isFull(limit: Int) -> Bool { base.isFull(limit: limit) }

  @_lifetime(scanner: copy scanner)
  mutating func take(_ scanner: inout JSONScanner) throws(RejectionReason) {
    let before = base.rowCount
    try base.take(&scanner)
    let rows = rowCount..<rowCount + base.rowCount - before
    rowCount = rows.upperBound
    for row in rows {
      guard let why = refused[row] else { continue }
      found += rows
      throw .refused(why: why)
    }
  }

  mutating func begin(_ facts: FileFacts) { base.begin(facts) }

  mutating func noteRejected() {}

  var hasCarriedRejections: Bool { base.hasCarriedRejections }

  mutating func takeCarriedRejections() -> [CarriedRejection] { base.takeCarriedRejections() }
}

extension ChangeBatch {
  /// The changes but for some, given ascending.
  func without(_ rows: [Int]) throws -> ChangeBatch {
    var bits = Bitmap()
    let kept = self.rows.rows(without: rows)
    for row in kept { bits.append(isDelete[Int(row)]) }
    return try ChangeBatch(rows: try self.rows.gather(kept), isDelete: bits)
  }
}

extension RecordBatch {
  /// The positions of all rows but some, given ascending.
  func rows(without others: [Int]) -> [Int32] {
    var rest = others[...]
    return (0..<Int32(count)).filter { row in
      guard rest.first == Int(row) else { return true }
      rest = rest.dropFirst()
      return false
    }
  }
}
