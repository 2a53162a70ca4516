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
  /// What each of its columns takes however few rows it has.
  private static let perColumn = 8 << 10
  /// The memory of decoded and of encoded rows, as a multiple of their encoded bytes.
  private static let perEncodedByte = 5
  /// Bloom filter, page index and key index of a file, for each of its rows.
  private static let perRow = 12

  /// The decoded rows of a file that are held at once: those that are read, and those that are made of them.
  private static let mostDecoded = 4 * CommitContext.stepBytes

  /// A tombstone, while its file is written.
  private static let perTombstone = 400

  /// What a budget leaves beside a batch, of which some rows are gathered once more.
  init(_ total: Int, besides batch: RecordBatch) {
    bytes = max(total - Self.fixed - batch.byteCount, 0)
  }

  /// What open files may take however small the budget is.
  private static let leastForFiles = 16 << 20

  /// How many files may be open at once while their row groups end early: what they take however few rows they have.
  static func openFiles(_ budget: Int, columns: Int) -> Int {
    max(max(budget, leastForFiles) / (perColumn * max(columns, 1)), 2)
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
    // Values that compress well take far more than their pages do, but only so many are held at once.
    let decoded = min(file.decodedBytes / groups, mostDecoded)
    let rest =
      perFile + perColumn * file.columnCount + max(perEncodedByte * group, 2 * group + decoded) + perRow
      * (rows + merge.inserts.count)
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
    let bytes = max(perEncodedByte * min(file.encodedBytes, mostRows), 2 * file.decodedBytes)
    return Int(Double(bytes) * min(share, 1))
  }

  /// What writing new file groups takes at most.
  static func cost(_ creation: WritePlan.Creation, _ columns: Int, _ options: OwnOptions) -> Int {
    perFile + perColumn * columns + 2 * options.rowGroupSize + perRow * creation.inserts.count
  }

  /// Whether rows of a batch may be gathered at once, as a splice does.
  static func fits(_ merge: WritePlan.Merge, _ batch: RecordBatch, _ memory: Int) -> Bool {
    let most = memory / 2
    if batch.byteCount(of: 0..<batch.count, isWrittenOut: false) <= most { return true }
    let rows =
      merge.resolution.updated.map { Int32($0.incoming) } + merge.inserts.prefix(CommitContext.rowGroupRows)
    return batch.count(of: rows[...], atMost: most) >= rows.count
  }
}
