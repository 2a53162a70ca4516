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
  private var deletions: [String: [Deletion]] = [:]

  /// A deletion that is remembered.
  private struct Deletion {
    /// The partition where it holds; nil for everywhere.
    var path: String?
    var order: Int64
    /// Whether a base file of the partition remembers it, and not the table, so that it goes with what replaces the file.
    var isInFile: Bool
  }

  /// Whether deletions are remembered.
  private let remembers: Bool

  init(_ shape: ModelShape) {
    scope = shape.scope
    isOrdered = shape.isOrdered
    remembers = shape.remembers
  }

  func slot(_ row: ModelRow) -> Slot {
    Slot(key: row.key, path: scope == .partition ? row.path : nil)
  }

  /// Takes the rows as a commit of this instant would: partial ones leave what they have no columns for, and a merge
  /// function decides whatever the ordering values say.
  mutating func apply(
    _ batch: ModelBatch, columns: WrittenColumns = .all, merging merge: ModelMerge? = nil, at instant: Instant
  ) -> CommitReport {
    var report = CommitReport()
    for (slot, winner) in winners(batch, slot, &report) {
      guard let stored = rows[slot] else {
        if winner.isDelete {
          report.notFound += 1
          remember(winner.row, within: slot.path)
        } else if isForgotten(winner.row, within: slot.path) {
          report.stale += 1
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
          remember(winner.row, inPlaceOf: stored.row)
        }
      } else if isOrdered, merge == nil, Self.precedes(winner.row.order, stored.row.order) {
        report.stale += 1
      } else {
        let row =
          merge?.row(stored.row, winner.row)
          ?? (columns == .all ? winner.row : batch.row(winner.row, over: stored.row))
        if row == stored.row {
          report.duplicates += 1
        } else {
          // In place, or from one partition to another.
          rows[slot] = StoredRow(row: row, instant: instant)
          report.updated += 1
        }
      }
    }
    return report
  }

  /// Deletes the rows with a value, or gives them another.
  mutating func change(_ value: Int64, to other: Int64?, at instant: Instant) -> CommitReport {
    var report = CommitReport()
    for (slot, stored) in rows where stored.row.value == value {
      if let other {
        rows[slot]?.row.value = other
        rows[slot]?.instant = instant
        report.updated += 1
      } else {
        rows[slot] = nil
        report.deleted += 1
        var deletion = stored.row
        deletion.order = nil
        remember(deletion, inPlaceOf: stored.row)
      }
    }
    return report
  }

  /// Takes the rows, which are of different keys, as Spark would: it knows no deletions, and writes equal rows too.
  mutating func applyAsSpark(_ batch: ModelBatch, at instant: Instant) {
    for row in batch.rows {
      if isOrdered, let stored = rows[slot(row)], Self.precedes(row.order, stored.row.order) { continue }
      rows[slot(row)] = StoredRow(row: row, instant: instant)
    }
  }

  /// Deletes keys in the partitions that the rows name, or wherever they are.
  mutating func delete(_ batch: ModelBatch) -> CommitReport {
    var report = CommitReport()
    let isNamed = batch.rows.contains { $0.part != nil }
    for (target, winner) in winners(batch, { Slot(key: $0.key, path: isNamed ? $0.path : nil) }, &report) {
      let found = rows.filter { slot, stored in
        slot.key == target.key && (!isNamed || stored.row.path == target.path)
      }
      if found.isEmpty {
        report.notFound += 1
        remember(winner.row, within: target.path)
      }
      var isStale = false
      for (slot, stored) in found {
        if isNewer(stored.row, thanDeletion: winner.row) {
          isStale = true
        } else {
          rows[slot] = nil
          report.deleted += 1
          remember(winner.row, inPlaceOf: stored.row)
        }
      }
      if isStale { report.stale += 1 }
    }
    return report
  }

  /// Adds rows without a look at what is stored or was deleted.
  mutating func insert(_ batch: ModelBatch, at instant: Instant) -> CommitReport {
    var report = CommitReport()
    for row in batch.rows {
      rows[slot(row)] = StoredRow(row: row, instant: instant)
      report.inserted += 1
    }
    return report
  }

  /// Replaces what partitions hold, all where none are named, by rows.
  mutating func replace(_ paths: Set<String>?, by batch: ModelBatch, at instant: Instant) -> CommitReport {
    let isReplaced = { (path: String?) in path.map { paths?.contains($0) ?? true } ?? false }
    rows = rows.filter { !isReplaced($0.value.row.path) }
    deletions = deletions.mapValues { $0.filter { !$0.isInFile || !isReplaced($0.path) } }
    return insert(batch, at: instant)
  }

  /// Remembers the deletion of a stored row, with that row's ordering value where it has none of its own.
  private mutating func remember(_ deletion: ModelRow, inPlaceOf stored: ModelRow) {
    guard remembers, let order = deletion.order ?? stored.order else { return }
    deletions[deletion.key, default: []].append(Deletion(path: stored.path, order: order, isInFile: true))
  }

  /// Remembers the deletion of a key that is not stored.
  private mutating func remember(_ deletion: ModelRow, within path: String?) {
    guard remembers, let order = deletion.order else { return }
    guard !isForgotten(deletion, within: path) else { return }
    deletions[deletion.key, default: []].append(Deletion(path: path, order: order, isInFile: false))
  }

  /// Whether the key was deleted, and not before this row, where it is looked for.
  private func isForgotten(_ row: ModelRow, within path: String?) -> Bool {
    guard remembers else { return false }
    return deletions[row.key, default: []].contains { deletion in
      guard path == nil || deletion.path == nil || deletion.path == path else { return false }
      return !Self.precedes(deletion.order, row.order)
    }
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
