import TarnBytes
import TarnColumns
import TarnIndex
import TarnTimeline

extension WriteTransaction {
  /// What is remembered of the keys of a batch that are not stored; nil where nothing is to be compared with it.
  func remembered(
    _ batch: PreparedBatch, _ tagged: [TaggedSlice], _ isFound: Bitmap, _ partitionOf: [ExactText: Int32],
    _ table: Target
  ) async throws(TableError) -> RememberedDeletions? {
    if batch.winners.contains(where: { batch.changes.isDelete[Int($0)] }) { warnOfForgetting(table) }
    guard table.remembers, let ordering = batch.orderingColumn else { return nil }
    let rows = batch.winners.filter { !isFound[Int($0)] }
    guard !rows.isEmpty else { return nil }
    return try await tableErrors {
      let store = try await TombstoneStore.open(in: storage, timeline: table.state.timeline)
      guard !store.files.isEmpty || tagged.contains(where: { $0.tombstones != nil }) else { return nil }
      let expiry = table.options.tombstoneExpiry(at: settings.now() / 1_000)
      let lookup = TombstoneLookup(
        storage: storage, batch: batch, type: table.schema.fields[ordering].type, store: store,
        expiry: expiry, parallelism: settings.parallelism, warn: settings.warn)
      return try await lookup.run(rows, tagged, partitionOf)
    }
  }

  /// The deletions of keys that are not stored: no file group is known to remember them, so the table does.
  ///
  /// One that is not newer than what is remembered already adds nothing.
  func burials(
    _ batch: PreparedBatch, _ isFound: Bitmap, _ remembered: RememberedDeletions?, _ table: Target
  ) throws(TableError) -> Burials {
    var burials = Burials()
    guard table.remembers, let ordering = batch.orderingColumn else { return burials }
    for row in batch.winners {
      let index = Int(row)
      guard batch.changes.isDelete[index], !isFound[index], remembered?.covers(row, in: batch) != true else {
        continue
      }
      // Looked for in the whole table, the key was deleted from the whole table.
      let position = batch.scope == .table ? -1 : Int(batch.keys.partitionOf[index])
      let partition = position < 0 ? nil : batch.keys.partitions[position]
      do {
        try burials.append(
          batch.keys.keys[index], orderedBy: batch.changes.rows.columns[ordering], index, partition: partition
        )
      } catch { throw TableError(error) }
    }
    return burials
  }

  /// Puts the table's own tombstone files in order, before one more is written.
  ///
  /// Files of attempts that another engine rolled back go, since a timeline that begins after them would take them
  /// for completed.
  func tidyTombstones(_ table: Target) async throws(TableError) {
    try await tableErrors {
      let store = try await TombstoneStore.open(in: storage, timeline: table.state.timeline)
      for file in store.uncommitted where file.generation == 0 {
        try await TombstoneStore.remove(file.instant, in: storage)
      }
      do throws(KeyIndexError) {
        _ = try await store.merge(expiry: table.options.tombstoneExpiry(at: settings.now() / 1_000))
      } catch {
        guard case .damaged = error else { throw error }
        settings.warn(
          "\(error): the table's tombstones are not put in order; delete the file to go on without it")
      }
    }
  }

  /// Says that deletions from this table are not remembered though they could be.
  func warnOfForgetting(_ table: Target) {
    guard table.ordering != nil, !table.options.hasKeyIndex else { return }
    settings.warn(
      "table \(table.state.properties.name) has no key index (tarn.key.index=false) and remembers no deletions: "
        + "a change that comes later and is older than its key's deletion brings the row back")
  }
}
