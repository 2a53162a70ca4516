import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// Writes the new version of a base file by splicing the old one.
struct SpliceWriter: Sendable {
  let context: CommitContext
  let merge: WritePlan.Merge
  let splice: FileSplice
  let name: BaseFileName
  let taskNumber: Int

  private var slice: FileSlice { merge.tagged.slice }

  /// Writes the file, of which nothing appears before its end.
  func write(to target: any ObjectWriter) async throws -> (file: WrittenParquetFile, counts: SpliceCounts) {
    let edits = FileEdits(merge, splice.layout, pageRows: context.pageRows, room: room)
    var fresh = FreshRows(
      context, partitionPath: slice.partitionPath, fileName: name.name, taskNumber: taskNumber)
    let options = context.parquetOptions
    let rows = try fresh.batch(edits.rows)
    let splicer = ParquetSplicer(
      splice.file, layout: splice.layout, fresh: rows, columns: columns(rows), options: options)
    var writer = try ParquetWriter(
      schema: context.fileSchema, to: target, path: TablePaths.join(slice.partitionPath, name.name),
      options: options)
    var counts = SpliceCounts()
    var slotRows: [Int] = []
    for (group, edits) in edits.groups.enumerated() {
      let spliced = try await splicer.splice(group: group, edits: edits)
      counts += spliced.counts
      slotRows += spliced.slotRows
      try await writer.append(spliced, from: splice.file.path, tag: splice.file.tag)
      try Task.checkCancellation()
    }
    let rest = try await append(edits.rest, &fresh, &writer, &slotRows, &counts)
    let keys = inserted
    // Those of deleted rows stay in the Bloom filter.
    if let filter = splice.filter {
      writer.editValue(of: BloomFilter.footerKey) { filter.add(keys, to: &$0, from: $1) }
    }
    var pairs = context.footerPairs(
      range: range(keys), filter: splice.filter.map { (text: $0.text, kind: $0.kind) })
    if let index = splice.index {
      var changes = changes(index, slotRows, edits.placed + rest)
      try await context.bury(merge, in: index, &changes)
      pairs += try await write(index, changes, &writer)
    }
    return (try await writer.finish(keyValues: pairs), counts)
  }

  /// How many inserts the last row group takes.
  private var room: Int {
    guard let last = splice.layout.groups.indices.last else { return 0 }
    let rows = splice.file.rowCount(inGroup: last)
    let bytes = splice.file.encodedBytes(inGroup: last)
    let perRow = max(bytes / max(rows, 1), 1)
    return max(0, min(CommitContext.rowGroupRows - rows, (context.options.rowGroupSize - bytes) / perRow))
  }

  /// What is known of the columns' values: the key and the partition of an updated row stay as they are.
  private func columns(_ rows: RecordBatch) -> [SpliceColumn] {
    var columns = [SpliceColumn](repeating: .compared, count: rows.columns.count)
    columns[FileColumns.recordKey] = .kept
    columns[FileColumns.partitionPath] = .kept
    columns[FileColumns.fileName] = .constant(name.name)
    guard context.populatesMetaColumns else {
      columns[FileColumns.commitTime] = .kept
      columns[FileColumns.commitSequence] = .kept
      // The key was made of these fields, of the stored row as of the one in its place.
      for name in context.storedKeys.schema.names {
        if let index = rows.schema.index(of: name) { columns[index] = .kept }
      }
      return columns
    }
    // Where a key's text is the key column's own value, equal keys are equal values.
    if let name = context.keyColumn, let index = rows.schema.index(of: name),
      let values = rows.columns[index].strings, let keys = rows.columns[FileColumns.recordKey].strings,
      (0..<rows.count).allSatisfy({ values.equals($0, keys, $0) })
    {
      columns[index] = .kept
    }
    return columns
  }

  /// Appends inserts as row groups of their own.
  private func append(
    _ rows: ArraySlice<Int32>, _ fresh: inout FreshRows, _ writer: inout ParquetWriter,
    _ slotRows: inout [Int], _ counts: inout SpliceCounts
  ) async throws -> [(row: Int32, slot: Int)] {
    guard !rows.isEmpty else { return [] }
    let before = writer.slotRows.count
    var rest = rows
    while !rest.isEmpty {
      let step = CommitContext.step(rest, of: context.batch.changes.rows)
      try await writer.append(try fresh.batch(step))
      rest = rest.dropFirst(step.count)
      try Task.checkCancellation()
    }
    let start = writer.position
    try await writer.endRowGroup()
    let added = writer.slotRows[before...]
    counts.pagesEncoded += added.count * context.fileSchema.fields.count
    counts.bytesEncoded += writer.position - start
    var placed: [(row: Int32, slot: Int)] = []
    rest = rows
    for count in added {
      for row in rest.prefix(count) { placed.append((row, slotRows.count)) }
      rest = rest.dropFirst(count)
      slotRows.append(count)
    }
    return placed
  }

  // MARK: - What the footer tells of the keys

  /// The key range with the inserts' keys; it may stay wider than the rows after deletions.
  private func range(_ inserted: ByteStrings) -> (least: String, greatest: String) {
    var keys = KeyCollector()
    keys.add(inserted)
    guard let added = keys.range else { return splice.range }
    func precedes(_ left: String, _ right: String) -> Bool {
      JavaStringOrder.precedes(Array(left.utf8).span.bytes, Array(right.utf8).span.bytes)
    }
    return (
      precedes(added.least, splice.range.least) ? added.least : splice.range.least,
      precedes(splice.range.greatest, added.greatest) ? added.greatest : splice.range.greatest
    )
  }

  private var inserted: ByteStrings {
    var keys = ByteStrings()
    // They are bytes of the batch, which hold no more than 2 GiB.
    try? keys.append(context.batch.keys.keys, rows: merge.inserts.span)
    return keys
  }

  /// What changes in the key index: where slots were emptied they keep their numbers.
  private func changes(
    _ index: KeyIndexDirectory, _ slotRows: [Int], _ placed: [(row: Int32, slot: Int)]
  ) -> KeyIndexChanges {
    // The file's slots are those of the index that are not empty.
    var numbers: [Int32] = []
    var rows = index.slotRows
    for (number, count) in index.slotRows.enumerated() where count > 0 { numbers.append(Int32(number)) }
    for (slot, count) in slotRows.enumerated() {
      if slot < numbers.count {
        rows[Int(numbers[slot])] = Int32(count)
      } else {
        numbers.append(Int32(rows.count))
        rows.append(Int32(count))
      }
    }
    var changes = KeyIndexChanges(slotRows: rows)
    changes.added = placed.map {
      KeyIndexEntry(
        hash: KeyIndex.shortened(context.batch.keys.hashes[Int($0.row)]), slot: numbers[$0.slot])
    }
    return changes
  }

  /// Writes the key index behind the last page, and gives what the footer says of it.
  private func write(
    _ index: KeyIndexDirectory, _ changes: KeyIndexChanges, _ writer: inout ParquetWriter
  ) async throws -> [ParquetKeyValue] {
    let plan = try await index.plan(changes, in: context.storage, at: splice.file.path)
    try await writer.endRowGroup()
    let start = try await writer.writeOpaque([]).lowerBound
    for piece in plan.pieces {
      switch piece {
      case .copy(let range): try await writer.copyOpaque(range, from: splice.file.path, tag: splice.file.tag)
      case .bytes(let bytes): _ = try await writer.writeOpaque(bytes)
      }
    }
    return CommitContext.footerPairs(plan.reference(at: start), tombstones: plan.tombstoneCount)
  }
}
