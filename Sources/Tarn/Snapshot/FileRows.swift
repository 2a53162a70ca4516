import TarnAvro
import TarnColumns
import TarnParquet
import TarnTimeline

/// The rows of one base file that belong to a snapshot, batch by batch.
///
/// Of rows that may belong to it the columns that tell are read first, and the others only of those that do, as long as
/// these are few.
struct FileRows {
  private let snapshot: Snapshot
  private let file: ParquetFile
  /// The columns that are selected or tell which rows belong to the snapshot.
  private let needed: Schema
  /// Whether the columns that tell are so few bytes that it pays to read them first.
  private let tellsFirst: Bool
  /// The row groups to be read, with the rows that may belong to the snapshot.
  private var selections: ArraySlice<RowSelection>
  private var batches: ParquetBatches.Iterator?
  /// Whether the rows that belong to the snapshot were few so far.
  private var areFew = true

  /// The share of rows, one of so many, up to which the other columns are read of them alone.
  private static let fewShare = 8
  /// Ranges of rows that are few, which are read one by one.
  private static let mostRanges = 4_096
  /// How many times the bytes of the columns that tell the others must take, so that they are read later.
  private static let worthIt = 2

  /// Finds the rows that may belong to the snapshot.
  ///
  /// - Throws: ``TableError`` where a column cannot be read.
  init(_ snapshot: Snapshot, _ file: ParquetFile) async throws(TableError) {
    self.snapshot = snapshot
    self.file = file
    let search = snapshot.search
    let telling = search.columns
    let names = telling.union(snapshot.schema.names)
    needed = Schema(search.schema.fields.filter { names.contains($0.name) })
    try file.requireReadable(needed)
    let some = file.byteCount(of: Schema(needed.fields.filter { telling.contains($0.name) }))
    // With a limit, the first rows are wanted soon.
    tellsFirst =
      !telling.isEmpty && snapshot.rowLimit == nil && some * (Self.worthIt + 1) <= file.byteCount(of: needed)
    selections = try await search.selections(of: file, in: snapshot.storage, warn: snapshot.settings.warn)[
      ...]
  }

  /// The next batch that is not empty; nil at the end.
  ///
  /// - Throws: ``TableError`` where the file cannot be read.
  mutating func next(isolation actor: isolated (any Actor)?) async throws(TableError) -> RecordBatch? {
    while true {
      guard let rows = try await read(isolation: actor) else {
        batches = nil
        guard try await begin(isolation: actor) else { return nil }
        continue
      }
      do {
        let wanted = try wanted(rows)
        if wanted.count > 0 { return wanted }
      } catch { throw TableError(error) }
    }
  }

  private mutating func read(isolation actor: isolated (any Actor)?) async throws(TableError) -> RecordBatch?
  {
    do { return try await batches?.next(isolation: actor) } catch { throw TableError(error) }
  }

  /// Begins with the next rows to be read; false where there are none.
  private mutating func begin(isolation actor: isolated (any Actor)?) async throws(TableError) -> Bool {
    while let first = selections.first {
      guard tellsFirst, areFew else {
        batches = file.batches(columns: file.columns(needed), selecting: Array(selections))
          .makeAsyncIterator()
        selections = []
        return true
      }
      guard let found = try await few(of: first, isolation: actor) else {
        areFew = false
        continue
      }
      selections.removeFirst()
      guard !found.isEmpty else { continue }
      batches = file.batches(
        columns: file.columns(needed), selecting: [RowSelection(group: first.group, ranges: found)]
      ).makeAsyncIterator()
      return true
    }
    return false
  }

  /// Those of selected rows that belong to the snapshot; nil as soon as they are not few.
  private func few(
    of selection: RowSelection, isolation actor: isolated (any Actor)?
  ) async throws(TableError) -> [Range<Int>]? {
    let selected =
      selection.ranges?.reduce(0) { $0 + $1.count } ?? file.rowCount(inGroup: selection.group)
    var (found, rows): ([Range<Int>], Int) = ([], 0)
    let areFew = try await snapshot.search.forEach(of: selection, in: file, isolation: actor) { more in
      found += more
      rows += more.reduce(0) { $0 + $1.count }
      return found.count <= Self.mostRanges && rows <= selected / Self.fewShare
    }
    return areFew ? RowRanges.union(found) : nil
  }

  /// Those of a batch's rows that belong to the snapshot, in its columns.
  private func wanted(_ batch: RecordBatch) throws -> RecordBatch {
    var rows = try BatchAlignment.align(batch, to: needed.relaxed)
    if !snapshot.search.isEverything {
      let kept = try snapshot.search.rows(of: rows)
      if kept.count < rows.count { rows = try rows.gather(kept) }
    }
    let selected = try rows.select(snapshot.schema.names)
    for (field, column) in zip(snapshot.schema.fields, selected.columns)
    where !field.isNullable && column.nullCount > 0 {
      throw TableError(
        .damaged, "\(file.path): column \(field.name) has a null, which the table's schema does not allow")
    }
    return try RecordBatch(schema: snapshot.schema, columns: selected.columns, count: rows.count)
  }
}
