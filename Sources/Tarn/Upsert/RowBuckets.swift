import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet
import TarnTimeline

/// The buckets of a batch's rows.
struct RowBuckets: Sendable {
  let index: BucketIndex
  /// The bucket of each row.
  var ofRow: [Int32]

  init(_ index: BucketIndex, _ keys: ByteStrings) {
    self.index = index
    ofRow = (0..<keys.count).map { Int32(index.bucket(ofKey: keys[$0])) }
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
          + "made the table")
    }
  }

  /// Distributes inserts over the file groups of their buckets, and new ones.
  ///
  /// Source: Hudi's `SparkBucketIndexPartitioner`: a bucket has one file group, whatever its size.
  func plan(
    inserts: [(path: String, rows: [Int32])], touched: [WritePlan.Merge], others: [TaggedSlice]
  ) -> WritePlan {
    struct Place: Hashable {
      var partition: ExactText
      var bucket: Int?

      init(_ partition: String, _ bucket: Int?) {
        self.partition = ExactText(partition)
        self.bucket = bucket
      }
    }
    var plan = WritePlan(merges: touched)
    var merges = Dictionary(
      touched.enumerated().map {
        (Place($0.element.tagged.slice.partitionPath, $0.element.tagged.slice.bucket), $0.offset)
      },
      uniquingKeysWith: { first, _ in first })
    let rests = Dictionary(
      others.map { (Place($0.slice.partitionPath, $0.slice.bucket), $0) },
      uniquingKeysWith: { first, _ in first })
    for (partition, rows) in inserts.sorted(by: { $0.path < $1.path }) {
      let byBucket = Dictionary(grouping: rows) { ofRow[Int($0)] }
      for (bucket, rows) in byBucket.sorted(by: { $0.key < $1.key }) {
        let place = Place(partition, Int(bucket))
        if merges[place] == nil, let tagged = rests[place] {
          merges[place] = plan.merges.count
          plan.merges.append(WritePlan.Merge(tagged: tagged, resolution: FileResolution()))
        }
        if let merge = merges[place] {
          plan.merges[merge].inserts = rows
        } else {
          plan.creations.append(
            WritePlan.Creation(partitionPath: partition, bucket: Int(bucket), inserts: rows))
        }
      }
    }
    return plan
  }
}

/// Where the row of a key can be: everywhere, or in its partition, and there in its bucket.
struct KeyPlace: Hashable {
  fileprivate var partition: Int32 = -1
  fileprivate var bucket: Int32 = -1
}

extension PreparedBatch {
  /// Where a row's key can be stored.
  func place(_ row: Int32) -> KeyPlace {
    KeyPlace(
      partition: scope == .partition ? keys.partitionOf[Int(row)] : -1,
      bucket: buckets.map { $0.ofRow[Int(row)] } ?? -1)
  }

  /// The place of the keys that a slice can hold, of whose partition the position among the keys is given.
  func place(of slice: FileSlice, _ partition: Int32) -> KeyPlace {
    KeyPlace(
      partition: scope == .partition ? partition : -1,
      bucket: buckets == nil ? -1 : slice.bucket.map { Int32($0) } ?? -1)
  }
}

extension FileSlice {
  /// The bucket that the file group's id names; nil for an id of another kind.
  var bucket: Int? { BucketIndex.bucket(ofFileID: fileID) }
}
