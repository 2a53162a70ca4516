import TarnAvro
import TarnColumns
import TarnExpressions
import TarnParquet
import TarnStorage
import TarnTimeline

/// The rows of a table at one moment: a value that never changes, whatever is written later.
///
/// Refine it with ``select(_:)-([String])``, ``where(_:)`` and ``limit(_:)``, then iterate over its batches.
/// Files that a cleaner has removed since can no longer be read.
public struct Snapshot: Sendable, AsyncSequence {
  /// The latest commit it holds; nil where there is none.
  public let instant: Instant?
  /// The columns of its batches: by default the five meta columns, where the table has them filled, and then the table's.
  public private(set) var schema: Schema
  /// The base files it is made of.
  public let slices: [FileSlice]

  let storage: any Storage
  let settings: TableSettings
  /// The rows that it holds of its files.
  private(set) var search: RowSearch
  private(set) var rowLimit: Int?

  init(
    instant: Instant?, slices: [FileSlice], _ search: RowSearch, storage: any Storage, settings: TableSettings
  ) {
    self.instant = instant
    self.slices = slices
    self.search = search
    self.storage = storage
    self.settings = settings
    schema = search.schema
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
          "there is no column \(name): the table has \(search.schema.names.joined(separator: ", "))")
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
    refined.search = try search.narrowed(by: condition)
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
    var total = 0
    if search.isEverything {
      for slice in slices {
        try Self.checkCancellation()
        let file = try await tableErrors {
          try await ParquetFile.open(storage, path: slice.path, size: slice.size, tag: slice.tag)
        }
        let (sum, overflow) = total.addingReportingOverflow(file.rowCount)
        guard !overflow else {
          throw TableError(
            .damaged, "\(slice.path): with it, the files say that they hold more than 2^63 rows")
        }
        total = sum
      }
      return Swift.min(total, rowLimit ?? total)
    }
    var narrow = self
    narrow.schema = Schema([])
    var iterator = narrow.makeAsyncIterator()
    while let batch = try await iterator.next(isolation: nil) { total += batch.count }
    return total
  }

  fileprivate func open(_ slice: FileSlice) async throws(TableError) -> ParquetFile {
    do {
      let file = try await ParquetFile.open(storage, path: slice.path, size: slice.size, tag: slice.tag)
        .warning(
          settings.warn)
      return settings.cutsNanoseconds ? file.cuttingNanoseconds() : file
    } catch { throw TableError(error) }
  }

  fileprivate static func checkCancellation() throws(TableError) {
    if Task.isCancelled { throw TableError(CancellationError()) }
  }

  /// Iterates over the batches, none of which follows the size of a file or row group.
  public func makeAsyncIterator() -> Iterator { Iterator(self) }

  /// Reads one batch after the other.
  public struct Iterator: AsyncIteratorProtocol {
    private let snapshot: Snapshot
    private var rows: FileRows?
    private var nextSlice = 0
    /// What rules out slices by their partitions, once that was asked.
    private var pruning: PartitionPruning?
    private var isPruned = false
    /// A slice whose base file was opened for that.
    private var opened: (slice: FileSlice, file: ParquetFile)?
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
        failure = error
        rows = nil
        throw error
      }
    }

    private mutating func read(isolation actor: isolated (any Actor)?) async throws(TableError)
      -> RecordBatch?
    {
      try Snapshot.checkCancellation()
      while rowsLeft > 0 {
        guard var rows = try await openFile(isolation: actor) else { return nil }
        self.rows = nil
        guard var batch = try await rows.next(isolation: actor) else { continue }
        self.rows = rows
        if batch.count > rowsLeft { batch = batch.slice(0..<rowsLeft) }
        rowsLeft -= batch.count
        return batch
      }
      return nil
    }

    private mutating func openFile(
      isolation actor: isolated (any Actor)?
    ) async throws(TableError) -> FileRows? {
      if let rows { return rows }
      let snapshot = snapshot
      if !isPruned {
        isPruned = true
        if let (rules, example) = try snapshot.search.pruning(of: snapshot.slices) {
          let file = try await snapshot.open(example)
          if try await rules.isTrue(of: example, file) { pruning = rules }
          opened = (example, file)
        }
      }
      while nextSlice < snapshot.slices.count {
        let slice = snapshot.slices[nextSlice]
        nextSlice += 1
        if let rules = pruning, try !rules.mayHold(slice.partitionPath) { continue }
        guard let known = opened, known.slice == slice else {
          return try await FileRows(snapshot, try await snapshot.open(slice))
        }
        opened = nil
        return try await FileRows(snapshot, known.file)
      }
      return nil
    }
  }
}

