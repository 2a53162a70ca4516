import TarnColumns
import TarnExpressions
import TarnParquet
import TarnTimeline

/// The rows of one base file that a scan wants, batch by batch.
///
/// Of rows that may be wanted the columns that tell are read first, and the others only of those that do, as long as
/// these are few.
struct FileRows: Sendable {
  private let scan: SliceScan
  private let file: ParquetFile
  /// The columns that are selected or tell which rows are wanted.
  private let needed: Schema
  /// Whether the columns that tell are so few bytes that it pays to read them first.
  private let tellsFirst: Bool
  /// The row groups to be read, with the rows that may are wanted.
  private var selections: ArraySlice<RowSelection>
  private var batches: ParquetBatches.Iterator?
  /// Whether the rows that are wanted were few so far.
  private var areFew = true

  /// The share of rows, one of so many, up to which the other columns are read of them alone.
  private static let fewShare = 8
  /// Ranges of rows that are few, which are read one by one.
  private static let mostRanges = 4_096

  /// Begins with the first of the rows that may be wanted.
  init(_ opened: OpenedSlice, _ scan: SliceScan) {
    self.scan = scan
    file = opened.file
    needed = opened.needed
    tellsFirst = opened.tellsFirst
    selections = opened.selections[...]
  }

  /// The next batch that is not empty; nil at the end.
  ///
  /// - Throws: ``FileGroupError`` where the file cannot be read.
  mutating func next(isolation actor: isolated (any Actor)?) async throws(FileGroupError) -> RecordBatch? {
    while true {
      guard let rows = try await read(isolation: actor) else {
        batches = nil
        guard try await begin(isolation: actor) else { return nil }
        continue
      }
      do {
        let wanted = try wanted(rows)
        if wanted.count > 0 { return wanted }
      } catch { throw FileGroupError(error) }
    }
  }

  private mutating func read(isolation actor: isolated (any Actor)?) async throws(FileGroupError)
    -> RecordBatch?
  {
    do { return try await batches?.next(isolation: actor) } catch { throw FileGroupError(error) }
  }

  /// Begins with the next rows to be read; false where there are none.
  private mutating func begin(isolation actor: isolated (any Actor)?) async throws(FileGroupError) -> Bool {
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

  /// Those of selected rows that are wanted; nil as soon as they are not few.
  private func few(
    of selection: RowSelection, isolation actor: isolated (any Actor)?
  ) async throws(FileGroupError) -> [Range<Int>]? {
    let selected =
      selection.ranges?.reduce(0) { $0 + $1.count } ?? file.rowCount(inGroup: selection.group)
    var (found, rows): ([Range<Int>], Int) = ([], 0)
    let areFew = try await scan.search.forEach(of: selection, in: file, isolation: actor) { more in
      found += more
      rows += more.reduce(0) { $0 + $1.count }
      return found.count <= Self.mostRanges && rows <= selected / Self.fewShare
    }
    return areFew ? RowRanges.union(found) : nil
  }

  /// Those of a batch's rows that are wanted, in the scan's columns.
  private func wanted(_ batch: RecordBatch) throws -> RecordBatch {
    var rows = try batch.aligned(to: needed.relaxed)
    if !scan.search.isEverything {
      let kept = try scan.search.rows(of: rows)
      if kept.count < rows.count { rows = try rows.gather(kept) }
    }
    let selected = try rows.select(scan.schema.names)
    for (field, column) in zip(scan.schema.fields, selected.columns)
    where !field.isNullable && column.nullCount > 0 {
      throw FileGroupError(
        .damaged, "\(file.path): column \(field.name) has a null, which the table's schema does not allow",
        path: file.path, column: field.name)
    }
    return try RecordBatch(schema: scan.schema, columns: selected.columns, count: rows.count)
  }
}
