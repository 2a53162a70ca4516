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
  /// Incoming rows that found an older row in another partition than their own, which goes.
  var moved: [Int] = []

  /// Whether the file need not be written anew for its stored rows.
  var isEmpty: Bool { deleted.isEmpty && updated.isEmpty }
}

/// Decides between stored and incoming rows by their ordering values.
struct Resolver: Sendable {
  let storage: any Storage
  let batch: PreparedBatch

  /// Decides for the matches of one file.
  ///
  /// - Parameter partition: The file's partition among the batch's keys; -1 where no row names it.
  func resolve(_ tagged: TaggedSlice, partition: Int32) async throws -> FileResolution {
    var resolution = FileResolution()
    let matches = tagged.matches
    guard !matches.isEmpty else { return resolution }
    let file = try await tagged.open(storage)
    var start = 0
    var next = 0
    for group in 0..<file.rowGroupCount {
      let end = start + file.rowCount(inGroup: group)
      let first = next
      while next < matches.count, matches[next].stored < end { next += 1 }
      if first < next {
        let part = Array(matches[first..<next])
        try await resolve(part, file, group, start, partition, &resolution)
      }
      start = end
    }
    return resolution
  }

  private func resolve(
    _ matches: [TaggedSlice.Match], _ file: ParquetFile, _ group: Int, _ start: Int, _ partition: Int32,
    _ resolution: inout FileResolution
  ) async throws {
    let stored = try await orderingColumn(file, group)
    var equals: [TaggedSlice.Match] = []
    for match in matches {
      switch order(match, stored, start) {
      case 1...: resolution.stale.append(match.incoming)
      case 0 where !batch.changes.isDelete[match.incoming]: equals.append(match)
      default: accept(match, partition, &resolution)
      }
    }
    guard !equals.isEmpty else { return }
    let same = try await duplicates(equals, file, group, start)
    for (match, isSame) in zip(equals, same) {
      if isSame {
        resolution.duplicates.append(match.incoming)
      } else {
        accept(match, partition, &resolution)
      }
    }
    // Equals were set apart: back into the file's order.
    resolution.updated.sort { $0.stored < $1.stored }
    resolution.deleted.sort()
  }

  private func accept(_ match: TaggedSlice.Match, _ partition: Int32, _ resolution: inout FileResolution) {
    if batch.changes.isDelete[match.incoming] {
      resolution.deleted.append(match.stored)
    } else if batch.keys.partitionOf[match.incoming] != partition {
      resolution.deleted.append(match.stored)
      resolution.moved.append(match.incoming)
    } else {
      resolution.updated.append(match)
    }
  }

  /// The ordering column of a row group in the table's type; nil where nothing is ordered.
  private func orderingColumn(_ file: ParquetFile, _ group: Int) async throws -> Column? {
    guard let ordering = batch.orderingColumn else { return nil }
    let field = batch.changes.rows.schema.fields[ordering]
    guard let index = file.schema.index(of: field.name) else { return nil }
    return try await file.readRowGroup(group, columns: [index]).columns[0].converted(to: field.type)
  }

  /// How the stored row compares with the incoming one: positive where it is newer.
  ///
  /// Without an ordering column the incoming row is as new; a deletion without ordering is newer than
  /// anything stored, and so is any row than one stored without ordering.
  private func order(_ match: TaggedSlice.Match, _ stored: Column?, _ start: Int) -> Int {
    guard let ordering = batch.orderingColumn, let stored else { return 0 }
    let incoming = batch.changes.rows.columns[ordering]
    if batch.changes.isDelete[match.incoming], incoming.isNull(match.incoming) { return -1 }
    return stored.compare(match.stored - start, to: incoming, match.incoming)
  }

  /// Which of the matches are equal in every data column.
  private func duplicates(
    _ matches: [TaggedSlice.Match], _ file: ParquetFile, _ group: Int, _ start: Int
  ) async throws -> [Bool] {
    var same = [Bool](repeating: true, count: matches.count)
    let rows = batch.changes.rows
    for (field, incoming) in zip(rows.schema.fields, rows.columns) {
      guard same.contains(true) else { break }
      let stored = try await column(field, of: file, group)
      for (index, match) in matches.enumerated() where same[index] {
        if let stored {
          same[index] = stored.isEqual(match.stored - start, to: incoming, match.incoming)
        } else {
          same[index] = incoming.isNull(match.incoming)
        }
      }
    }
    return same
  }

  /// A column of a row group in the table's type; nil where the file does not have it.
  private func column(_ field: Field, of file: ParquetFile, _ group: Int) async throws -> Column? {
    guard let index = file.schema.index(of: field.name) else { return nil }
    return try await file.readRowGroup(group, columns: [index]).columns[0].converted(to: field.type)
  }
}
