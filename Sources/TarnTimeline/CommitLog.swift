import TarnBytes
import TarnStorage

/// Writes and reads the files of a timeline of layout 1.
///
/// A commit is requested, then inflight, then completed, each state a new file; the completed file is
/// the commit, and appears whole or not at all.
public struct CommitLog: Sendable {
  /// The table's storage.
  public let storage: any Storage

  /// Makes a log of the table at a storage's root.
  public init(_ storage: any Storage) { self.storage = storage }

  /// Begins a commit: writes its requested and its inflight file.
  ///
  /// Whoever makes the requested file owns the instant, and what another writer does at its own is never
  /// touched. Where this fails, neither file stays, but for a requested file of which the storage did not say
  /// that it made it.
  ///
  /// - Parameters:
  ///   - instant: The commit's instant; see ``Instant/after(latest:now:)``.
  ///   - plan: What the inflight file says; set ``CommitMetadata/writer`` to find it again.
  /// - Throws: ``TimelineError``: `conflict` where the instant is taken; `storage`.
  public func begin(_ instant: Instant, plan: CommitMetadata) async throws(TimelineError) {
    try await create(TimelineEntry(instant, .commit, .requested), [])
    let inflight = TimelineEntry(instant, .commit, .inflight)
    do throws(TimelineError) { try await create(inflight, plan.bytes()) } catch {
      if case .conflict = error.code {
        try? await remove(pending: inflight.with(.requested))
      } else {
        try? await remove(pending: inflight)
      }
      throw error
    }
  }

  /// Completes a commit: from here on readers see its files.
  ///
  /// Where the storage fails although the file has appeared, it is put once more, so that success means
  /// that it is there to stay.
  ///
  /// - Returns: The completed entry.
  /// - Throws: ``TimelineError``: `conflict` where the instant is completed already; `storage`.
  @discardableResult
  public func complete(
    _ instant: Instant, _ metadata: CommitMetadata
  ) async throws(TimelineError) -> TimelineEntry {
    let entry = TimelineEntry(instant, .commit, .completed)
    let bytes = metadata.bytes()
    do throws(TimelineError) { try await create(entry, bytes) } catch {
      guard case .storage = error.code, await confirm(entry, bytes) else { throw error }
    }
    return entry
  }

  /// Whether a file that may have appeared is there, and could be put once more.
  private func confirm(_ entry: TimelineEntry, _ bytes: [UInt8]) async -> Bool {
    guard let present = try? await storage.info(of: entry.path) else { return false }
    return (try? await storage.put(bytes, at: entry.path, if: .ifMatches(present.tag))) != nil
  }

  private func create(_ entry: TimelineEntry, _ bytes: [UInt8]) async throws(TimelineError) {
    do { try await storage.put(bytes, at: entry.path, if: .ifAbsent) } catch
      where error.code == .preconditionFailed
    {
      throw TimelineError(
        .conflict, path: entry.path, "another writer has used this instant; read the table again and retry")
    } catch { throw TimelineError(error) }
  }

  /// Reads what an entry's file holds.
  ///
  /// An inflight file may be empty, and says nothing then.
  ///
  /// - Throws: ``TimelineError``: `damaged`; `unsupported` for actions without commit metadata; `storage`.
  public func metadata(of entry: TimelineEntry) async throws(TimelineError) -> CommitMetadata {
    guard entry.action.writesData, entry.state != .requested else {
      throw TimelineError(.unsupported, path: entry.path, "this file holds no commit metadata")
    }
    let bytes: [UInt8]
    do { bytes = try await storage.readAll(entry.path) } catch { throw TimelineError(error) }
    guard !bytes.starts(with: [0x4f, 0x62, 0x6a, 0x01]) else {
      throw TimelineError(
        .unsupported, path: entry.path,
        "it is Avro, as of table version 8 and later, and Tarn reads version 6")
    }
    do { return try CommitMetadata(parsing: bytes) } catch {
      throw TimelineError(.damaged, path: entry.path, "no commit metadata: \(error.message)")
    }
  }

  /// Removes the files of an action that was not completed: inflight first, then requested.
  ///
  /// Delete the data files it wrote before: without its files here they may come to be seen. Of an action that
  /// is only requested, an inflight file that appears meanwhile stays.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  public func remove(pending entry: TimelineEntry) async throws(TimelineError) {
    guard entry.state != .completed else {
      throw TimelineError(.conflict, path: entry.path, "a completed action is not removed")
    }
    if entry.state == .inflight { try await storage.deleteWithChecksum(entry.path) }
    try await storage.deleteWithChecksum(entry.with(.requested).path)
  }
}
