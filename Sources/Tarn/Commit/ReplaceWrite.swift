import TarnAvro
import TarnBytes
import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnTimeline

/// Replaces the file groups of partitions by rows, or by nothing.
struct ReplaceWrite: TableWrite {
  /// Which partitions lose what they have.
  enum Extent: Sendable, Hashable {
    /// Those of the rows.
    case ofRows
    /// All.
    case table
    /// Some, by their paths.
    case partitions([String])
  }

  /// The rows that come; nil for none.
  let rows: RecordBatch?
  let extent: Extent

  var action: Action { .replacecommit }

  var operation: OperationType {
    switch extent {
    case .ofRows: .insertOverwrite
    case .table: .insertOverwriteTable
    case .partitions: .deletePartition
    }
  }

  /// What goes, and what comes.
  struct Prepared: PreparedWrite {
    /// The rows with their keys; nil for none.
    let batch: KeyedBatch?
    let planned: PlannedWrite

    /// The same file groups go, of the same versions: none has come that would stay.
    func isUnaffected(by newer: Prepared) -> Bool {
      planned.table.present == newer.planned.table.present
        && Set(planned.plan.replaced) == Set(newer.planned.plan.replaced)
    }
  }

  func prepare(on table: PresentTable, after previous: Prepared?) async throws(TableError) -> Prepared {
    let state = table.state
    let (writable, batch) = try incoming(table, previous)
    let rows = batch.map { zip($0.keys.partitions.paths, $0.keys.partitions.rows()) }
    let inserts = (rows.map(Array.init) ?? []).filter { !$0.1.isEmpty }.map { (path: $0.0, rows: $0.1) }
    let partitions: [String]? =
      switch extent {
      case .ofRows: inserts.map(\.path)
      case .table: nil
      case .partitions(let paths): paths
      }
    let view = try await tableErrors {
      try await FileSystemView.load(
        from: table.reader.storage, properties: state.properties, timeline: state.timeline,
        only: partitions)
    }
    if case .partitions(let paths) = extent { try view.requirePartitions(paths) }
    let slices = view.slices()
    var buckets: [Int32]?
    if let batch {
      buckets = try await SliceLookup(
        state: state, table: writable, settings: table.settings, reader: table.reader
      ).buckets(ofNew: batch, besides: slices, isWhole: partitions == nil)
    }
    let plan = WritePlanner(options: writable.options).plan(
      inserts, buckets: buckets, replacing: slices)
    var counts = RowCounts()
    counts.inserted = batch?.winners.count ?? 0
    return Prepared(
      batch: batch, planned: PlannedWrite(writable, plan, counts, on: state, lookingIn: partitions))
  }

  /// The table as the rows leave it, and the rows with their keys.
  private func incoming(
    _ table: PresentTable, _ previous: Prepared?
  ) throws(TableError) -> (WritableTable, KeyedBatch?) {
    guard let rows else { return (try WritableTable(table.state, table.settings), nil) }
    if let previous, let batch = previous.batch, previous.planned.table.present == table.state.schema,
      previous.planned.table.properties == table.state.properties
    {
      return (previous.planned.table, batch)
    }
    let (incoming, _) = try Incoming(
      state: table.state, settings: table.settings, kind: .whole, scope: .partition
    ).take(ChangeBatch(upserting: rows), .insert)
    return (incoming.table, incoming.batch)
  }

  func request(_ prepared: Prepared) throws(TableError) -> [UInt8] {
    do throws(AvroError) { return try ReplaceRequest().bytes() } catch { throw TableError(error) }
  }

  func write(
    _ prepared: Prepared, _ files: CommitFiles, _ settings: TableSettings
  ) async throws -> [WrittenFile] {
    guard let batch = prepared.batch else { return [] }
    return try await PlanWriter(files: files, rows: batch.keyedRows, settings: settings)
      .write(prepared.planned.plan)
  }
}

extension FileSystemView {
  /// Checks that partitions that are named are there, so that a slip of the pen is no success.
  func requirePartitions(_ paths: [String]) throws(TableError) {
    for path in paths {
      guard let found = partition(path), found.hasMetadata || !found.baseFiles.isEmpty else {
        throw TableError(
          .mismatch,
          "there is no partition \"\(path)\": name its folder as tarn files lists it, such as day=2024-01-31/city=Oslo",
          path: path)
      }
    }
  }
}
