import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnTimeline

/// Finds out where the keys of a batch are stored, and what is known of those that are not.
///
/// What was found in a file slice holds as long as the file group has that version, so that a write which begins again
/// looks only through the slices that changed.
struct Lookup: Sendable {
  let state: TableState
  let table: WritableTable
  let settings: TableSettings
  let reader: BaseFileReader

  /// Looks the keys of a batch up.
  ///
  /// - Parameter known: What was found before, of which what still holds is taken over.
  func run(_ batch: KeyedBatch, knowing known: [FileMatches] = []) async throws(TableError) -> LookupResult {
    let candidates = try await candidates(batch)
    let tagging = tagging(batch, candidates.buckets)
    let tombstones = tombstones(batch, candidates.buckets)
    async let listed = tombstones?.ahead()
    let files = try await Self.files(of: candidates.slices, knowing: known) { (slices) throws(TableError) in
      try await tagging.matches(in: slices)
    }
    var result = LookupResult(files: files, buckets: candidates.buckets, deletions: nil)
    let isFound = warnOfDoubles(result, batch)
    if batch.winners.contains(where: { batch.isDelete[Int($0)] }) {
      table.warnOfForgottenDeletions(settings.warn)
    }
    guard let tombstones else { return result }
    result.deletions = try await tombstones.deletions(
      of: batch.winners.filter { !isFound[Int($0)] }, in: files, listed: await listed)
    return result
  }

  /// What looks for deletions; nil where the table keeps none.
  private func tombstones(_ batch: KeyedBatch, _ buckets: RowBuckets?) -> TombstoneLookup? {
    guard table.keepsTombstones, let order = batch.order else { return nil }
    return TombstoneLookup(
      batch: batch, buckets: buckets, types: order.columns.map { table.schema.fields[$0].type },
      timeline: state.timeline, expiry: table.tombstoneExpiry(at: settings.now() / 1_000), reader: reader,
      parallelism: settings.filesAtOnce)
  }

  /// Opens the slices into which rows may go that are not looked up.
  func open(_ batch: KeyedBatch, knowing known: [FileMatches] = []) async throws(TableError) -> LookupResult {
    let candidates = try await candidates(batch)
    let tagging = tagging(batch, candidates.buckets)
    let files = try await Self.files(of: candidates.slices, knowing: known) { (slices) throws(TableError) in
      try await tagging.facts(of: slices)
    }
    return LookupResult(files: files, buckets: candidates.buckets, deletions: nil)
  }

  private func candidates(_ batch: KeyedBatch) async throws(TableError) -> CandidateSlices {
    try await SliceLookup(state: state, table: table, settings: settings, reader: reader).slices(for: batch)
  }

  private func tagging(_ batch: KeyedBatch, _ buckets: RowBuckets?) -> KeyTagging {
    KeyTagging(
      batch: batch, buckets: buckets, keys: table.keys, reader: reader, parallelism: settings.filesAtOnce)
  }

  /// What is found in slices, of which only those are looked through that are not known.
  private static func files(
    of slices: [FileSlice], knowing known: [FileMatches],
    _ find: ([FileSlice]) async throws(TableError) -> [FileMatches]
  ) async throws(TableError) -> [FileMatches] {
    let old = Dictionary(known.map { ($0.slice, $0) }, uniquingKeysWith: { first, _ in first })
    let new = try await find(slices.filter { old[$0] == nil })
    let all = Dictionary(new.map { ($0.slice, $0) }, uniquingKeysWith: { first, _ in first })
    return slices.compactMap { old[$0] ?? all[$0] }
  }

  /// Notes the rows whose keys are stored, and says of one that is stored more than once.
  private func warnOfDoubles(_ result: LookupResult, _ batch: KeyedBatch) -> Bitmap {
    var isFound = Bitmap(count: batch.count)
    var again: Set<Int> = []
    for file in result.files {
      for match in file.matches {
        if isFound[match.row] { again.insert(match.row) }
        isFound[match.row] = true
      }
    }
    guard let row = again.min() else { return isFound }
    var count = 0
    var partitions: Set<String> = []
    for file in result.files {
      let found = file.matches.count { $0.row == row }
      if found > 0 { partitions.insert(file.slice.partitionPath.debugDescription) }
      count += found
    }
    let others = again.count == 1 ? "" : ", and so are \(again.count - 1) more of this batch"
    settings.warn(
      "key \(batch.keys.texts.string(row).prefix(60).debugDescription) is stored \(count) times, in "
        + "\(partitions.count == 1 ? "partition" : "partitions") "
        + "\(partitions.sorted().joined(separator: ", "))\(others): "
        + "an insert or another writer put it there; delete the key and upsert the row to have it once")
    return isFound
  }
}
