import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// Writes the new version of a base file by splicing the old one.
struct SpliceWriter: Sendable {
  let files: CommitFiles
  let update: FileGroupUpdate
  /// What becomes of stored rows.
  let changes: StoredRowChanges
  /// The rows that take their places, and those that are appended.
  let source: KeyedRows
  let splice: FileSplice
  let name: BaseFileName
  let taskNumber: Int

  private var format: BaseFileFormat { files.format }

  /// Writes the file, of which nothing appears before its end.
  func write(to target: any ObjectWriter) async throws -> (file: WrittenParquetFile, counts: SpliceCounts) {
    let edits = FileEdits(changes, update.inserts, splice.layout, pageRows: format.pageRows, space: space)
    let touched = edits.groups.map { !$0.isEmpty }
    var reads: SpliceReads?
    if MemoryBudget.isReadInWindows(update, format) {
      reads = SpliceReads(splice.file, touched: touched, in: files.storage)
    }
    if reads == nil { try await splice.file.fetchAhead(groups: touched.indices.filter { touched[$0] }) }
    do {
      let written = try await write(edits, to: target, &reads)
      await reads?.end()
      return written
    } catch {
      await reads?.end()
      throw error
    }
  }

  private func write(
    _ edits: FileEdits, to target: any ObjectWriter, _ reads: inout SpliceReads?
  ) async throws -> (file: WrittenParquetFile, counts: SpliceCounts) {
    let partition = update.slice.partitionPath
    var meta = MetaColumnBuilder(
      files, partitionPath: partition, fileName: name.name, taskNumber: taskNumber)
    let options = format.parquetOptions
    let rows = try meta.rows(edits.rows, of: source)
    let splicer = ParquetSplicer(
      splice.file, layout: splice.layout, fresh: rows, columns: columns(rows), options: options)
    var writer = try ParquetWriter(
      schema: format.fileSchema, to: target, path: TablePaths.join(partition, name.name),
      options: options)
    var counts = SpliceCounts()
    var slotRows: [Int] = []
    for (group, edits) in edits.groups.enumerated() {
      try await reads?.reach(group)
      let spliced = try await splicer.splice(group: group, edits: edits)
      counts += spliced.counts
      slotRows += spliced.slotRows
      try await writer.append(spliced, from: splice.file.path, tag: splice.file.tag)
      try Task.checkCancellation()
    }
    let rest = try await append(edits.rest, &meta, &writer, &slotRows, &counts)
    let keys = inserted
    // Those of deleted rows stay in the Bloom filter.
    if let filter = splice.filter {
      writer.editValue(of: BloomFilter.footerKey) { filter.add(keys, to: &$0, from: $1) }
    }
    var pairs = files.footerPairs(
      range: range(keys), filter: splice.filter.map { (text: $0.text, kind: $0.kind) })
    if let index = splice.index {
      var keyChanges = keyChanges(index, slotRows, edits.placed + rest)
      try await addTombstones(to: &keyChanges, index)
      pairs += try await write(index, keyChanges, &writer)
    }
    return (try await files.finish(writer, pairs), counts)
  }

  /// How many inserts the last row group takes.
  private var space: Int {
    guard let last = splice.layout.groups.indices.last else { return 0 }
    let rows = splice.file.rowCount(inGroup: last)
    let bytes = splice.file.encodedBytes(inGroup: last)
    let perRow = max(bytes / max(rows, 1), 1)
    let most = format.parquetOptions.rowGroupBytes(behind: splice.file.encodedBytes)
    return max(0, min(BaseFileFormat.rowGroupRows - rows, (most - bytes) / perRow))
  }

  /// What is known of the columns' values: the key and the partition of an updated row stay as they are.
  private func columns(_ rows: RecordBatch) -> [SpliceColumn] {
    var columns = [SpliceColumn](repeating: .compared, count: rows.columns.count)
    columns[FileColumns.recordKey] = .kept
    columns[FileColumns.partitionPath] = .kept
    columns[FileColumns.fileName] = .constant(name.name)
    guard format.fillsMetaColumns else {
      columns[FileColumns.commitTime] = .kept
      columns[FileColumns.commitSequence] = .kept
      // The key was made of these fields, of the stored row as of the one in its place.
      for name in format.keys.schema.names {
        if let index = rows.schema.index(of: name) { columns[index] = .kept }
      }
      return columns
    }
    // Where a key's text is the key column's own value, equal keys are equal values.
    if let name = format.keyColumn, let index = rows.schema.index(of: name),
      let values = rows.columns[index].strings, let keys = rows.columns[FileColumns.recordKey].strings,
      (0..<rows.count).allSatisfy({ values.equals($0, keys, $0) })
    {
      columns[index] = .kept
    }
    return columns
  }

  /// Appends inserts as row groups of their own.
  private func append(
    _ rows: ArraySlice<Int32>, _ meta: inout MetaColumnBuilder, _ writer: inout ParquetWriter,
    _ slotRows: inout [Int], _ counts: inout SpliceCounts
  ) async throws -> [(row: Int32, slot: Int)] {
    guard !rows.isEmpty else { return [] }
    let before = writer.slotRows.count
    var rest = rows
    while !rest.isEmpty {
      let step = CommitFiles.step(rest, of: source.rows)
      try await writer.append(try meta.rows(step, of: source))
      rest = rest.dropFirst(step.count)
      try Task.checkCancellation()
    }
    let start = writer.position
    try await writer.endRowGroup()
    let added = writer.slotRows[before...]
    counts.pagesEncoded += added.count * format.fileSchema.fields.count
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
    try? keys.append(source.keys, rows: update.inserts.span)
    return keys
  }

  /// What changes in the key index: where slots were emptied they keep their numbers.
  private func keyChanges(
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
        hash: KeyIndex.shortened(source.hashes[Int($0.row)]), slot: numbers[$0.slot])
    }
    return changes
  }

  /// Writes the key index behind the last page, and gives what the footer says of it.
  private func write(
    _ index: KeyIndexDirectory, _ changes: KeyIndexChanges, _ writer: inout ParquetWriter
  ) async throws -> [ParquetKeyValue] {
    let plan = try await index.plan(changes, in: files.storage, at: splice.file.path)
    try await writer.endRowGroup()
    let start = try await writer.writeOpaque([]).lowerBound
    for piece in plan.pieces {
      switch piece {
      case .copy(let range): try await writer.copyOpaque(range, from: splice.file.path, tag: splice.file.tag)
      case .bytes(let bytes): _ = try await writer.writeOpaque(bytes)
      }
    }
    return CommitFiles.footerPairs(plan.reference(at: start), tombstones: plan.tombstoneCount)
  }

  /// What changes in the tombstones of the file.
  private func addTombstones(to keyChanges: inout KeyIndexChanges, _ index: KeyIndexDirectory) async throws {
    keyChanges.expiry = files.stamp.tombstoneExpiry
    keyChanges.removedTombstones = update.revivedKeys
    guard !changes.tombstones.isEmpty else { return }
    let new = changes.tombstones.tombstones(at: files.stamp.time)
    let keys = Set(new.map(\.key))
    let old = try await index.tombstones(
      for: new.map(\.hash).sorted(), in: files.storage, at: update.slice.path,
      expiry: files.stamp.tombstoneExpiry)
    keyChanges.addedTombstones = KeyTombstone.latest(
      of: old.filter { keys.contains($0.key) } + new, orderedAs: format.ordering)
  }
}
