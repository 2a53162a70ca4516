import TarnBytes
import TarnColumns
import TarnIndex
import TarnStorage

/// What is remembered of keys that are not stored: the deletion of each that orders last.
struct RememberedDeletions: Sendable {
  /// The ordering values of the deletions, in the table's type.
  fileprivate var orderings: Column
  /// For each row of the batch whose key was deleted, where its deletion stands among them.
  fileprivate var places: [Int32: Int] = [:]

  /// Whether a row's key was deleted, and not before the row.
  func covers(_ row: Int32, in batch: PreparedBatch) -> Bool {
    guard let place = places[row], let ordering = batch.orderingColumn else { return false }
    let incoming = batch.changes.rows.columns[ordering]
    return incoming.compare(Int(row), to: orderings, place) <= 0
  }

  /// The rows whose keys were deleted.
  var rows: some Sequence<Int32> { places.keys }
}

/// Looks for tombstones of keys that are not stored: in the key indexes of the file groups where they may have been,
/// and in the table's own store.
struct TombstoneLookup: Sendable {
  let storage: any Storage
  let batch: PreparedBatch
  /// The ordering column's type.
  let type: DataType
  let store: TombstoneStore
  /// Tombstones of before this time have expired, in milliseconds since 1970-01-01T00:00:00Z.
  let expiry: Int64
  let parallelism: Int
  let warn: @Sendable (String) -> Void

  /// Looks for the rows' keys.
  ///
  /// - Parameters:
  ///   - rows: Rows of the batch whose keys are not stored.
  ///   - tagged: The slices in which they may have been.
  ///   - partitionOf: The partitions' positions among the batch's keys.
  func run(
    _ rows: [Int32], _ tagged: [TaggedSlice], _ partitionOf: [ExactText: Int32]
  ) async throws -> RememberedDeletions {
    let isWhole = batch.scope == .table
    let byPlace = Dictionary(grouping: rows, by: batch.place)
    let all = KeyQueries(rows, batch.keys)
    let work = tagged.filter { $0.tombstones != nil }.map {
      (slice: $0, partition: partitionOf[ExactText($0.slice.partitionPath)] ?? -1)
    }
    let found = try await concurrently(work, width: parallelism) { entry in
      let place = batch.place(of: entry.slice.slice, entry.partition)
      let queries = KeyQueries(byPlace[place] ?? [], batch.keys)
      return try await tombstones(of: entry.slice, queries.hashes)
    }
    var search = Search(batch, rows, type)
    for (entry, tombstones) in zip(work, found) {
      for tombstone in tombstones { try search.take(tombstone, in: [entry.partition]) }
    }
    guard !store.files.isEmpty else { return search.finish() }
    let everywhere = isWhole ? [-1] : batch.keys.partitions.indices.map { Int32($0) }
    for tombstone in try await storedTombstones(all.hashes) {
      try search.take(tombstone, in: everywhere) { isWhole ? -1 : partitionOf[$0] }
    }
    return search.finish()
  }

  private func tombstones(of tagged: TaggedSlice, _ hashes: [UInt32]) async throws -> [KeyTombstone] {
    guard let reference = tagged.tombstones, !hashes.isEmpty else { return [] }
    let path = tagged.slice.path
    do throws(KeyIndexError) {
      let index =
        if let read = tagged.index { read } else {
          try await KeyIndexDirectory.read(reference, in: storage, at: path)
        }
      return try await index.tombstones(for: hashes, in: storage, at: path, expiry: expiry)
    } catch {
      guard case .damaged = error else { throw error }
      warn("\(error): deletions that it remembers are not known")
      return []
    }
  }

  private func storedTombstones(_ hashes: [UInt32]) async throws -> [KeyTombstone] {
    do throws(KeyIndexError) { return try await store.tombstones(for: hashes, expiry: expiry) } catch {
      guard case .damaged = error else { throw error }
      warn("\(error): deletions that the table remembers are not known; delete the file to go on without it")
      return []
    }
  }

  /// Matches tombstones with rows.
  private struct Search {
    let batch: PreparedBatch
    let rows: Set<Int32>
    var values: ColumnBuilder
    var count = 0
    /// The rows of each value.
    var matches: [(row: Int32, place: Int)] = []

    init(_ batch: PreparedBatch, _ rows: [Int32], _ type: DataType) {
      self.batch = batch
      self.rows = Set(rows)
      values = ColumnBuilder(type)
    }

    mutating func take(
      _ tombstone: KeyTombstone, in partitions: [Int32], _ position: (ExactText) -> Int32? = { _ in nil }
    ) throws {
      guard let ordering = tombstone.ordering,
        let found = TombstoneOrdering.decode(ordering, into: &values)
      else { return }
      let place = count
      count += 1
      var key = ByteStrings()
      try key.append(tombstone.key.span.bytes)
      var within = partitions
      if case .partition(let path) = found { within = position(path).map { [$0] } ?? [] }
      for partition in within {
        guard let row = batch.row(for: key, 0, hash: key.hash(0), partition: partition),
          rows.contains(Int32(row))
        else { continue }
        matches.append((Int32(row), place))
      }
    }

    consuming func finish() -> RememberedDeletions {
      var result = RememberedDeletions(orderings: values.finish())
      for (row, place) in matches {
        if let other = result.places[row],
          result.orderings.compare(place, to: result.orderings, other) < 0
        {
          continue
        }
        result.places[row] = place
      }
      return result
    }
  }
}
