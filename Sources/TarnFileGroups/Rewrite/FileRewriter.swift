import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// Writes all rows of a base file anew, some of the old file's at a time, however large its row groups are.
struct FileRewriter: Sendable {
  let files: CommitFiles
  let update: FileGroupUpdate
  /// What becomes of stored rows, but for those that a condition changes.
  let deletions: StoredRowChanges
  /// The rows of the batch.
  let source: KeyedRows
  let name: BaseFileName
  let taskNumber: Int

  /// Bytes of the file that are read ahead of the rows at hand.
  private static let readAhead = 8 << 20

  private var partition: String { update.slice.partitionPath }

  /// Writes the file, of which nothing appears before its end.
  func write(_ file: ParquetFile, to target: any ObjectWriter) async throws -> WrittenParquetFile {
    let format = files.format
    var writer = try BaseFileWriter(
      files, partitionPath: partition, name: name, taskNumber: taskNumber, to: target)
    var start = 0
    var deleted = deletions.deleted[...]
    var replaced = deletions.replaced[...]
    let columns = format.fileSchema.fields.compactMap { file.schema.index(of: $0.name) }
    let rowsOfFile = file.keepingDictionaries().batches(
      columns: columns, rowsPerBatch: CommitFiles.stepRows, bytesPerBatch: CommitFiles.stepBytes,
      readAhead: Self.readAhead)
    for try await rows in rowsOfFile {
      let stored = try rows.aligned(to: format.fileSchema)
      let end = start + stored.count
      defer { start = end }
      if case .condition(let chosen) = update.changes, !chosen.effect.isDeletion {
        try await append(stored, start, chosen, &writer)
        continue
      }
      let gone = deleted.prefix { $0 < end }
      let replacing = replaced.prefix { $0.position < end }
      deleted = deleted.dropFirst(gone.count)
      replaced = replaced.dropFirst(replacing.count)
      try await append(stored, from: start, gone, replacing, &writer)
    }
    try await append(update.inserts, &writer)
    return try await writer.finish(tombstones: try await tombstones(of: file))
  }

  /// Appends stored rows, of which some go and others are replaced, no more at a time than those in their places allow.
  private func append(
    _ stored: RecordBatch, from start: Int, _ deleted: ArraySlice<Int>,
    _ replaced: ArraySlice<RowReplacement>, _ writer: inout BaseFileWriter
  ) async throws {
    var gone = deleted
    var replacing = replaced
    var first = start
    let end = start + stored.count
    while first < end {
      let incoming = replacing.map { Int32($0.row) }
      let few = replacing.prefix(
        incoming.isEmpty ? 0 : CommitFiles.step(incoming[...], of: source.rows).count)
      let rest = replacing.dropFirst(few.count)
      let rows = first..<(rest.first?.position ?? end)
      let going = gone.prefix { $0 < rows.upperBound }
      try await writer.append(
        stored: stored.slice(rows.lowerBound - start..<rows.upperBound - start),
        Self.runs(rows, deleted: Array(going), replaced: Array(few)), of: source)
      gone = gone.dropFirst(going.count)
      replacing = rest
      first = rows.upperBound
      try Task.checkCancellation()
    }
  }

  /// Appends stored rows, of which a condition changes some.
  private func append(
    _ stored: RecordBatch, _ start: Int, _ chosen: ChosenRows, _ writer: inout BaseFileWriter
  ) async throws {
    let range = start..<start + stored.count
    let replaced = chosen.positions(range).enumerated().map {
      RowReplacement(position: $0.element, row: $0.offset)
    }
    let old = try stored.gather(replaced.map { Int32($0.position - start) })
    guard case .replaced(let rows) = try chosen.effect.outcome(old, partition) else { return }
    try await writer.append(stored: stored, Self.runs(range, deleted: [], replaced: replaced), of: rows)
    try Task.checkCancellation()
  }

  /// The runs of merged rows; positions are the file's on the way in, the batch's on the way out.
  private static func runs(
    _ rows: Range<Int>, deleted: [Int], replaced: [RowReplacement]
  ) -> [MergeRun] {
    var runs: [MergeRun] = []
    var position = rows.lowerBound
    var gone = deleted[...]
    var replacing = replaced[...]
    var pending: [Int32] = []
    func keep(upTo end: Int) {
      guard position < end else { return }
      if !pending.isEmpty {
        runs.append(.incoming(pending))
        pending.removeAll()
      }
      runs.append(.stored(position - rows.lowerBound..<end - rows.lowerBound))
    }
    while true {
      let nextGone = gone.first ?? Int.max
      let nextReplaced = replacing.first?.position ?? Int.max
      let next = min(nextGone, nextReplaced)
      guard next != Int.max else { break }
      keep(upTo: next)
      if next == nextReplaced, let match = replacing.first {
        pending.append(Int32(match.row))
        replacing = replacing.dropFirst()
      } else {
        gone = gone.dropFirst()
      }
      position = next + 1
    }
    keep(upTo: rows.upperBound)
    if !pending.isEmpty { runs.append(.incoming(pending)) }
    return runs
  }

  private func append(_ rows: [Int32], _ writer: inout BaseFileWriter) async throws {
    var rest = rows[...]
    while !rest.isEmpty {
      let step = CommitFiles.step(rest, of: source.rows)
      try await writer.append(incoming: step, of: source)
      rest = rest.dropFirst(step.count)
      try Task.checkCancellation()
    }
  }

  /// The tombstones of the new version.
  private func tombstones(of file: ParquetFile) async throws -> [KeyTombstone] {
    guard files.format.hasKeyIndex else { return [] }
    let old = try await files.tombstones(of: file)
    let revived = Set(update.revivedKeys)
    let all = old + deletions.tombstones.tombstones(at: files.stamp.time)
    return KeyTombstone.latest(of: all, orderedAs: files.format.ordering)
      .filter { !revived.contains($0.key) }
  }
}
