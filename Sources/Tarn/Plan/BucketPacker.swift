import TarnFileGroups
import TarnTimeline

/// Distributes inserts over the file groups of their buckets, and new ones.
///
/// Source: Hudi's `SparkBucketIndexPartitioner`: a bucket has one file group, whatever its size.
struct BucketPacker {
  /// The bucket of each row that is written.
  let buckets: [Int32]

  /// Distributes the inserts of each partition.
  ///
  /// - Parameters:
  ///   - inserts: Rows of the batch by partition path.
  ///   - updates: File groups whose stored rows change anyway.
  ///   - others: The other file groups of these buckets.
  func plan(
    _ inserts: [(path: String, rows: [Int32])], updates: [FileGroupUpdate], others: [FileGroupUpdate]
  ) -> WritePlan {
    var plan = WritePlan(updates: updates)
    var changing = Dictionary(
      updates.enumerated().map { (PartitionBucket(of: $0.element.slice), $0.offset) },
      uniquingKeysWith: { first, _ in first })
    let rests = Dictionary(
      others.map { (PartitionBucket(of: $0.slice), $0) }, uniquingKeysWith: { first, _ in first })
    for (partition, rows) in inserts {
      let byBucket = Dictionary(grouping: rows) { buckets[Int($0)] }
      for (bucket, rows) in byBucket.sorted(by: { $0.key < $1.key }) {
        let home = PartitionBucket(partition, Int(bucket))
        if changing[home] == nil, let other = rests[home] {
          changing[home] = plan.updates.count
          plan.updates.append(other)
        }
        if let index = changing[home] {
          plan.updates[index].inserts = rows
        } else {
          plan.creations.append(
            FileGroupCreation(partitionPath: partition, bucket: Int(bucket), inserts: rows))
        }
      }
    }
    return plan
  }
}
