import TarnColumns
import TarnParquet
import TarnStorage
import TarnTimeline

/// What becomes of the rows of one file, and of the incoming rows that met them.
struct FileResolution: Sendable {
  /// Positions of stored rows that go, ascending.
  var deleted: [Int] = []
  /// Stored rows that are replaced in place: position in the file and row of the batch, ascending.
  var updated: [TaggedSlice.Match] = []
  /// Incoming rows that are older than what is stored.
  var stale: [Int] = []
  /// Incoming rows that say what is stored already.
  var duplicates: [Int] = []
  /// Incoming rows that found an older row in another partition than their own, which goes; in ascending order of
  /// its positions.
  var moved: [TaggedSlice.Match] = []
  /// Deleted keys that are to be remembered.
  var burials = Burials()

  /// Whether the file need not be written anew for its stored rows.
  var isEmpty: Bool { deleted.isEmpty && updated.isEmpty }
}

/// Decides between stored and incoming rows by their ordering values.
///
/// Of the stored rows it reads the ordering column and, where ordering values are equal, the others, as far as they
/// are equal; only the pages that hold touched rows.
struct Resolver: Sendable {
  let storage: any Storage
  let batch: PreparedBatch
  /// Whether every incoming row is to be taken, whatever the ordering values.
  var takesAll = false
  /// Whether deletions are to be remembered.
  var remembers = false

  /// Decides for the matches of one file.
  ///
  /// - Parameter partition: The file's partition among the batch's keys; -1 where no row names it.
  func resolve(_ tagged: TaggedSlice, partition: Int32) async throws -> FileResolution {
    var resolution = FileResolution()
    var matches = tagged.matches
    guard !matches.isEmpty else { return resolution }
    if takesAll {
      for match in matches where !batch.changes.isDelete[match.incoming] {
        accept(match, partition, &resolution)
      }
      // What is to be decided of a row to delete, the ordering column decides.
      matches = matches.filter { batch.changes.isDelete[$0.incoming] }
      guard !matches.isEmpty else { return resolution }
    }
    let file = try await tagged.open(storage).keepingDictionaries()
    var start = 0
    var next = 0
    for group in 0..<file.rowGroupCount {
      let end = start + file.rowCount(inGroup: group)
      let first = next
      while next < matches.count, matches[next].stored < end { next += 1 }
      let rows = RowGroupRows(file: file, group: group, start: start)
      let step = rows.step(batch.changes.rows.schema)
      for from in stride(from: first, to: next, by: step) {
        try await resolve(Array(matches[from..<min(from + step, next)]), rows, partition, &resolution)
      }
      start = end
    }
    // Equals were set apart: back into the file's order.
    resolution.updated.sort { $0.stored < $1.stored }
    resolution.moved.sort { $0.stored < $1.stored }
    resolution.deleted.sort()
    return resolution
  }

  private func resolve(
    _ matches: [TaggedSlice.Match], _ rows: RowGroupRows, _ partition: Int32,
    _ resolution: inout FileResolution
  ) async throws {
    var stored: Column?
    if let ordering = batch.orderingColumn {
      stored = try await rows.column(batch.changes.rows.schema.fields[ordering], of: matches)
    }
    var equals: [TaggedSlice.Match] = []
    let orders = orders(of: stored, to: matches)
    for (index, match) in matches.enumerated() {
      switch orders[index] {
      case 1...: resolution.stale.append(match.incoming)
      case 0 where !batch.changes.isDelete[match.incoming]: equals.append(match)
      default:
        accept(match, partition, &resolution)
        if remembers, batch.changes.isDelete[match.incoming] { try bury(match, stored, index, &resolution) }
      }
    }
    guard !equals.isEmpty else { return }
    let same = Set(try await duplicates(equals, rows).map(\.stored))
    for match in equals {
      if same.contains(match.stored) {
        resolution.duplicates.append(match.incoming)
      } else {
        accept(match, partition, &resolution)
      }
    }
  }

