import TarnColumns

/// How much memory writing files takes, so that only so many are written at once as a budget allows.
///
/// The estimates are rough, and above what was seen: an upsert into files of 333,000 rows, two at a time, is taken to
/// need some 170 MB in all, and peaked at 117 MB. They count what grows with a file's rows and the batch.
package struct MemoryBudget: Sendable {
  /// Bytes for what is written at once.
  package let bytes: Int

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

  /// The windows of a file at hand and ahead, as they are read and as they are sent, and what the allocator keeps of them.
  private static let windows = 8 * KeptReads.windowBytes

  /// The decoded rows of a file that are held at once: those that are read, and those that are made of them.
  private static let mostDecoded = 4 * CommitFiles.stepBytes

  /// A tombstone, while its file is written.
  private static let perTombstone = 400

  /// What a budget leaves beside a batch, of which some rows are gathered once more.
  package init(_ total: Int, besides batch: RecordBatch) {
    bytes = max(total - Self.fixed - batch.byteCount, 0)
  }

  /// What open files may take however small the budget is.
  private static let leastForFiles = 16 << 20

  /// How many files may be open at once while their row groups end early: what they take however few rows they have.
  package static func openFiles(_ budget: Int, columns: Int) -> Int {
    max(max(budget, leastForFiles) / (perColumn * max(columns, 1)), 2)
  }

  /// Rows beyond what any file holds, for one that says it had more.
  private static let mostRows = 1 << 40

  /// What splicing a file, or writing it anew, takes at most.
  ///
  /// - Parameter memory: The whole budget, by which files are written anew rather than spliced.
  package static func cost(_ update: FileGroupUpdate, _ format: BaseFileFormat, memory: Int) -> Int {
    let facts = update.facts
    let rows = min(facts.rowCount, mostRows)
    // A file of another writer may have larger row groups, but is read and written in smaller ones; those of files that
    // are laid out to be copied are smaller still.
    let most = format.sizes.areCopied ? min(facts.largestGroup, format.sizes.rowGroup) : format.sizes.rowGroup
    let groups = max(1, rows / BaseFileFormat.rowGroupRows, facts.encodedBytes / max(most, 1))
    let group = min(facts.encodedBytes / groups, most)
    // Values that compress well take far more than their pages do, but only so many are held at once.
    let decoded = min(facts.decodedBytes / groups, mostDecoded)
    let windows = isReadInWindows(update, format) ? Self.windows : 0
    let rest =
      windows + perFile + perColumn * facts.columnCount + max(perEncodedByte * group, 2 * group + decoded)
      + perRow
      * (rows + update.inserts.count)
    guard case .condition(let chosen) = update.changes else { return rest }
    guard !chosen.effect.isDeletion else {
      // The effect needs columns only where deletions are remembered.
      let isKept = !chosen.effect.columns.fields.isEmpty
      return rest + min(chosen.count, mostRows) * (isKept ? perTombstone : MemoryLayout<Int>.size)
    }
    return fits(chosen, facts, memory) ? rest + cost(chosen, facts) : rest
  }

  /// What writing new file groups takes at most.
  package static func cost(_ creation: FileGroupCreation, _ format: BaseFileFormat) -> Int {
    perFile + perColumn * format.fileSchema.fields.count + 2 * format.sizes.rowGroup + perRow
      * creation.inserts.count
  }

  /// What writing new file groups of the rows of others takes at most.
  ///
  /// - Parameters:
  ///   - rows: How many there are.
  ///   - held: Bytes of rows that are sorted at once.
  static func cost(merging rows: Int, _ format: BaseFileFormat, sorting held: Int) -> Int {
    // What is sorted is there as it was read, put together, and as it is written. The next batch is read meanwhile.
    perFile + perColumn * format.fileSchema.fields.count + 2 * format.sizes.rowGroup + 2 * mostDecoded
      + perRow
      * min(rows, mostRows) + 3 * held
  }

  /// Whether a file is read in windows, since what changes lies far apart in it, and its storage copies little of it.
  package static func isReadInWindows(_ update: FileGroupUpdate, _ format: BaseFileFormat) -> Bool {
    format.sizes.areCopied && update.touchedBytes > KeptReads.windowBytes
  }

  /// Whether what a splice holds together may be held: the rows that a condition changes, or those of the batch.
  static func canSplice(_ update: FileGroupUpdate, _ rows: RecordBatch, _ memory: Int) -> Bool {
    switch update.changes {
    case .condition(let chosen): fits(chosen, update.facts, memory)
    case .rows(let changes): fits(changes, update.inserts, rows, memory)
    }
  }

  /// Whether the rows of a file that a condition changes may be held together.
  private static func fits(_ chosen: ChosenRows, _ facts: BaseFileFacts, _ memory: Int) -> Bool {
    chosen.effect.isDeletion || cost(chosen, facts) <= memory / 4
  }

  /// What the rows take that are read to be changed by a condition.
  private static func cost(_ chosen: ChosenRows, _ facts: BaseFileFacts) -> Int {
    let share = Double(chosen.count) / Double(max(facts.rowCount, 1))
    let bytes = max(perEncodedByte * min(facts.encodedBytes, mostRows), 2 * facts.decodedBytes)
    return Int(Double(bytes) * min(share, 1))
  }

  /// Whether rows of a batch may be gathered at once.
  private static func fits(
    _ changes: StoredRowChanges, _ inserts: [Int32], _ batch: RecordBatch, _ memory: Int
  ) -> Bool {
    let most = memory / 2
    if batch.byteCount(of: 0..<batch.count, isWrittenOut: false) <= most { return true }
    let rows = changes.replaced.map { Int32($0.row) } + inserts.prefix(BaseFileFormat.rowGroupRows)
    return batch.count(of: rows[...], atMost: most) >= rows.count
  }
}
