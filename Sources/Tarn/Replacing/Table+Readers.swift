import TarnTimeline

extension Table {
  /// Declares that a reader needs the table as of an instant, and all that was written since, until it says otherwise.
  ///
  /// No clean and no archive of Tarn's goes past it from then on; other engines' do not know of it: a savepoint holds files
  /// against these. A reader has one declaration, which the next one replaces. It is kept in the table's head, and gone where
  /// that is lost.
  ///
  /// - Parameters:
  ///   - instant: The earliest instant as of which it will read.
  ///   - reader: The reader's name.
  ///   - duration: How long the declaration holds, by the storage's clock where it has one; nil for until it is released, so
  ///     that a reader which never comes back keeps everything.
  /// - Returns: What was declared.
  /// - Throws: ``TableError``: `mismatch` where no commit of that instant or before is on the timeline, or too many readers
  ///   declared something; `cleaned` where a clean removed what is needed already; `conflict` where other writers are faster
  ///   again and again.
  @discardableResult
  public func retain(
    from instant: Instant, for reader: String, expiringAfter duration: Duration? = nil
  ) async throws(TableError) -> RetainedReader {
    try await retain(.instant(instant), for: reader, duration)
  }

  /// Declares that a reader goes on from a position, as from an instant.
  ///
  /// What was committed behind the position stays on the timeline, and what these commits wrote.
  ///
  /// - Parameters:
  ///   - position: How far the reader has come.
  ///   - reader: The reader's name.
  ///   - duration: How long the declaration holds; nil for until it is released.
  /// - Returns: What was declared.
  /// - Throws: ``TableError``, as for an instant; `positionLost` where the table does not tell what came since.
  @discardableResult
  public func retain(
    from position: TablePosition, for reader: String, expiringAfter duration: Duration? = nil
  ) async throws(TableError) -> RetainedReader {
    try await retain(.position(position), for: reader, duration)
  }

  /// Lets go what a reader declared that it needs.
  ///
  /// - Returns: Whether it had declared anything that held.
  /// - Throws: ``TableError``, `conflict` where other writers are faster again and again.
  @discardableResult
  public func release(_ reader: String) async throws(TableError) -> Bool {
    do { return try await ReaderService(recovery).release(reader) } catch { throw error.of(properties.name) }
  }

  /// The readers that declared what they need, by their names.
  ///
  /// - Throws: ``TableError`` where the table cannot be read.
  public func readers() async throws(TableError) -> [RetainedReader] {
    do { return try await ReaderService(recovery).readers() } catch { throw error.of(properties.name) }
  }

  private func retain(
    _ start: ReaderService.Start, for reader: String, _ duration: Duration?
  ) async throws(TableError) -> RetainedReader {
    do { return try await ReaderService(recovery).retain(start, for: reader, duration) } catch {
      throw error.of(properties.name)
    }
  }
}
