import TarnBytes
import TarnFileGroups
import TarnIndex
import TarnStorage
import TarnTimeline

/// The file slices in which the rows of a batch may be, or may go.
struct CandidateSlices: Sendable {
  /// The latest slices.
  let slices: [FileSlice]
  /// The bucket of each row; nil in a table without a bucket index.
  let buckets: RowBuckets?
}

/// Finds the file slices in which the rows of a batch may be, or may go.
struct SliceLookup: Sendable {
  let state: TableState
  let table: WritableTable
  let settings: TableSettings
  let reader: BaseFileReader

  /// The latest slices of the partitions that matter; where there are buckets, of those of the rows.
  ///
  /// - Throws: ``TableError``, `damaged` where a file is gone that one of the latest commits wrote.
  func slices(for batch: KeyedBatch) async throws(TableError) -> CandidateSlices {
    let only = batch.scope == .table ? nil : batch.keys.partitions.paths
    let (slices, written) = try await tableErrors {
      let slices = try await FileSystemView.load(
        from: reader.storage, properties: state.properties, timeline: state.timeline, only: only
      ).slices()
      let written = try await WrittenFiles(state, reader.storage, parallelism: settings.filesAtOnce) {
        batch.scope == .table || batch.keys.partitions.number(of: $0) != nil
      }
      return (slices, written)
    }
    try written.check(slices)
    let bucketLookup = BucketLookup(
      state: state, table: table, given: settings.buckets, storage: reader.storage)
    guard let index = try await bucketLookup.index(of: slices, isWhole: only == nil, written) else {
      return CandidateSlices(slices: slices, buckets: nil)
    }
    let buckets = RowBuckets(index, batch.keys.texts)
    let places = Set(batch.winners.map { KeyPlace(ofRow: $0, batch, buckets) })
    let wanted = slices.filter { slice in
      KeyPlace(of: slice, batch, buckets).map(places.contains) ?? false
    }
    return CandidateSlices(slices: wanted, buckets: buckets)
  }

  /// The bucket of each row of a batch that goes into new file groups; nil in a table without a bucket index.
  ///
  /// - Parameters:
  ///   - slices: The latest slices of the batch's partitions.
  ///   - isWhole: Whether these are all partitions.
  /// - Throws: ``TableError``, as ``BucketLookup/index(of:isWhole:_:)``.
  func buckets(
    ofNew batch: KeyedBatch, besides slices: [FileSlice], isWhole: Bool
  ) async throws(TableError) -> [Int32]? {
    let partitions = batch.keys.partitions
    let written = try await tableErrors {
      try await WrittenFiles(state, reader.storage, parallelism: settings.filesAtOnce) {
        isWhole || partitions.number(of: $0) != nil
      }
    }
    let lookup = BucketLookup(state: state, table: table, given: settings.buckets, storage: reader.storage)
    let index = try await lookup.index(of: slices, isWhole: isWhole, written)
    return index.map { RowBuckets($0, batch.keys.texts).ofRow }
  }
}
