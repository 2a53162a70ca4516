import TarnColumns
import TarnFileGroups
import TarnStorage
import TarnTimeline

extension Table {
  /// The instant of a time, cut to the millisecond, for ``snapshot(asOf:)`` and ``changes(since:until:)``.
  ///
  /// Instants are in UTC where the table says so (`hoodie.table.timeline.timezone`), as those that Tarn creates do, and
  /// else in local time, as Hudi's writers have it; see ``TableSettings/localOffset``.
  ///
  /// - Parameter time: In microseconds since 1970-01-01T00:00:00Z.
  public func instant(at time: Int64) -> Instant {
    Instant(microseconds: InstantClock(settings, properties).time(of: time))
  }

  /// The rows of the table as they are now, or as they were at an instant.
  ///
  /// A commit with a smaller instant may still complete, and is part of what is seen as of that instant then.
  ///
  /// - Parameter instant: The last commit to be seen; nil for the latest. A time before the first commit
  ///   gives an empty snapshot.
  /// - Throws: ``TableError`` where the table cannot be read.
  public func snapshot(asOf instant: Instant? = nil) async throws(TableError) -> Snapshot {
    do throws(TableError) {
      if Task.isCancelled { throw TableError(CancellationError()) }
      return try Snapshot(try readable(try await TableState.load(storage)), asOf: instant, snapshotReader)
    } catch { throw error.of(properties.name) }
  }

  /// The rows that commits after an instant wrote, as the last of them left them.
  ///
  /// Where the instant is that of a commit whose position is known, these are the commits that were decided after it: also
  /// one that completed later with a smaller instant. Rows that were deleted since are not among them, and nothing tells
  /// that they were there.
  ///
  /// - Parameters:
  ///   - since: The instant after which commits count; its own commit does not.
  ///   - until: The last commit that counts; nil for the latest.
  /// - Throws: ``TableError`` where the table cannot be read, `unsupported` where it has no meta columns.
  public func changes(since: Instant, until: Instant? = nil) async throws(TableError) -> Snapshot {
    do throws(TableError) {
      let (settled, state) = try await settled()
      let search = ChangeSearch(settled, state.properties, in: storage)
      return try Snapshot(
        state, asOf: until, of: try await search.changes(since: since, through: until), snapshotReader)
    } catch { throw error.of(properties.name) }
  }

  /// The rows that were written since a position, as the last commit that wrote them left them, and with them the position
  /// to go on from (``Snapshot/position``).
  ///
  /// Who goes on from there each time meets every commit, and none twice, in whatever order their instants are.
  /// <doc:FollowingChanges> says what holds for deletions and other engines' commits.
  ///
  /// ```swift
  /// var changes = try await table.changes(since: nil)
  /// while !Task.isCancelled {
  ///   for try await batch in changes { print(batch.count) }
  ///   changes = try await table.changes(since: changes.position)
  /// }
  /// ```
  ///
  /// - Parameter position: Where to go on; nil to begin, with all rows.
  /// - Throws: ``TableError``: `positionLost` where the table cannot be followed from there, so that the follower must begin
  ///   again; `unsupported` where it has no meta columns, or no writer of Tarn's has been there.
  public func changes(since position: TablePosition?) async throws(TableError) -> Snapshot {
    do throws(TableError) {
      let (settled, state) = try await settled()
      let search = ChangeSearch(settled, state.properties, in: storage)
      return try Snapshot(state, of: try await search.changes(since: position), snapshotReader)
    } catch { throw error.of(properties.name) }
  }

  private var snapshotReader: BaseFileReader {
    BaseFileReader(storage, readFooters, warn: settings.warn)
  }

  /// The table of one moment, whose rows tell which commits wrote them.
  private func settled() async throws(TableError) -> (SettledTimeline, TableState) {
    if Task.isCancelled { throw TableError(CancellationError()) }
    let settled: SettledTimeline
    let properties: TableProperties
    do throws(TimelineError) {
      properties = try await TableProperties.load(from: storage)
      settled = try await SettledTimeline.load(from: storage)
    } catch { throw TableError(error) }
    let state = try readable(try await TableState(properties, settled.timeline, nil, storage))
    guard state.properties.populatesMetaFields else {
      throw TableError(
        .unsupported,
        "table \(state.properties.name) has no meta columns, which would tell the rows that a commit wrote")
    }
    return (settled, state)
  }

  private func readable(_ state: TableState) throws(TableError) -> TableState {
    guard state.properties.type == .copyOnWrite else {
      throw TableError(
        .unsupported, "table \(state.properties.name) is merge-on-read: Tarn does not read such tables yet")
    }
    return state
  }
}
