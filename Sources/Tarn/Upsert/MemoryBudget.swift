import TarnColumns

/// How much memory writing files takes, so that only so many are written at once as a budget allows.
///
/// The estimates are rough, and above what was seen: an upsert into files of 333,000 rows, two at a time, is taken to
/// need some 170 MB in all, and peaked at 117 MB. They count what grows with a file's rows and the batch.
struct MemoryBudget: Sendable {
  /// Bytes for what is written at once.
  let bytes: Int

  /// What a process takes besides: its code, buffers of the storage, and what the allocator keeps.
  private static let fixed = 24 << 20
  /// What a file takes however small it is.
  private static let perFile = 4 << 20
  /// The memory of decoded and of encoded rows, as a multiple of their encoded bytes.
  private static let perEncodedByte = 5
  /// Bloom filter, page index and key index of a file, for each of its rows.
  private static let perRow = 12

  /// A tombstone, while its file is written.
  private static let perTombstone = 400

  /// What a budget leaves beside a batch, of which some rows are gathered once more.
  init(_ total: Int, besides batch: RecordBatch) {
    bytes = max(total - Self.fixed - batch.byteCount, 0)
  }

  /// Rows beyond what any file holds, for one that says it had more.
  private static let mostRows = 1 << 40

  /// What splicing a file, or writing it anew, takes at most.
  ///
  /// - Parameter memory: The whole budget, by which files are written anew rather than spliced.
  static func cost(_ merge: WritePlan.Merge, _ options: OwnOptions, memory: Int) -> Int {
    let file = merge.tagged
    let rows = min(file.rowCount, mostRows)
    let groups = max(1, rows / CommitContext.rowGroupRows, file.encodedBytes / max(options.rowGroupSize, 1))
    // A file of another writer may have larger row groups, but is read and written in smaller ones.
    let group = min(file.encodedBytes / groups, options.rowGroupSize)
    let rest = perFile + perEncodedByte * group + perRow * (rows + merge.inserts.count)
    guard let edit = merge.edit else { return rest }
    guard edit.values != nil else {
      return rest + min(edit.count, mostRows) * (edit.table.remembers ? perTombstone : MemoryLayout<Int>.size)
    }
    return fits(edit, file, memory) ? rest + cost(edit, file) : rest
  }

  /// Whether the rows of a file that a condition changes may be held together, as a splice does.
  static func fits(_ edit: ConditionalEdit, _ file: TaggedSlice, _ memory: Int) -> Bool {
    edit.values == nil || cost(edit, file) <= memory / 4
  }

  /// What the rows take that are read to be changed by a condition.
  private static func cost(_ edit: ConditionalEdit, _ file: TaggedSlice) -> Int {
    let share = Double(edit.count) / Double(max(file.rowCount, 1))
    return Int(Double(perEncodedByte) * Double(min(file.encodedBytes, mostRows)) * min(share, 1))
  }

  /// What writing new file groups takes at most.
  static func cost(_ creation: WritePlan.Creation, _ options: OwnOptions) -> Int {
    perFile + 2 * options.rowGroupSize + perRow * creation.inserts.count
  }
}