extension Schema {
  /// The same columns, all nullable: files may lack what the table has now.
  var relaxed: Schema { Schema(fields.map { Field($0.name, $0.type, isNullable: true) }) }
}

extension Table {
  /// The rows of the table as they are now, or as they were at an instant.
  ///
  /// - Parameter instant: The last commit to be seen; nil for the latest. A time before the first commit
  ///   gives an empty snapshot.
  /// - Throws: ``TableError`` where the table cannot be read.
  public func snapshot(asOf instant: Instant? = nil) async throws(TableError) -> Snapshot {
    try await snapshot(asOf: instant, commits: nil)
  }

  /// The rows that commits after an instant wrote, as the last of them left them.
  ///
  /// Rows that were deleted since are not among them, and nothing tells that they were there.
  ///
  /// - Parameters:
  ///   - since: The instant after which commits count; its own commit does not.
  ///   - until: The last commit that counts; nil for the latest.
  /// - Throws: ``TableError`` where the table cannot be read, `unsupported` where it has no meta columns.
  public func changes(since: Instant, until: Instant? = nil) async throws(TableError) -> Snapshot {
    try await snapshot(asOf: until, commits: (since, until))
  }

  /// How often a table is looked at anew that changes while it is looked at.
  private static let mostLooks = 10

  private func snapshot(
    asOf instant: Instant?, commits: (after: Instant, through: Instant?)?
  ) async throws(TableError) -> Snapshot {
    try Snapshot.checkCancellation()
    var state = try await TableState.load(storage)
    for _ in 1..<Self.mostLooks {
      let (snapshot, gone) = try await look(state, asOf: instant, commits)
      try Snapshot.checkCancellation()
      guard let gone else { return snapshot }
      // A file may be gone since its commit was rolled back meanwhile, or since a newer version took its place.
      let now = try await TableState.load(storage)
      guard now.timeline != state.timeline else { throw gone.error("its rows cannot be read") }
      state = now
    }
    throw TableError(.conflict, "the table changes faster than it can be read: try again")
  }

  /// A snapshot of a state, and a file of it that should be there and is not.
  private func look(
    _ state: TableState, asOf instant: Instant?, _ commits: (after: Instant, through: Instant?)?
  ) async throws(TableError) -> (Snapshot, WrittenFiles.GoneFile?) {
    guard state.properties.type == .copyOnWrite else {
      throw TableError(
        .unsupported, "table \(state.properties.name) is merge-on-read: Tarn does not read such tables yet")
    }
    guard commits == nil || state.properties.populatesMetaFields else {
      throw TableError(
        .unsupported,
        "table \(state.properties.name) has no meta columns, which would tell the rows that a commit wrote")
    }
    let schema = try state.requireSchema()
    let (storage, settings) = (storage, settings)
    return try await tableErrors {
      let view = try await FileSystemView.load(
        from: storage, properties: state.properties, timeline: state.timeline)
      var slices = view.slices(asOf: instant)
      // Of earlier versions a cleaner may have removed some.
      let isNow = instant.map { $0 >= state.timeline.latest?.instant ?? $0 } ?? true
      let gone = isNow ? try WrittenFiles(state.latestCommits).firstGone(slices) : nil
      if let commits { slices = slices.filter { $0.instant > commits.after } }
      let latest = instant.map { state.timeline.latest(asOf: $0) } ?? state.timeline.latest
      let full = state.properties.populatesMetaFields ? MetaColumns.added(to: schema) : schema
      let snapshot = Snapshot(
        instant: latest?.instant, slices: slices, RowSearch(full, state.properties, commits: commits),
        storage: storage, settings: settings)
      return (snapshot, gone)
    }
  }
}
