import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnStorage
import TarnTimeline

/// What a write puts into the table before its commit, and what does no harm where the commit fails.
struct Preparations: Sendable {
  let table: PresentTable
  /// Which names own which columns; nil where the write does not say.
  let owners: ColumnOwners?

  private var state: TableState { table.state }
  private var settings: TableSettings { table.settings }
  private var storage: any Storage { table.reader.storage }

  /// Stores which names own which columns, where the table's properties do not have it yet.
  ///
  /// Whatever a commit then puts into such a column is that name's for every later batch. Where the commit fails, what
  /// is stored does no harm: the name gets its column when it comes again.
  ///
  /// - Throws: ``TableError``: `conflict` where another writer has given a name or column away meanwhile; `mismatch`
  ///   where there are too many.
  func storeOwners() async throws(TableError) {
    guard let owners else { return }
    guard try Self.joined(state.properties, owners) != nil else { return }
    _ = try await tableErrors {
      try await TableProperties.change(in: storage, now: settings.now()) { properties in
        guard let joined = try Self.joined(properties, owners) else { return false }
        properties.set(joined)
        return true
      }
    }
  }

  /// The owners that properties have and those of this write; nil where they have all of them.
  private static func joined(
    _ properties: TableProperties, _ owners: ColumnOwners
  ) throws(TableError) -> ColumnOwners? {
    let known: ColumnOwners
    do { known = try properties.columnOwners() } catch { throw TableError(error) }
    var joined = known
    if let column = joined.formUnion(owners) {
      throw TableError(
        .conflict, "another writer gave the column \(column), or the name that is to own it, away: try again",
        column: column)
    }
    guard joined != known else { return nil }
    guard !joined.isTooLarge else {
      throw TableError(
        .mismatch,
        "the names that are not those of their columns are more than \(ColumnOwners.limit), or take more than "
          + "\(ColumnOwners.byteLimit) bytes: keep what has names without end, such as a map by id, in one attribute"
      )
    }
    return joined
  }

  /// Puts the table's own tombstone files in order, before one more is written.
  func tidyTombstones(of table: WritableTable) async throws(TableError) {
    let order = Housekeeping(
      storage: storage, settings: settings, heads: HeadStore(storage, random: settings.random))
    try await order.tidyTombstones(
      state.timeline, expiry: table.tombstoneExpiry(at: settings.now() / 1_000))
  }
}
