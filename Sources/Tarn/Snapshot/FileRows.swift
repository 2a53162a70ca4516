import TarnAvro
import TarnColumns
import TarnParquet
import TarnTimeline

/// The rows of one base file that belong to a snapshot, batch by batch.
struct FileRows {
  private let snapshot: Snapshot
  private let path: String
  /// The columns that are selected or compared.
  private let needed: Schema
  private var batches: ParquetBatches.Iterator

  /// Finds the rows for which the condition may be true: row groups are ruled out by their statistics, and pages by
  /// the page index.
  ///
  /// - Throws: ``TableError`` where a column cannot be read.
  init(_ snapshot: Snapshot, _ file: ParquetFile) async throws(TableError) {
    self.snapshot = snapshot
    path = file.path
    var names = Set(snapshot.schema.names)
    if let condition = snapshot.condition { names.formUnion(condition.columns) }
    if snapshot.commits != nil { names.insert(MetaColumns.commitTime) }
    needed = Schema(snapshot.fileSchema.fields.filter { names.contains($0.name) })
    for field in needed.fields {
      if let reason = file.unreadable[field.name] {
        throw TableError(
          .unsupported,
          "\(file.path): column \(field.name) cannot be read yet: \(reason); select other columns")
      }
    }
    var selections: [RowSelection] = []
    for group in 0..<file.rowGroupCount {
      guard let condition = snapshot.condition else {
        selections.append(RowSelection(group: group))
        continue
      }
      if let selection = try await condition.selection(file, group: group, schema: snapshot.fileSchema) {
        selections.append(selection)
      }
    }
    let present = needed.fields.compactMap { file.schema.index(of: $0.name) }
    batches = file.batches(columns: present, selecting: selections).makeAsyncIterator()
  }

  /// The next batch that is not empty; nil at the end.
  ///
  /// - Throws: ``TableError`` where the file cannot be read.
  mutating func next(isolation actor: isolated (any Actor)?) async throws(TableError) -> RecordBatch? {
    while let rows = try await read(isolation: actor) {
      do {
        let wanted = try wanted(rows)
        if wanted.count > 0 { return wanted }
      } catch { throw TableError(error) }
    }
    return nil
  }

  private mutating func read(isolation actor: isolated (any Actor)?) async throws(TableError) -> RecordBatch?
  {
    do { return try await batches.next(isolation: actor) } catch { throw TableError(error) }
  }

  /// Those of a batch's rows that belong to the snapshot, in its columns.
  private func wanted(_ batch: RecordBatch) throws -> RecordBatch {
    var rows = try BatchAlignment.align(batch, to: needed.relaxed)
    if let commits = snapshot.commits { rows = try Self.rows(of: rows, commits) }
    if let condition = snapshot.condition {
      let kept = try condition.rows(of: rows)
      if kept.count < rows.count { rows = try rows.gather(kept) }
    }
    let selected = try rows.select(snapshot.schema.names)
    for (field, column) in zip(snapshot.schema.fields, selected.columns)
    where !field.isNullable && column.nullCount > 0 {
      throw TableError(
        .damaged, "\(path): column \(field.name) has a null, which the table's schema does not allow")
    }
    return try RecordBatch(schema: snapshot.schema, columns: selected.columns, count: rows.count)
  }

  private static func rows(
    of batch: RecordBatch, _ commits: (after: Instant, through: Instant?)
  ) throws -> RecordBatch {
    guard let times = batch[MetaColumns.commitTime]?.strings else { return batch }
    var kept: [Int32] = []
    for row in 0..<batch.count {
      guard let instant = Instant(times.string(row)) else { continue }
      if instant > commits.after, commits.through.map({ instant <= $0 }) ?? true { kept.append(Int32(row)) }
    }
    return try batch.gather(kept)
  }
}
