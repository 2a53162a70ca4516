import TarnCDC
import TarnColumns

/// The rows of an event's records.
struct StreamBatch {
  /// The changes; nil where a record cannot be taken.
  private(set) var changes: ChangeBatch?
  /// Which names own which columns, new ones among them.
  private(set) var owners: ColumnOwners
  /// What was taken.
  private(set) var counts = ChangeCounts()
  /// The records that cannot be taken, by their place in the event, and why.
  private(set) var rejected: [Int: RejectionReason] = [:]
  /// The record of each row, by its place in the event.
  private(set) var elements: [Int] = []

  /// Reads records, with columns for the attributes that have none yet.
  ///
  /// - Parameters:
  ///   - places: The records that are read, by their places in the event.
  ///   - builder: Makes a builder of rows for these columns.
  /// - Throws: `ChangeError` where the columns do not fit together.
  init(
    _ event: [UInt8], _ all: [StreamEvent.Element], _ places: [Int], columns: GrowingColumns,
    owners: ColumnOwners,
    builder: (GrowingColumns, ColumnOwners) throws(ChangeError) -> ChangeBatchBuilder
  ) throws(ChangeError) {
    self.owners = owners
    var columns = columns
    while true {
      var rows = try builder(columns, self.owners)
      rows.keepsNewValues = true
      (rejected, elements) = ([:], [])
      for place in places {
        var reason: RejectionReason?
        try rows.append(Array(event[all[place].range])) { record in reason = reason ?? record.reason }
        if let reason { rejected[place] = reason }
        elements.append(contentsOf: repeatElement(place, count: rows.rowCount - elements.count))
      }
      counts = rows.counts
      // They are left out, or end the batch, and the others are read once more.
      guard rejected.isEmpty else { return }
      let batch = try rows.finish()
      let found = rows.found
      self.owners = found.owners
      columns.grow(by: found)
      guard let complete = rows.completed([batch]) else { continue }
      changes = try BatchJoin.changes(complete, schema: columns.schema)
      return
    }
  }
}
