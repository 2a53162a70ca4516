import TarnBytes
import TarnFileGroups
import TarnIndex
import TarnTimeline

/// What becomes of a batch.
struct PreparedRows: PreparedWrite {
  /// The batch, each key once.
  let batch: KeyedBatch
  /// Where its keys are stored.
  let found: LookupResult
  /// What becomes of the rows of each file.
  let decisions: [FileDecision]
  /// The rows that are written.
  let rows: KeyedRows
  let planned: PlannedWrite

  /// Plans which file group takes what.
  init(
    _ incoming: IncomingBatch, _ found: LookupResult, _ decisions: [FileDecision], _ changes: RowChanges,
    _ counts: RowCounts, on state: TableState, looksKeysUp: Bool
  ) {
    batch = incoming.batch
    self.found = found
    self.decisions = decisions
    rows = changes.rows
    let table = incoming.table
    // What is inserted without a look does not stand on what others insert.
    let looked = batch.scope == .table ? nil : batch.keys.partitions.paths
    var planned = PlannedWrite(
      table,
      WritePlanner(options: table.options, replacements: state.replacements).plan(changes, found.files),
      counts, on: state,
      lookingIn: looksKeysUp ? looked : [], looksAtDeletions: looksKeysUp && table.keepsTombstones)
    // The files of a bucket stay what they are.
    if found.buckets == nil { planned.neighbours = found.files.map(\.slice) }
    self.planned = planned
  }

  /// What was decided of each slice.
  var known: [FileSlice: FileDecision] {
    Dictionary(
      zip(found.files.map(\.slice), decisions).map { ($0, $1) }, uniquingKeysWith: { first, _ in first })
  }

  /// No file group that is written has changed, and no key came that was not there.
  func isUnaffected(by newer: PreparedRows) -> Bool {
    guard planned.table.present == newer.planned.table.present,
      planned.plan.isEmpty == newer.planned.plan.isEmpty
    else { return false }
    let present = Set(newer.found.files.map(\.slice))
    guard planned.plan.updates.allSatisfy({ present.contains($0.slice) }) else { return false }
    // What was left out as stored already, or newer, stands on the slice in which that was found.
    guard found.files.allSatisfy({ $0.matches.isEmpty || present.contains($0.slice) }) else { return false }
    let before = Set(found.files.map(\.slice))
    guard newer.found.files.allSatisfy({ before.contains($0.slice) || $0.matches.isEmpty }) else {
      return false
    }
    return batch.winners.allSatisfy { row in
      deletion(of: row) == newer.deletion(of: row)
    }
  }

  private func deletion(of row: Int32) -> [Bool] {
    guard let deletions = found.deletions else { return [false, false] }
    return [deletions.contains(row), deletions.covers(row, in: batch)]
  }
}
