import TarnBytes
import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnTimeline

/// Finds the stored rows with the keys of a batch, file slice by file slice.
struct KeyTagging: Sendable {
  let batch: KeyedBatch
  let buckets: RowBuckets?
  let keys: TableKeys
  let reader: BaseFileReader
  let parallelism: Int

  /// Looks through slices.
  func matches(in slices: [FileSlice]) async throws(TableError) -> [FileMatches] {
    // A file is asked only for keys that may lie in it.
    let places = slices.map { KeyPlace(of: $0, batch, buckets) }
    let rows = RowsByPlace(batch.winners, at: places, batch, buckets)
    let queries = Dictionary(Set(places).map { ($0, KeyQueries(rows[$0], batch.keys)) }) { first, _ in first }
    let none = KeyQueries([], batch.keys)
    return try await tableErrors {
      try await concurrently(slices, width: parallelism) { slice in
        let place = KeyPlace(of: slice, batch, buckets)
        return try await matches(in: slice, queries[place] ?? none)
      }
    }
  }

  /// Opens slices without looking anything up in them.
  func facts(of slices: [FileSlice]) async throws(TableError) -> [FileMatches] {
    try await tableErrors {
      try await concurrently(slices, width: parallelism) { slice in
        let file = try await reader.open(slice, checking: keys.check)
        try buckets?.check(file, slice)
        return FileMatches(
          slice: slice, facts: BaseFileFacts(file),
          partition: batch.keys.partitions.number(of: slice.partitionPath), matches: [],
          isIndexDamaged: false)
      }
    }
  }

  private func matches(in slice: FileSlice, _ queries: KeyQueries) async throws -> FileMatches {
    let file = try await reader.open(slice, checking: keys.check)
    try buckets?.check(file, slice)
    let partition = batch.keys.partitions.number(of: slice.partitionPath)
    let lookup = KeyLookup(batch.keys, keys.stored, reader)
    let found = try await lookup.find(queries, in: file) { page, matches in
      match(page, partition, &matches)
    }
    return FileMatches(
      slice: slice, facts: BaseFileFacts(file), partition: partition, matches: found.matches,
      isIndexDamaged: found.isIndexDamaged)
  }

  private func match(_ page: KeyPage, _ partition: PartitionNumber?, _ matches: inout [StoredMatch]) {
    let stored = page.keys
    let filter = page.asked.map { KeyFilter(batch.keys.texts, $0) }
    var row = 0
    for positions in page.positions {
      for (row, position) in zip(row..<stored.count, positions)
      where filter?.mayHold(stored[row]) ?? true {
        guard let incoming = batch.row(for: stored, row, hash: stored.hash(row), partition: partition) else {
          continue
        }
        matches.append(StoredMatch(.baseFile(position: position), row: incoming))
      }
      row += positions.count
    }
  }
}
