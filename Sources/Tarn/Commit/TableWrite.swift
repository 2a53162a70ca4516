import TarnBytes
import TarnFileGroups
import TarnTimeline

/// One kind of write: what it does is found out on a state of the table, and found out again on a later one.
protocol TableWrite: Sendable {
  associatedtype Prepared: PreparedWrite

  /// What the commit's metadata calls it.
  var operation: OperationType { get }

  /// Whether rows are written, or file groups replaced, too.
  var action: Action { get }

  /// Whether it can be done again from its beginning.
  var canBeginAgain: Bool { get }

  /// Finds out what is to be written.
  ///
  /// - Parameters:
  ///   - table: The table as it is.
  ///   - previous: What was found out before, of which what still holds is taken over; nil at first.
  func prepare(on table: PresentTable, after previous: Prepared?) async throws(TableError) -> Prepared

  /// Checks that the table can hold what is given, as far as that can be known before all is read.
  func check(on table: PresentTable) async throws(TableError)

  /// What the requested file of an attempt says.
  func request(_ prepared: Prepared) throws(TableError) -> [UInt8]

  /// Writes the files.
  func write(
    _ prepared: Prepared, _ files: CommitFiles, _ settings: TableSettings
  ) async throws -> [WrittenFile]
}

extension TableWrite {
  var action: Action { .commit }

  var canBeginAgain: Bool { true }

  /// What the requested file of an attempt says.
  func request(_ prepared: Prepared) throws(TableError) -> [UInt8] { [] }

  func check(on table: PresentTable) async throws(TableError) { _ = try await prepare(on: table, after: nil) }
}

/// What a write does to one state of a table.
protocol PreparedWrite: Sendable {
  /// What is written, and what that stands on.
  var planned: PlannedWrite { get }
  /// Whether there is something to write.
  var isNeeded: Bool { get }

  /// Whether the files that were written for this are right on a later state, for which the same was found out anew.
  func isUnaffected(by newer: Self) -> Bool

  /// The rows that were counted while files were written.
  func counts(of files: [WrittenFile]) -> RowCounts
}

extension PreparedWrite {
  var isNeeded: Bool { !planned.plan.isEmpty }

  func counts(of files: [WrittenFile]) -> RowCounts { planned.counts }
}

/// What a write was found to do.
struct PlannedWrite: Sendable {
  /// The table, as the write leaves it.
  let table: WritableTable
  /// Which file group takes what.
  let plan: WritePlan
  /// What the stages counted.
  let counts: RowCounts
  /// What it stands on.
  let claim: WriteClaim
  /// The latest slices of the partitions into which it writes, all of them; nil where these are not known, or are not to be
  /// packed.
  var neighbours: [FileSlice]?

  /// Sums up what was found out.
  ///
  /// - Parameters:
  ///   - partitions: Where was looked for keys or rows; nil for everywhere.
  ///   - looksAtDeletions: Whether deletions of keys count that no file group is known to keep.
  init(
    _ table: WritableTable, _ plan: WritePlan = WritePlan(), _ counts: RowCounts = RowCounts(),
    on state: TableState, lookingIn partitions: [String]? = [], looksAtDeletions: Bool = false
  ) {
    self.table = table
    self.plan = plan
    self.counts = counts
    claim = WriteClaim(
      groups: Set(plan.updates.map(\.slice.fileID) + plan.replaced.map(\.fileID)),
      partitions: partitions.map { Set($0.map { ExactText($0) }) },
      buckets: plan.creations.filter { $0.bucket != nil }, looksAtDeletions: looksAtDeletions,
      schema: state.schemaName, changesSchema: table.schema != table.present)
  }
}

extension PlannedWrite {
  /// Checks that no other engine clusters or replaces what is written.
  func check(against replacements: [PendingReplacement]) throws(TableError) {
    guard !replacements.isEmpty else { return }
    var places = WrittenPlaces()
    for slice in plan.updates.map(\.slice) + plan.replaced {
      places.groups.append((slice.fileID, slice.partitionPath))
      places.partitions.append(slice.partitionPath)
    }
    places.partitions += plan.creations.map(\.partitionPath)
    guard let (entry, what) = places.conflict(among: replacements) else { return }
    throw .replacing(entry, what)
  }
}

/// A table as a look at its storage found it, and what works on it.
struct PresentTable: Sendable {
  /// What was found.
  let state: TableState
  /// How this process works.
  let settings: TableSettings
  /// What reads its files.
  let reader: BaseFileReader

  /// Tells that an attempt begins.
  ///
  /// - Parameter number: 1 for the first of its write.
  func announce(_ instant: Instant, of operation: OperationType, number: Int) {
    settings.tell(.attemptBegun(instant: instant, operation: operation.rawValue, number: number))
  }

  /// How often a write looks at a table anew whose commits are archived while it looks.
  static var mostLooks: Int { TableState.mostLooks }

  /// The time by the clocks of the table's zone.
  func instantTime() -> Int64 { InstantClock(settings, state.properties).now() }
}
