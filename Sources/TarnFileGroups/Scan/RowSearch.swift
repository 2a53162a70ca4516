import TarnAvro
import TarnColumns
import TarnExpressions
import TarnParquet
import TarnTimeline

/// What rows are looked for in the base files of a table: one way for snapshots, counts, and writes by a condition.
///
/// What can be ruled out is not read: row groups by their statistics, pages by the page index, and where the condition
/// fixes the key all pages but those that the key index names.
package struct RowSearch: Sendable {
  /// The table's columns, its meta columns among them where it has any.
  package let schema: Schema
  /// The table's properties.
  package let properties: TableProperties
  /// What must be true; nil for all rows.
  package private(set) var condition: Condition?
  /// Only rows that these commits wrote; nil for those of all.
  package let commits: CommitSelection?
  /// The keys that the condition asks for, where it fixes them.
  private var probe: KeyProbe?

  /// Looks for all rows, or for those of some commits.
  package init(
    _ schema: Schema, _ properties: TableProperties, commits: CommitSelection? = nil
  ) {
    self.schema = schema
    self.properties = properties
    self.commits = commits
  }

  /// The same, where a condition is true as well.
  ///
  /// - Throws: ``FileGroupError`` with code `mismatch` where a column is missing or a value does not fit one.
  package func narrowed(by condition: Condition) throws(FileGroupError) -> RowSearch {
    do { try condition.check(against: schema) } catch { throw FileGroupError(error) }
    let whole = self.condition.map { $0 && condition } ?? condition
    var search = self
    search.condition = whole
    search.probe = KeyProbe(whole, properties, schema)
    return search
  }

  /// Whether all rows are looked for.
  package var isEverything: Bool { condition == nil && commits == nil }

  /// The columns that tell which rows are looked for.
  var columns: Set<String> {
    (condition?.columns ?? []).union(commits == nil ? [] : [MetaColumns.commitTime])
  }

  /// The rows of a file's row groups among which there may be some; a row group without any is left out.
  ///
  /// - Throws: ``FileGroupError`` where the file cannot be read.
  func selections(
    of file: ParquetFile, _ reader: BaseFileReader
  ) async throws(FileGroupError) -> [RowSelection] {
    guard let condition else { return (0..<file.rowGroupCount).map { RowSelection(group: $0) } }
    if let probe, !probe.mayBeIn(file) { return [] }
    var groups: [Int] = []
    for group in 0..<file.rowGroupCount where try condition.mayHold(file, group: group, schema: schema) {
      groups.append(group)
    }
    // An index is asked only for what the footer does not rule out.
    let probed = groups.isEmpty ? nil : try await probe?.ranges(in: file, reader)
    var selections: [RowSelection] = []
    for group in groups {
      if let probed, probed[group].isEmpty { continue }
      guard var selection = try await condition.selection(file, group: group, schema: schema) else {
        continue
      }
      if let probed {
        let all = [0..<file.rowCount(inGroup: group)]
        let ranges = RowRanges.intersection(selection.ranges ?? all, probed[group])
        if ranges.isEmpty { continue }
        selection.ranges = ranges
      }
      selections.append(selection)
    }
    return selections
  }

  /// The positions of the rows of a batch that are looked for; it has all of ``columns``.
  func rows(of batch: RecordBatch) throws(FileGroupError) -> [Int32] {
    var rows: [Int32]
    do { rows = try condition?.rows(of: batch) ?? (0..<Int32(batch.count)).map { $0 } } catch {
      throw FileGroupError(error)
    }
    guard let commits, let times = batch[MetaColumns.commitTime]?.strings else { return rows }
    // Rows of one commit mostly stand together.
    var last: (row: Int, isWanted: Bool)?
    rows.removeAll { row in
      let row = Int(row)
      if let last, times.equals(row, times, last.row) { return !last.isWanted }
      let isWanted = commits.contains(Instant(times.string(row)))
      last = (row, isWanted)
      return !isWanted
    }
    return rows
  }

  /// Looks at selected rows, by the columns that tell.
  ///
  /// - Parameter body: Gets the rows that are looked for, in ascending order but where a page index turned out to be
  ///   wrong; it gives whether to go on.
  /// - Returns: Whether all selected rows were looked at.
  func forEach(
    of selection: RowSelection, in file: ParquetFile, isolation actor: isolated (any Actor)? = #isolation,
    _ body: ([Range<Int>]) -> Bool
  ) async throws(FileGroupError) -> Bool {
    let columns = columns
    let telling = Schema(schema.fields.filter { columns.contains($0.name) })
    try file.requireReadable(telling)
    var batches = file.batches(columns: file.columns(telling), selecting: [selection]).makeAsyncIterator()
    while true {
      let next: RecordBatch?
      do { next = try await batches.next(isolation: actor) } catch { throw FileGroupError(error) }
      guard let batch = next else { return true }
      let rows = try rows(of: try alignedRows(batch, telling))
      guard body(RowRanges.part(rows, of: batches.place.rows)) else { return false }
    }
  }

  private func alignedRows(_ batch: RecordBatch, _ columns: Schema) throws(FileGroupError) -> RecordBatch {
    do { return try batch.aligned(to: columns.relaxed) } catch { throw FileGroupError(error) }
  }

  /// The positions in a file of the rows that are looked for, ascending.
  ///
  /// - Throws: ``FileGroupError`` where the file cannot be read.
  package func positions(in file: ParquetFile, _ reader: BaseFileReader) async throws(FileGroupError) -> [Int]
  {
    let starts = file.groupStarts
    var positions: [Int] = []
    var last = -1
    var isSorted = true
    for selection in try await selections(of: file, reader) {
      let start = starts[selection.group]
      _ = try await forEach(of: selection, in: file) { found in
        for range in found {
          isSorted = isSorted && start + range.lowerBound > last
          last = start + range.upperBound - 1
          positions += range.lazy.map { start + $0 }
        }
        return true
      }
    }
    if !isSorted { positions.sort() }
    return positions
  }
}
