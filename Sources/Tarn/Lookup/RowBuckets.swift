import TarnBytes
import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnParquet
import TarnTimeline

/// The buckets of a batch's rows.
struct RowBuckets: Sendable {
  /// The table's bucket index.
  let index: BucketIndex
  /// The bucket of each row.
  let ofRow: [Int32]

  /// Hashes the keys of rows.
  init(_ index: BucketIndex, _ keys: ByteStrings) {
    self.index = index
    var buckets: [Int32] = []
    buckets.reserveCapacity(keys.count)
    for row in 0..<keys.count { buckets.append(Int32(index.bucket(ofKey: keys[row]))) }
    ofRow = buckets
  }

  /// Checks that the keys which a file's footer names belong into the file's bucket.
  ///
  /// So a wrong number of buckets, or of fields, is noticed before it scatters rows.
  ///
  /// - Throws: ``TableError`` with code `mismatch`.
  func check(_ file: ParquetFile, _ slice: FileSlice) throws(TableError) {
    for name in [KeyRange.leastKey, KeyRange.greatestKey] {
      guard let key = file.keyValue(name) else { continue }
      let expected = index.bucket(ofKey: Array(key.utf8).span.bytes)
      guard expected != slice.bucket else { continue }
      let choice = Buckets(count: index.count, fields: index.hashFields).text
      throw TableError(
        .mismatch,
        "\(slice.path): key \(key.prefix(60).debugDescription) of this file of bucket \(slice.bucket ?? -1) belongs "
          + "into bucket \(expected) with \(choice): give the number of buckets and the fields of the writer that "
          + "made the table", path: slice.path)
    }
  }
}

/// Where the row of a key can be stored: everywhere, or in its partition, and there in its bucket.
struct KeyPlace: Hashable {
  fileprivate let partition: PartitionNumber?
  private let bucket: Int32?

  /// The place of a row of a batch.
  init(ofRow row: Int32, _ batch: KeyedBatch, _ buckets: RowBuckets?) {
    partition = batch.scope == .partition ? batch.keys.partitions[Int(row)] : nil
    bucket = buckets?.ofRow[Int(row)]
  }

  /// The place of the keys that a slice can hold; nil where the batch has none for its partition.
  init?(of slice: FileSlice, _ batch: KeyedBatch, _ buckets: RowBuckets?) {
    let number = batch.keys.partitions.number(of: slice.partitionPath)
    if batch.scope == .partition, number == nil { return nil }
    partition = batch.scope == .partition ? number : nil
    bucket = buckets == nil ? nil : slice.bucket.map { Int32($0) } ?? -1
  }
}

/// Rows of a batch by where their keys may be stored: of the places alone that are asked for.
struct RowsByPlace {
  private var rows: [KeyPlace: [Int32]] = [:]

  /// Finds the rows of some places.
  init(_ rows: [Int32], at places: [KeyPlace?], _ batch: KeyedBatch, _ buckets: RowBuckets?) {
    let wanted = Set(places.compactMap(\.self))
    guard !wanted.isEmpty else { return }
    guard buckets == nil else {
      self.rows = Dictionary(grouping: rows) { KeyPlace(ofRow: $0, batch, buckets) }
      return
    }
    guard batch.scope == .partition else {
      for place in wanted { self.rows[place] = rows }
      return
    }
    let byNumber = batch.keys.partitions.grouped(rows)
    for place in wanted { if let partition = place.partition { self.rows[place] = byNumber[partition] } }
  }

  /// The rows of a place.
  subscript(place: KeyPlace?) -> [Int32] { place.flatMap { rows[$0] } ?? [] }
}

/// A bucket of a partition, which has one file group at most.
struct PartitionBucket: Hashable {
  private let partition: ExactText
  private let bucket: Int?

  init(_ partition: String, _ bucket: Int?) {
    self.partition = ExactText(partition)
    self.bucket = bucket
  }

  /// The bucket of a slice.
  init(of slice: FileSlice) { self.init(slice.partitionPath, slice.bucket) }
}

extension FileSlice {
  /// The bucket that the file group's id names; nil for an id of another kind.
  var bucket: Int? { BucketIndex.bucket(ofFileID: fileID) }
}
