import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnParquet
import TarnTimeline

/// Decides between stored and incoming rows by their ordering values.
///
/// Of the stored rows it reads the ordering column and, where ordering values are equal, those that break ties and the
/// others, as far as they are equal; only the pages that hold touched rows.
struct RowDecider: Sendable {
  let batch: KeyedBatch
  let kind: UpdateKind
  /// Whether deletions are kept as tombstones.
  let keepsTombstones: Bool
  let reader: BaseFileReader

  /// Decides for the matches of one file.
  ///
  /// - Throws: ``TableError`` where the file cannot be read.
  func decide(_ file: FileMatches) async throws(TableError) -> FileDecision {
    var decision = FileDecision()
    var matches = file.matches
    guard !matches.isEmpty else { return decision }
    if kind.merge != nil {
      // The merge function decides; of a row to delete, the ordering column does.
      for match in matches where !batch.isDelete[match.row] { accept(match, file.partition, &decision) }
      matches = matches.filter { batch.isDelete[$0.row] }
      guard !matches.isEmpty else { return decision }
    }
    do {
      try await decide(matches, try await reader.open(file.slice), file.partition, &decision)
    } catch { throw TableError(error) }
    return decision
  }

  private func decide(
    _ matches: [StoredMatch], _ file: ParquetFile, _ partition: PartitionNumber?,
    _ decision: inout FileDecision
  ) async throws {
    let file = file.keepingDictionaries()
    var start = 0
    var next = 0
    for group in 0..<file.rowGroupCount {
      let end = start + file.rowCount(inGroup: group)
      let first = next
      while next < matches.count, matches[next].place.position < end { next += 1 }
      let rows = RowGroupRows(file: file, group: group, start: start)
      let step = rows.step(batch.rows.schema)
      for from in stride(from: first, to: next, by: step) {
        try await decide(Array(matches[from..<min(from + step, next)]), rows, partition, &decision)
      }
      start = end
    }
    // Matches of equal ordering values were decided last: back into the order of the file.
    decision.replaced.sort { $0.place.position < $1.place.position }
    decision.moved.sort { $0.place.position < $1.place.position }
    decision.deleted.sort()
  }

  private func decide(
    _ matches: [StoredMatch], _ rows: RowGroupRows, _ partition: PartitionNumber?,
    _ decision: inout FileDecision
  ) async throws {
    var equals: [StoredMatch] = []
    var silent: [StoredMatch] = []
    let ordering = batch.orderingValues
    let orders = try await orders(of: rows, to: matches)
    for (index, match) in matches.enumerated() {
      switch orders[index] {
      case 1...: decision.stale.append(match.row)
      case 0 where !batch.isDelete[match.row]: equals.append(match)
      default:
        accept(match, partition, &decision)
        guard keepsTombstones, batch.isDelete[match.row] else { continue }
        if ordering.allSatisfy({ $0.isNull(match.row) }) {
          silent.append(match)
        } else {
          try decision.tombstones.append(
            batch.keys.texts[match.row], orderedBy: ordering, match.row)
        }
      }
    }
    try await keep(silent, rows, &decision)
    guard !equals.isEmpty else { return }
    let same = Set(try await duplicates(equals, rows).map(\.place))
    for match in equals {
      if same.contains(match.place) {
        decision.duplicates.append(match.row)
      } else {
        accept(match, partition, &decision)
      }
    }
  }

  private func accept(_ match: StoredMatch, _ partition: PartitionNumber?, _ decision: inout FileDecision) {
    if batch.isDelete[match.row] {
      decision.deleted.append(match.place.position)
    } else if let own = batch.keys.partitions[match.row], own != partition {
      decision.deleted.append(match.place.position)
      decision.moved.append(match)
    } else {
      decision.replaced.append(match)
    }
  }

  /// Keeps deletions without any ordering value with those of the stored rows.
  private func keep(
    _ matches: [StoredMatch], _ rows: RowGroupRows, _ decision: inout FileDecision
  ) async throws {
    guard !matches.isEmpty, let order = batch.order else { return }
    var stored: [Column] = []
    for position in order.columns {
      stored.append(try await rows.values(of: batch.rows.schema.fields[position], in: matches))
    }
    for (index, match) in matches.enumerated() {
      try decision.tombstones.append(batch.keys.texts[match.row], orderedBy: stored, index)
    }
  }

  /// How each stored row compares with the incoming one: positive where it is newer.
  ///
  /// Without an ordering column the incoming row is as new. Of a deletion, what it does not tell is not compared. Columns
  /// that break ties are read only of rows that are equal in those before.
  private func orders(of rows: RowGroupRows, to matches: [StoredMatch]) async throws -> [Int8] {
    var orders = [Int8](repeating: 0, count: matches.count)
    var open = Array(matches.indices)
    for position in batch.order?.given ?? [] {
      let incoming = batch.rows.columns[position]
      let asked =
        incoming.validity == nil ? open : open.filter { !batch.isSilent(matches[$0].row, in: incoming) }
      if !asked.isEmpty {
        let pairs = asked.count == matches.count ? matches : asked.map { matches[$0] }
        let stored = try await rows.values(of: batch.rows.schema.fields[position], in: pairs)
        let found = stored.orders(
          Array(0..<Int32(pairs.count)), to: incoming, pairs.map { Int32($0.row) })
        for (index, order) in zip(asked, found) { orders[index] = order }
      }
      open.removeAll { orders[$0] != 0 }
      guard !open.isEmpty else { break }
    }
    return orders
  }

  /// Those of the matches that are equal in every data column that the batch gives.
  private func duplicates(
    _ matches: [StoredMatch], _ rows: RowGroupRows
  ) async throws -> [StoredMatch] {
    var same = matches
    let incoming = batch.rows
    for index in batch.given ?? Array(incoming.columns.indices) {
      guard !same.isEmpty else { break }
      let column = incoming.columns[index]
      let known = try await rows.values(of: incoming.schema.fields[index], in: same)
      let isSame = known.equalRows(
        Array(0..<Int32(same.count)), to: column, same.map { Int32($0.row) })
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

  /// The values of a column, in the table's type, in the rows of matches; nulls where the file does not have it.
  func values(of field: Field, in matches: [StoredMatch]) async throws -> Column {
    if let reason = file.unreadable[field.name] {
      throw TableError(
        .unsupported, "\(file.path): column \(field.name) cannot be read yet: \(reason)", path: file.path,
        column: field.name)
    }
    guard let index = file.schema.index(of: field.name) else {
      return Column(nulls: matches.count, of: field.type)
    }
    let ordinals = matches.map { $0.place.position - start }
    return try await file.readRows(ordinals, inGroup: group, columns: [index]).columns[0]
      .converted(to: field.type)
  }
}
