import TarnBytes
import TarnColumns
import TarnParquet
import TarnTimeline

/// What is to be written: file groups that change, and rows for new ones.
struct WritePlan: Sendable {
  /// File groups that get a new base file.
  var merges: [Merge] = []
  /// Rows for new file groups.
  var creations: [Creation] = []
  /// Deleted keys that no file group is known to remember.
  var burials = Burials()
  /// Rows to insert whose keys were deleted before.
  var revived: Set<Int32> = []

  /// A file group that gets a new base file.
  struct Merge: Sendable {
    var tagged: TaggedSlice
    var resolution: FileResolution
    /// Rows of the batch that are appended.
    var inserts: [Int32] = []
    /// Stored rows that a condition chose, which the resolution does not have until the file is written.
    var edit: ConditionalEdit?

    /// How many stored rows are replaced.
    var updatedCount: Int { edit.map { $0.values == nil ? 0 : $0.count } ?? resolution.updated.count }
    /// How many stored rows go.
    var deletedCount: Int { edit.map { $0.values == nil ? $0.count : 0 } ?? resolution.deleted.count }
  }

  /// Rows of one partition for new file groups.
  struct Creation: Sendable {
    var partitionPath: String
    /// The bucket whose one file group takes them; nil where as many as they fill do.
    var bucket: Int?
    var inserts: [Int32]
  }

  /// Whether nothing is to be written.
  var isEmpty: Bool { merges.isEmpty && creations.isEmpty && burials.isEmpty }
}

/// Puts inserts into small files first, then into new ones.
///
/// Source: format-tables 8.4 (Hudi's `UpsertPartitioner`).
struct InsertPacker {
  let options: OwnOptions
  /// The bucket of each row, whose file group takes it; nil in a table without buckets.
  var buckets: RowBuckets?

  /// Distributes the inserts of each partition over its file groups and new ones.
  ///
  /// - Parameters:
  ///   - inserts: Rows of the batch by partition path.
  ///   - touched: File groups whose stored rows change anyway.
  ///   - others: The other file groups of these partitions.
  func plan(
    inserts: [(path: String, rows: [Int32])], touched: [WritePlan.Merge], others: [TaggedSlice]
  ) -> WritePlan {
    if let buckets { return buckets.plan(inserts: inserts, touched: touched, others: others) }
    var plan = WritePlan(merges: touched)
    let merges = Dictionary(grouping: touched.indices) { ExactText(touched[$0].tagged.slice.partitionPath) }
    let rests = Dictionary(grouping: others) { ExactText($0.slice.partitionPath) }
    for (partition, rows) in inserts.sorted(by: { $0.path < $1.path }) {
      var rest = rows[...]
      // A file that is written anyway takes inserts before one that is not.
      for index in merges[ExactText(partition)] ?? [] {
        let room = room(in: plan.merges[index].tagged)
        plan.merges[index].inserts = Array(rest.prefix(room))
        rest = rest.dropFirst(room)
      }
      for tagged in rests[ExactText(partition)] ?? [] where !rest.isEmpty {
        let room = room(in: tagged)
        guard room > 0 else { continue }
        plan.merges.append(
          WritePlan.Merge(tagged: tagged, resolution: FileResolution(), inserts: Array(rest.prefix(room))))
        rest = rest.dropFirst(room)
      }
      if !rest.isEmpty {
        plan.creations.append(WritePlan.Creation(partitionPath: partition, inserts: Array(rest)))
      }
    }
    return plan
  }

  /// How many rows still fit into a small file, by the size of those it has.
  private func room(in tagged: TaggedSlice) -> Int {
    let size = tagged.slice.size
    guard size < options.smallFileLimit, tagged.isRewritable else { return 0 }
    guard tagged.rowCount > 0 else { return max(options.targetFileSize - size, 0) / 1_024 }
    // A fixed share of a file (footer, Bloom filter) does not grow with its rows.
    let perRow = max(tagged.encodedBytes / tagged.rowCount, 16)
    return max(options.targetFileSize - size, 0) / perRow
  }
}
