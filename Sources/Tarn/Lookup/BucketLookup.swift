import TarnBytes
import TarnIndex
import TarnStorage
import TarnTimeline

/// Finds out whether a table has a bucket index, and which.
struct BucketLookup: Sendable {
  let state: TableState
  let table: WritableTable
  /// The buckets that the writer was told; nil for none.
  let given: Buckets?
  let storage: any Storage

  /// The bucket index of a table; nil where it has none.
  ///
  /// - Parameters:
  ///   - slices: The latest slices of the partitions that matter.
  ///   - isWhole: Whether these are all partitions.
  ///   - written: What the latest commits wrote.
  /// - Throws: ``TableError``: `mismatch` where what the table says, what the writer was told and the file groups do
  ///   not fit together, or nothing says how many buckets there are; `damaged` for two file groups of one bucket.
  func index(
    of slices: [FileSlice], isWhole: Bool, _ written: WrittenFiles
  ) async throws(TableError) -> BucketIndex? {
    guard let buckets = try await buckets(slices, isWhole, written),
      // The rule of Hudi 0.15, whose tables are those of version 6.
      let index = BucketIndex(count: buckets.count, hashFields: buckets.fields, rule: .hudi0)
    else { return nil }
    try check(slices, of: buckets)
    return index
  }

  private func buckets(
    _ slices: [FileSlice], _ isWhole: Bool, _ written: WrittenFiles
  ) async throws(TableError) -> Buckets? {
    let name = table.properties.name
    let keyFields = table.keys.generator.keyFields
    if let objection = given?.objection(keyFields) {
      throw TableError(.mismatch, "the buckets given for table \(name): \(objection)")
    }
    let given = given?.named(keyFields)
    if let stored = table.options.buckets?.named(keyFields) {
      guard let given, given != stored else { return stored }
      throw TableError(
        .mismatch, "table \(name) has \(stored.text), and \(given.text) are given: leave them out")
    }
    switch try await layout(slices, isWhole, written) {
    case .empty: return given
    case .files:
      guard given != nil else { return nil }
      throw TableError(
        .mismatch, "buckets are given for table \(name), whose file groups have none: leave them out")
    case .buckets(let fileID):
      if let given { return given }
      throw TableError(
        .mismatch,
        "table \(name) has the file groups of a bucket index, such as \(fileID), and does not say how many buckets: "
          + "give their number with --buckets N and, unless all key columns are hashed, --bucket-field NAME[,NAME], "
          + "as the writer that made it does (hoodie.bucket.index.num.buckets, hoodie.bucket.index.hash.field); if "
          + "it has no bucket index, add the line tarn.index.type=file to its hoodie.properties")
    }
  }

  /// What a table's file groups look like.
  private enum Layout {
    case empty
    case files
    /// All are named by buckets, such as this one.
    case buckets(String)
  }

  private func layout(
    _ slices: [FileSlice], _ isWhole: Bool, _ written: WrittenFiles
  ) async throws(TableError) -> Layout {
    if table.options.deniesBuckets { return .files }
    if slices.contains(where: { $0.bucket == nil }) { return .files }
    if written.fileIDs.contains(where: { BucketIndex.bucket(ofFileID: $0) == nil }) { return .files }
    var all = slices
    if !isWhole {
      all = try await tableErrors {
        try await FileSystemView.load(
          from: storage, properties: state.properties, timeline: state.timeline
        ).slices()
      }
    }
    guard let first = all.first else { return .empty }
    return BucketIndex.isBucketed(fileIDs: all.lazy.map(\.fileID)) ? .buckets(first.fileID) : .files
  }

  /// Checks that each bucket has one file group at most, and each file group a bucket.
  private func check(_ slices: [FileSlice], of buckets: Buckets) throws(TableError) {
    var known: [PartitionBucket: FileSlice] = [:]
    for slice in slices {
      guard let bucket = slice.bucket else {
        throw TableError(
          .damaged,
          "\(slice.path): this file group belongs to no bucket, and the table has \(buckets.text): a writer without "
            + "the bucket index added rows; delete its rows, or write them anew into another table",
          path: slice.path)
      }
      guard bucket < buckets.count else {
        throw TableError(
          .mismatch,
          "\(slice.path): this file group is that of bucket \(bucket), and there are \(buckets.text), counted from 0: "
            + "give the number of the writer that made the table", path: slice.path)
      }
      if let other = known.updateValue(slice, forKey: PartitionBucket(of: slice)) {
        throw TableError(
          .damaged,
          "\(slice.path): bucket \(bucket) has another file group in this partition, \(other.fileID), and can have "
            + "one only: two writers wrote at once; roll the later commit back", path: slice.path)
      }
    }
  }
}
