import TarnStorage

/// Reads the files of a timeline of layout 1; attempts write them.
///
/// A commit is requested, then inflight, then completed, each state a new file; the completed file is
/// the commit, and appears whole or not at all.
public struct CommitLog: Sendable {
  /// The table's storage.
  public let storage: any Storage

  /// Makes a log of the table at a storage's root.
  public init(_ storage: any Storage) { self.storage = storage }

  /// Reads what an entry's file holds.
  ///
  /// An inflight file may be empty, and says nothing then.
  ///
  /// - Throws: ``TimelineError``: `damaged`; `unsupported` for actions without commit metadata; `storage`.
  public func metadata(of entry: TimelineEntry) async throws(TimelineError) -> CommitMetadata {
    let bytes = try await content(of: entry)
    do { return try CommitMetadata(parsing: bytes) } catch {
      throw TimelineError(.damaged, path: entry.path, "no commit metadata: \(error.message)", cause: error)
    }
  }

  /// Reads what an entry's file holds, of which what is asked for is parsed.
  ///
  /// - Throws: ``TimelineError``, as ``metadata(of:)``.
  package func document(of entry: TimelineEntry) async throws(TimelineError) -> CommitDocument {
    let bytes = try await content(of: entry)
    do { return try CommitDocument(scanning: bytes) } catch {
      throw TimelineError(.damaged, path: entry.path, "no commit metadata: \(error.message)", cause: error)
    }
  }

  private func content(of entry: TimelineEntry) async throws(TimelineError) -> [UInt8] {
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
    return bytes
  }
}
