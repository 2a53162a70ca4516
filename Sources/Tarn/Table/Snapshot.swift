import TarnAvro
import TarnColumns
import TarnExpressions
import TarnFileGroups
import TarnParquet
import TarnTimeline

/// The rows of a table at one moment: a value that never changes, whatever is written later.
///
/// Refine it with ``select(_:)-([String])``, ``where(_:)`` and ``limit(_:)``, then iterate over its batches.
///
/// Files that a cleaner or a rollback has removed since can no longer be read. Where there may be such when reading
/// begins, a snapshot of the present shows the table as it is by then, and one of an earlier time, or of changes, ends
/// with ``TableError/Code/conflict``, as does one of a table that has got other columns. Where a version is gone that a
/// clean removed, before or while it is read, the error is ``TableError/Code/cleaned``.
public struct Snapshot: Sendable, AsyncSequence {
  /// The latest commit it holds; nil where there is none.
  public let instant: Instant?
  /// Of changes, what to go on from: all that was decided until then is in them, or was before; else nil.
  ///
  /// Rows that a condition or limit leaves out of them do not come again. See <doc:FollowingChanges>.
  public let position: TablePosition?
  /// The columns of its batches: by default the five meta columns, where the table has them filled, and then the table's.
  public private(set) var schema: Schema

  /// The table's name, for errors.
  private let table: String
  private let files: SnapshotFiles
  private let reader: BaseFileReader
  /// The rows that it holds of its files.
  private var search: RowSearch
  private var rowLimit: Int?

  init(
    _ state: TableState, asOf instant: Instant? = nil, of changes: Changes? = nil, _ reader: BaseFileReader
  ) throws(TableError) {
    let latest = instant.map { state.timeline.latest(asOf: $0) } ?? state.timeline.latest
    self.instant = latest?.instant
    let columns = try state.requireSchema()
    schema = state.properties.populatesMetaFields ? MetaColumns.added(to: columns) : columns
    position = changes?.position
    search = RowSearch(schema, state.properties, commits: changes?.commits)
    table = state.properties.name
    files = SnapshotFiles(state, asOf: instant, reader)
    self.reader = reader
  }

  /// The base files in which there may be rows of the snapshot; each look lists the table's folders.
  ///
  /// - Throws: ``TableError`` where the table cannot be read.
  public var slices: [FileSlice] {
    get async throws(TableError) {
      do { return try await files.slices(for: search) } catch { throw error.of(table) }
    }
  }

  /// Only these columns, in this order; meta columns may be among them.
  ///
  /// - Throws: ``TableError`` with code `mismatch` where there is no such column.
  public func select(_ names: String...) throws(TableError) -> Snapshot { try select(names) }

  /// Only these columns, in this order; meta columns may be among them.
  ///
  /// - Throws: ``TableError`` with code `mismatch` where there is no such column.
  public func select(_ names: [String]) throws(TableError) -> Snapshot {
    var fields: [Field] = []
    for name in names {
      guard let field = search.schema[name] else {
        throw TableError(
          .mismatch,
          "there is no column \(name): the table has \(search.schema.names.joined(separator: ", "))",
          column: name
        ).of(table)
      }
      fields.append(field)
    }
    var refined = self
    refined.schema = Schema(fields)
    return refined
  }

  /// Only rows for which a condition is true.
  ///
  /// - Throws: ``TableError`` with code `mismatch` where a column is missing or a value does not fit one.
  public func `where`(_ condition: Condition) throws(TableError) -> Snapshot {
    var refined = self
    do { refined.search = try search.narrowed(by: condition) } catch { throw TableError(error).of(table) }
    return refined
  }

  /// At most so many rows; of several limits the least counts.
  public func limit(_ rows: Int) -> Snapshot {
    var refined = self
    refined.rowLimit = Swift.min(rowLimit ?? Int.max, Swift.max(rows, 0))
    return refined
  }

  /// The number of rows.
  ///
  /// - Throws: ``TableError`` where a file cannot be read.
  public func count() async throws(TableError) -> Int {
    guard search.isEverything else {
      var narrow = self
      narrow.schema = Schema([])
      var total = 0
      var iterator = narrow.makeAsyncIterator()
      while let batch = try await iterator.next(isolation: nil) { total += batch.count }
      return total
    }
    var total = 0
    for slice in try await slices {
      if Task.isCancelled { throw TableError(CancellationError()) }
      let file: ParquetFile
      do { file = try await reader.open(slice) } catch {
        throw await files.explained(TableError(error)).of(table)
      }
      let (sum, overflow) = total.addingReportingOverflow(file.rowCount)
      guard !overflow else {
        throw TableError(
          .damaged, "\(slice.path): with it, the files say that they hold more than 2^63 rows",
          path: slice.path
        ).of(table)
      }
      total = sum
    }
    return Swift.min(total, rowLimit ?? total)
  }

  /// Iterates over the batches, none of which follows the size of a file or row group.
  public func makeAsyncIterator() -> Iterator { Iterator(self) }

  /// Reads one batch after the other.
  public struct Iterator: AsyncIteratorProtocol {
    private let snapshot: Snapshot
    private var rows: ScannedRows?
    private var rowsLeft: Int
    /// What ended the reading.
    private var failure: TableError?

    init(_ snapshot: Snapshot) {
      self.snapshot = snapshot
      rowsLeft = snapshot.rowLimit ?? Int.max
    }

    /// The next batch that is not empty, with the snapshot's columns; nil at the end.
    ///
    /// After an error it fails again: rows behind it would be taken for all there are.
    ///
    /// - Throws: ``TableError`` where a file cannot be read, `cancelled` where the task is cancelled.
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(TableError) -> RecordBatch? {
      if let failure { throw failure }
      do throws(TableError) {
        return try await read(isolation: actor)
      } catch {
        let named = await snapshot.files.explained(error).of(snapshot.table)
        failure = named
        rows = nil
        throw named
      }
    }

    private mutating func read(isolation actor: isolated (any Actor)?) async throws(TableError)
      -> RecordBatch?
    {
      if Task.isCancelled { throw TableError(CancellationError()) }
      guard rowsLeft > 0 else { return nil }
      var scanned: ScannedRows
      if let rows {
        scanned = rows
      } else {
        let scan = SliceScan(
          snapshot.search, schema: snapshot.schema, isLimited: snapshot.rowLimit != nil, snapshot.reader)
        scanned = scan.rows(of: try await snapshot.slices)
      }
      rows = nil
      let next: RecordBatch?
      do { next = try await scanned.next(isolation: actor) } catch { throw TableError(error) }
      rows = scanned
      guard var batch = next else { return nil }
      if batch.count > rowsLeft { batch = batch.slice(0..<rowsLeft) }
      rowsLeft -= batch.count
      if rowsLeft == 0 { rows = nil }
      return batch
    }
  }
}