  private func accept(_ match: TaggedSlice.Match, _ partition: Int32, _ resolution: inout FileResolution) {
    if batch.changes.isDelete[match.incoming] {
      resolution.deleted.append(match.stored)
    } else if batch.keys.partitionOf[match.incoming] != partition,
      batch.keys.partitionOf[match.incoming] >= 0
    {
      resolution.deleted.append(match.stored)
      resolution.moved.append(match)
    } else {
      resolution.updated.append(match)
    }
  }

  /// Remembers a deletion with its ordering value, or else that of the stored row.
  private func bury(
    _ match: TaggedSlice.Match, _ stored: Column?, _ index: Int, _ resolution: inout FileResolution
  ) throws(ColumnError) {
    guard let ordering = batch.orderingColumn else { return }
    let key = batch.keys.keys[match.incoming]
    let incoming = batch.changes.rows.columns[ordering]
    if !incoming.isNull(match.incoming) {
      try resolution.burials.append(key, orderedBy: incoming, match.incoming)
    } else if let stored {
      try resolution.burials.append(key, orderedBy: stored, index)
    }
  }

  /// How each stored row compares with the incoming one: positive where it is newer.
  ///
  /// Without an ordering column the incoming row is as new; a deletion without ordering is newer than
  /// anything stored, and so is any row than one stored without ordering.
  private func orders(of stored: Column?, to matches: [TaggedSlice.Match]) -> [Int8] {
    guard let ordering = batch.orderingColumn, let stored else {
      return [Int8](repeating: 0, count: matches.count)
    }
    let incoming = batch.changes.rows.columns[ordering]
    var orders = stored.orders(
      Array(0..<Int32(matches.count)), to: incoming, matches.map { Int32($0.incoming) })
    guard incoming.validity != nil else { return orders }
    for (index, match) in matches.enumerated()
    where batch.changes.isDelete[match.incoming] && incoming.isNull(match.incoming) {
      orders[index] = -1
    }
    return orders
  }

  /// Those of the matches that are equal in every data column that the batch gives.
  private func duplicates(
    _ matches: [TaggedSlice.Match], _ rows: RowGroupRows
  ) async throws -> [TaggedSlice.Match] {
    var same = matches
    let incoming = batch.changes.rows
    for index in batch.given ?? Array(incoming.columns.indices) {
      guard !same.isEmpty else { break }
      let column = incoming.columns[index]
      let stored = try await rows.column(incoming.schema.fields[index], of: same)
      let rows = same.map { Int32($0.incoming) }
      let known = stored ?? Column(nulls: same.count, of: column.type)
      let isSame = known.equalRows(Array(0..<Int32(same.count)), to: column, rows)
      same = isSame.setPositions.map { same[Int($0)] }
    }
    return same
  }
}

/// The stored rows of one row group.
private struct RowGroupRows {
  let file: ParquetFile
  let group: Int
  /// The position in the file of the first of them.
  let start: Int

  /// The most bytes of a column's values that are held at once.
  private static let stepBytes = 16 << 20

  /// How many rows are compared at once, of whose columns one is held at a time.
  func step(_ schema: Schema) -> Int {
    let columns = schema.fields.compactMap { file.schema.index(of: $0.name) }
    return columns.reduce(Int(Int32.max)) {
      min($0, file.usualRows(inGroup: group, columns: [$1], bytes: Self.stepBytes))
    }
  }

  /// The values of a column, in the table's type, in the rows of matches; nil where the file does not have it.
  func column(_ field: Field, of matches: [TaggedSlice.Match]) async throws -> Column? {
    if let reason = file.unreadable[field.name] {
      throw TableError(.unsupported, "\(file.path): column \(field.name) cannot be read yet: \(reason)")
    }
    guard let index = file.schema.index(of: field.name) else { return nil }
    let ordinals = matches.map { $0.stored - start }
    return try await file.readRows(ordinals, inGroup: group, columns: [index]).columns[0]
      .converted(to: field.type)
  }
}
