import TarnBytes

/// Turns change records of every shape into lines of the one form of ``ChangeRecord/appendNormalForm(_:to:)``.
package struct ChangeNormalizer: ChangeConsumer {
  var scan: ChangeScan
  private var table: TableFilter
  /// The lines since they were last taken.
  private var lines: [UInt8] = []
  /// Number of records that were taken.
  package private(set) var count = 0
  /// Number of records of other tables.
  package var otherTables: Int { table.passedOver }

  /// How much text is held before it is to be taken.
  private static let enough = 1 << 20

  /// - Parameters:
  ///   - table: The DynamoDB table whose records are taken; nil for those of all.
  ///   - shape: How the records are written; nil where each tells that.
  package init(table: String? = nil, shape: ChangeShape? = nil) {
    scan = ChangeScan(shape)
    self.table = TableFilter(table)
  }

  package func isFull(limit: Int) -> Bool { lines.count >= Self.enough }

  mutating func takeRecord(_ scanner: borrowing JSONScanner) throws(RejectionReason) {
    guard try table.takes(scan.record, scanner) else { return }
    try scan.record.appendNormalForm(scanner.bytes, to: &lines)
    count += 1
  }

  /// Hands the lines out, and begins anew.
  package mutating func takeLines() -> [UInt8] {
    defer { lines.removeAll(keepingCapacity: false) }
    return lines
  }
}

/// Takes the records of one table, or those of all.
struct TableFilter: Sendable {
  private var choice: TableChoice?
  private(set) var passedOver = 0

  init(_ wanted: String?) { choice = wanted.map { TableChoice($0) } }

  mutating func takes(
    _ record: borrowing ChangeRecord, _ scanner: borrowing JSONScanner
  ) throws(RejectionReason) -> Bool {
    guard choice != nil else { return true }
    let isWanted = try choice?.takes(record, scanner) ?? true
    if !isWanted { passedOver += 1 }
    return isWanted
  }
}
