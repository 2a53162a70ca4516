import TarnAvro
import TarnColumns
import TarnExpressions
import TarnParquet
import TarnStorage
import TarnTimeline

/// What rows are looked for in the base files of a table: one way for snapshots, counts, and writes by a condition.
///
/// What can be ruled out is not read: row groups by their statistics, pages by the page index, and where the condition
/// fixes the key all pages but those that the key index names.
struct RowSearch: Sendable {
  /// The table's columns, its meta columns among them where it has any.
  let schema: Schema
  let properties: TableProperties
  /// What must be true; nil for all rows.
  private(set) var condition: Condition?
  /// Only rows written by commits after the first and up to the second of these instants.
  let commits: (after: Instant, through: Instant?)?
  /// The keys that the condition asks for, where it fixes them.
  private var probe: KeyProbe?

  /// Looks for all rows, or for those of some commits.
  init(
    _ schema: Schema, _ properties: TableProperties,
    commits: (after: Instant, through: Instant?)? = nil
  ) {
    self.schema = schema
    self.properties = properties
    self.commits = commits
  }

  /// The same, where a condition is true as well.
  ///
  /// - Throws: ``TableError`` with code `mismatch` where a column is missing or a value does not fit one.
  func narrowed(by condition: Condition) throws(TableError) -> RowSearch {
    do { try condition.check(against: schema) } catch { throw TableError(error) }
    let whole = self.condition.map { $0 && condition } ?? condition
    var search = self
    search.condition = whole
    search.probe = KeyProbe(whole, properties, schema)
    return search
  }

  /// Whether all rows are looked for.
  var isEverything: Bool { condition == nil && commits == nil }

  /// The columns that tell which rows are looked for.
  var columns: Set<String> {
    (condition?.columns ?? []).union(commits == nil ? [] : [MetaColumns.commitTime])
  }

  /// What rules out slices by the paths of their partitions, and one to look at: where its first row does not belong to
  /// its partition, nothing must be ruled out; see ``PartitionPruning/isTrue(of:_:)``.
  ///
  /// - Parameter ofOthers: Whether partitions matter that have no slice.
  /// - Returns: Nil where nothing is ruled out.
  func pruning(
    of slices: [FileSlice], ofOthers: Bool = false
  ) throws(TableError) -> (rules: PartitionPruning, example: FileSlice)? {
    guard let condition, let first = slices.first else { return nil }
    let pruning = PartitionPruning(condition, properties, schema)
    var held: FileSlice?
    var isAny = ofOthers
    for slice in slices {
      if try pruning.mayHold(slice.partitionPath) { held = held ?? slice } else { isAny = true }
      // One that is read anyway.
      if isAny, let held { return (pruning, held) }
    }
    return isAny ? (pruning, first) : nil
  }

  /// The rows of a file's row groups among which there may be some; a row group without any is left out.
  ///
  /// - Throws: ``TableError`` where the file cannot be read.
  func selections(
    of file: ParquetFile, in storage: any Storage, warn: (String) -> Void
  ) async throws(TableError) -> [RowSelection] {
    guard let condition else { return (0..<file.rowGroupCount).map { RowSelection(group: $0) } }
    var groups: [Int] = []
    for group in 0..<file.rowGroupCount where try condition.mayHold(file, group: group, schema: schema) {
      groups.append(group)
    }
    // An index is asked only for what the footer does not rule out.
    let probed = groups.isEmpty ? nil : try await probe?.ranges(in: file, of: storage, warn: warn)
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
  func rows(of batch: RecordBatch) throws(TableError) -> [Int32] {
    var rows: [Int32]
    do { rows = try condition?.rows(of: batch) ?? (0..<Int32(batch.count)).map { $0 } } catch {
      throw TableError(error)
    }
    guard let commits, let times = batch[MetaColumns.commitTime]?.strings else { return rows }
    rows.removeAll { row in
      guard let instant = Instant(times.string(Int(row))) else { return true }
      return instant <= commits.after || commits.through.map { instant > $0 } ?? false
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
  ) async throws(TableError) -> Bool {
    let columns = columns
    let telling = Schema(schema.fields.filter { columns.contains($0.name) })
    try file.requireReadable(telling)
    var batches = file.batches(columns: file.columns(telling), selecting: [selection]).makeAsyncIterator()
    while true {
      let next: RecordBatch?
      do { next = try await batches.next(isolation: actor) } catch { throw TableError(error) }
      guard let batch = next else { return true }
      let rows = try rows(of: try BatchAlignment.align(batch, to: telling.relaxed))
      guard body(RowRanges.part(rows, of: batches.place.rows)) else { return false }
    }
  }
}

extension ParquetFile {
  /// The positions of a schema's columns, without those that the file does not have.
  func columns(_ schema: Schema) -> [Int] { self.schema.positions(of: schema.names).compactMap(\.self) }

  /// Bytes that the columns of a schema take in the file.
  func byteCount(of schema: Schema) -> Int { encodedBytes(columns: columns(schema)) }

  /// Checks that columns can be read.
  ///
  /// - Throws: ``TableError`` with code `unsupported` that names the first that cannot.
  func requireReadable(_ schema: Schema) throws(TableError) {
    for field in schema.fields {
      guard let reason = unreadable[field.name] else { continue }
      throw TableError(
        .unsupported, "\(path): column \(field.name) cannot be read yet: \(reason); select other columns")
    }
  }
}
