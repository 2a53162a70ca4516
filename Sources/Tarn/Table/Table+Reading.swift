import TarnColumns
import TarnFileGroups
import TarnTimeline

extension Table {
  /// The rows of the table as they are now, or as they were at an instant.
  ///
  /// - Parameter instant: The last commit to be seen; nil for the latest. A time before the first commit
  ///   gives an empty snapshot.
  /// - Throws: ``TableError`` where the table cannot be read.
  public func snapshot(asOf instant: Instant? = nil) async throws(TableError) -> Snapshot {
    do { return try await snapshot(asOf: instant, commits: nil) } catch { throw error.of(properties.name) }
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
    do { return try await snapshot(asOf: until, commits: (since, until)) } catch {
      throw error.of(properties.name)
    }
  }

  private func snapshot(
    asOf instant: Instant?, commits: (after: Instant, through: Instant?)?
  ) async throws(TableError) -> Snapshot {
    if Task.isCancelled { throw TableError(CancellationError()) }
    let state = try await TableState.load(storage)
    guard state.properties.type == .copyOnWrite else {
      throw TableError(
        .unsupported, "table \(state.properties.name) is merge-on-read: Tarn does not read such tables yet")
    }
    guard commits == nil || state.properties.populatesMetaFields else {
      throw TableError(
        .unsupported,
        "table \(state.properties.name) has no meta columns, which would tell the rows that a commit wrote")
    }
    return try Snapshot(
      state, asOf: instant, commits: commits, BaseFileReader(storage, readFooters, warn: settings.warn))
  }
}
