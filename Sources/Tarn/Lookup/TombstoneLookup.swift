import TarnBytes
import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnStorage
import TarnTimeline

/// The deletions that are known of keys that are not stored: of each key the one that orders last.
struct KnownDeletions: Sendable {
  /// The ordering values of the deletions, in the table's types.
  private let orderings: DeletionOrders
  /// For each row of the batch whose key was deleted, which of them is its deletion's.
  private let positions: [Int32: Int]

  fileprivate init(_ orderings: DeletionOrders, _ matches: [(row: Int32, position: Int)]) {
    self.orderings = orderings
    var positions: [Int32: Int] = [:]
    for (row, position) in matches {
      if let other = positions[row], orderings.order(position, other) < 0 { continue }
      positions[row] = position
    }
    self.positions = positions
  }

  /// Whether a row's key was deleted, and not before the row.
  func covers(_ row: Int32, in batch: KeyedBatch) -> Bool {
    guard let position = positions[row], let order = batch.order else { return false }
    let index = Int(row)
    let values = order.columns.map { place -> Column? in
      let column = batch.rows.columns[place]
      return order.given.contains(place) && !batch.isSilent(index, in: column) ? column : nil
    }
    return orderings.order(of: values, index, to: position) <= 0
  }

  /// Whether a row's key was deleted.
  func contains(_ row: Int32) -> Bool { positions[row] != nil }
}

/// Looks for tombstones of keys that are not stored: in the key indexes of the file groups where they may have been,
/// and in the table's own store.
struct TombstoneLookup: Sendable {
  let batch: KeyedBatch
  let buckets: RowBuckets?
  /// The types of the ordering column and of those that break ties.
  let types: [DataType]
  let timeline: Timeline
  /// Tombstones of before this time have expired, in milliseconds since 1970-01-01T00:00:00Z.
  let expiry: Int64
  let reader: BaseFileReader
  let parallelism: Int

  /// Rows of a batch from which on it is likely that some are not stored.
  private static let manyRows = 64

  /// Lists the table's own store ahead, beside the look for the keys, where that is likely to be needed and saves waiting
  /// for it; else, and where it fails, it is listed when it is.
  func ahead() async -> TombstoneStore? {
    guard reader.storage.costs.overlaps, batch.winners.count >= Self.manyRows else { return nil }
    return try? await TombstoneStore.open(in: reader.storage, timeline: timeline)
  }

  /// Looks for the keys of rows that are not stored.
  ///
  /// - Parameters:
  ///   - rows: The rows of the batch.
  ///   - files: The slices in which they may have been.
  ///   - listed: The table's own store, where it was listed ahead.
  func deletions(
    of rows: [Int32], in files: [FileMatches], listed: TombstoneStore?
  ) async throws(TableError) -> KnownDeletions? {
    guard !rows.isEmpty else { return nil }
    return try await tableErrors {
      let store =
        if let listed { listed } else {
          try await TombstoneStore.open(in: reader.storage, timeline: timeline)
        }
      let files = files.filter { $0.facts.hasTombstones }
      guard !store.files.isEmpty || !files.isEmpty else { return nil }
      return try await deletions(of: rows, in: files, store)
    }
  }

  private func deletions(
    of rows: [Int32], in files: [FileMatches], _ store: TombstoneStore
  ) async throws -> KnownDeletions {
    let places = files.map { KeyPlace(of: $0.slice, batch, buckets) }
    let byPlace = RowsByPlace(rows, at: places, batch, buckets)
    let hashes = Dictionary(Set(places).map { ($0, KeyQueries(byPlace[$0], batch.keys).hashes) }) {
      first, _ in
      first
    }
    let found = try await concurrently(files, width: parallelism) { file in
      try await tombstones(of: file, hashes[KeyPlace(of: file.slice, batch, buckets)] ?? [])
    }
    var search = TombstoneSearch(batch, rows, types)
    for (file, tombstones) in zip(files, found) {
      for tombstone in tombstones { try search.take(tombstone, in: [file.partition]) }
    }
    if !store.files.isEmpty {
      for tombstone in try await tombstones(of: store, KeyQueries(rows, batch.keys).hashes) {
        try search.take(tombstone)
      }
    }
    return search.finish()
  }

  private func tombstones(of file: FileMatches, _ hashes: [UInt32]) async throws -> [KeyTombstone] {
    guard !hashes.isEmpty else { return [] }
    let opened = try await reader.open(file.slice)
    do throws(KeyIndexError) {
      let index = try await reader.footers.keyIndex(of: opened, in: reader.storage)
      return try await index?.tombstones(
        for: hashes, in: reader.storage, at: file.slice.path, expiry: expiry) ?? []
    } catch {
      guard case .damaged = error else { throw error }
      reader.warn("\(error): deletions that it remembers are not known")
      return []
    }
  }

  private func tombstones(of store: TombstoneStore, _ hashes: [UInt32]) async throws -> [KeyTombstone] {
    do throws(KeyIndexError) { return try await store.tombstones(for: hashes, expiry: expiry) } catch {
      guard case .damaged = error else { throw error }
      reader.warn(
        "\(error): deletions that the table remembers are not known; delete the file to go on without it")
      return []
    }
  }
}

/// Matches tombstones with rows of a batch.
private struct TombstoneSearch {
  private let batch: KeyedBatch
  private let rows: Set<Int32>
  private var values: [ColumnBuilder]
  private var count = 0
  /// The rows of each value.
  private var matches: [(row: Int32, position: Int)] = []

  init(_ batch: KeyedBatch, _ rows: [Int32], _ types: [DataType]) {
    self.batch = batch
    self.rows = Set(rows)
    values = types.map { ColumnBuilder($0) }
  }

  /// Takes a tombstone of the table's store.
  mutating func take(_ tombstone: KeyTombstone) throws {
    try take(tombstone, in: batch.scope == .table ? [nil] : batch.keys.partitions.all)
  }

  /// Takes a tombstone.
  ///
  /// - Parameter partitions: Those in which it holds, unless it says that itself.
  mutating func take(_ tombstone: KeyTombstone, in partitions: [PartitionNumber?]) throws {
    guard let ordering = tombstone.ordering, let extent = TombstoneOrdering.decode(ordering, into: &values)
    else { return }
    let position = count
    count += 1
    var key = ByteStrings()
    try key.append(tombstone.key.span.bytes)
    var within = partitions
    if case .partition(let path) = extent {
      if batch.scope == .table {
        within = [nil]
      } else {
        within = batch.keys.partitions.number(of: path.text).map { [$0] } ?? []
      }
    }
    for partition in within {
      guard let row = batch.row(for: key, 0, hash: key.hash(0), partition: partition),
        rows.contains(Int32(row))
      else { continue }
      matches.append((Int32(row), position))
    }
  }

  consuming func finish() -> KnownDeletions {
    KnownDeletions(DeletionOrders(values.indices.map { values[$0].finish() }), matches)
  }
}
