import Tarn
import TarnTimeline

/// What a table should hold and report: the rules of upserts and deletions, over a dictionary.
struct Model {
  /// What names a row: its key, and where that is the scope, the folder of its partition.
  struct Slot: Hashable {
    var key: String
    var path: String?
  }

  let scope: KeyScope
  let isOrdered: Bool
  private(set) var rows: [Slot: StoredRow] = [:]

  init(scope: KeyScope, isOrdered: Bool) {
    self.scope = scope
    self.isOrdered = isOrdered
  }

  private func slot(_ row: ModelRow) -> Slot {
    Slot(key: row.key, path: scope == .partition ? row.path : nil)
  }

  /// Takes the rows as a commit of this instant would.
  mutating func apply(_ batch: ModelBatch, at instant: Instant) -> CommitReport {
    var report = CommitReport()
    for (slot, winner) in winners(batch, slot, &report) {
      guard let stored = rows[slot] else {
        if winner.isDelete {
          report.notFound += 1
        } else {
          rows[slot] = StoredRow(row: winner.row, instant: instant)
          report.inserted += 1
        }
        continue
      }
      if winner.isDelete {
        if isNewer(stored.row, thanDeletion: winner.row) {
          report.stale += 1
        } else {
          rows[slot] = nil
          report.deleted += 1
        }
      } else if isOrdered, Self.precedes(winner.row.order, stored.row.order) {
        report.stale += 1
      } else if winner.row == stored.row {
        report.duplicates += 1
      } else {
        // In place, or from one partition to another.
        rows[slot] = StoredRow(row: winner.row, instant: instant)
        report.updated += 1
      }
    }
    return report
  }

  /// Deletes keys in the partitions that the rows name, or wherever they are.
  mutating func delete(_ batch: ModelBatch) -> CommitReport {
    var report = CommitReport()
    let isNamed = batch.rows.contains { $0.part != nil }
    for (target, winner) in winners(batch, { Slot(key: $0.key, path: isNamed ? $0.path : nil) }, &report) {
      let found = rows.filter { slot, stored in
        slot.key == target.key && (!isNamed || stored.row.path == target.path)
      }
      if found.isEmpty { report.notFound += 1 }
      var isStale = false
      for (slot, stored) in found {
        if isNewer(stored.row, thanDeletion: winner.row) {
          isStale = true
        } else {
          rows[slot] = nil
          report.deleted += 1
        }
      }
      if isStale { report.stale += 1 }
    }
    return report
  }

  /// Of each key the row with the greatest ordering value; of equals the later one.
  private func winners(
    _ batch: ModelBatch, _ slot: (ModelRow) -> Slot, _ report: inout CommitReport
  ) -> [Slot: (row: ModelRow, isDelete: Bool)] {
    var winners: [Slot: (row: ModelRow, isDelete: Bool)] = [:]
    for (row, isDelete) in zip(batch.rows, batch.isDelete) {
      guard let before = winners[slot(row)] else {
        winners[slot(row)] = (row, isDelete)
        continue
      }
      // A deletion without ordering is as new as what it meets.
      let isUnordered = (isDelete && row.order == nil) || (before.isDelete && before.row.order == nil)
      let isOlder = isOrdered && !isUnordered && Self.precedes(row.order, before.row.order)
      // A row that leaves one partition for another comes as two, and is one change.
      let isMove =
        isOrdered && before.isDelete && !isDelete && before.row.order == row.order
        && (before.row.part == nil || before.row.path != row.path) && scope == .table
      if isOlder || !isMove { report.superseded += 1 }
      if !isOlder { winners[slot(row)] = (row, isDelete) }
    }
    return winners
  }

  private func isNewer(_ stored: ModelRow, thanDeletion deletion: ModelRow) -> Bool {
    isOrdered && deletion.order != nil && Self.precedes(deletion.order, stored.order)
  }

  /// Null comes before everything.
  private static func precedes(_ left: Int64?, _ right: Int64?) -> Bool {
    guard let right else { return false }
    return left.map { $0 < right } ?? true
  }
}
