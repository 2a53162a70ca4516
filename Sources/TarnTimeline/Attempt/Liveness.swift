import Synchronization
import TarnStorage

/// Shows that the writer of an attempt lives, and tells whether others do.
///
/// It is a matter of tidiness and never of safety: an attempt that is rolled back though it lived costs its writer a new
/// try. On a disk the kernel tells exactly; elsewhere a heartbeat is judged by the storage's own clock, as Hudi's are.
///
/// Source: format-logs-and-services 4 (`HoodieHeartbeatClient`).
package struct Liveness: Sendable {
  /// The folder of heartbeats, with its slash.
  package static let folder = TablePaths.heartbeats
  /// How often a sign is renewed; Hudi's writers do so each minute, and take one for dead after two.
  package static let interval = Duration.seconds(30)
  /// The age at which a heartbeat has stopped, in microseconds.
  private static let patience: Int64 = 120 * 1_000_000

  private let storage: any Storage

  /// Goes by what a storage knows.
  package init(_ storage: any Storage) { self.storage = storage }

  /// The path of the sign of an attempt's writer.
  package static func path(of instant: Instant) -> String { folder + instant.text }

  /// Shows that the writer of an attempt lives, before the attempt does anything else.
  ///
  /// - Parameter mark: What the sign holds, by which it is known as Tarn's.
  /// - Returns: The sign; nil where there is one of another's, whose instant it is then.
  /// - Throws: ``TimelineError`` with code `storage`: where no answer came, the sign may be there, and may be this one's.
  package func begin(
    _ instant: Instant, mark: String
  ) async throws(TimelineError) -> (any LifeSign)? {
    try await begin(at: Self.path(of: instant), mark: mark)
  }

  /// Shows that somebody lives.
  ///
  /// - Parameters:
  ///   - path: The sign's path.
  ///   - mark: What the sign holds.
  /// - Returns: The sign; nil where there is one already.
  /// - Throws: ``TimelineError`` with code `storage`.
  package func begin(at path: String, mark: String) async throws(TimelineError) -> (any LifeSign)? {
    do {
      if let signs = storage.lifeSigns { return try await signs.beginSign(Array(mark.utf8), at: path) }
      let tag = try await storage.put(Array(mark.utf8), at: path, if: .ifAbsent)
      return Heartbeat(storage, path, mark, tag)
    } catch {
      if error.code == .preconditionFailed { return nil }
      throw TimelineError(error)
    }
  }

  /// Whether the writer of an attempt is dead.
  ///
  /// - Parameter mark: A random text, for a name of its own.
  /// - Throws: ``TimelineError`` with code `storage`.
  package func isDead(_ instant: Instant, mark: String) async throws(TimelineError) -> Bool {
    try await isDead(at: Self.path(of: instant), mark: mark)
  }

  /// Whether whoever made a sign is dead, or has ended it.
  ///
  /// - Parameters:
  ///   - path: The sign's path.
  ///   - mark: A random text, for a name of its own.
  /// - Throws: ``TimelineError`` with code `storage`.
  package func isDead(at path: String, mark: String) async throws(TimelineError) -> Bool {
    if let signs = storage.lifeSigns {
      do { return try await !signs.isHeld(path) } catch { throw TimelineError(error) }
    }
    return try await !beats(at: path, mark: mark)
  }

  /// Whether the sign of an attempt's writer was renewed lately, as those of Hudi's writers are that have one.
  ///
  /// - Parameter mark: A random text, for a name of its own.
  /// - Throws: ``TimelineError`` with code `storage`.
  package func beats(_ instant: Instant, mark: String) async throws(TimelineError) -> Bool {
    try await beats(at: Self.path(of: instant), mark: mark)
  }

  private func beats(at path: String, mark: String) async throws(TimelineError) -> Bool {
    do throws(StorageError) {
      let beat: ObjectInfo
      do throws(StorageError) { beat = try await storage.info(of: path) } catch {
        guard error.code == .notFound else { throw error }
        return false
      }
      // Whatever the clocks of this machine and that one say, both times are the storage's.
      if let now = storage.currentTime() { return now - beat.modified <= Self.patience }
      let probe = TablePaths.temporaries + "tarn-clock-\(mark)"
      try await storage.put([], at: probe, if: .always)
      let now = try await storage.info(of: probe).modified
      try await storage.delete(probe)
      return now - beat.modified <= Self.patience
    } catch { throw TimelineError(error) }
  }

  /// Whether an attempt has a sign that Tarn's writers made.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package func isOwn(_ instant: Instant) async throws(TimelineError) -> Bool {
    try await storage.readIfPresent(Self.path(of: instant))?.isEmpty == false
  }

  /// Whether a writer of Tarn's made a sign, and died without ending it.
  ///
  /// - Parameter mark: A random text, for a name of its own.
  /// - Throws: ``TimelineError`` with code `storage`.
  package func wasLeft(_ instant: Instant, mark: String) async throws(TimelineError) -> Bool {
    guard try await isOwn(instant), try await isDead(instant, mark: mark) else { return false }
    // Who lives removes its sign before it lets go of it; as who found that the instant was another engine's.
    return try await isOwn(instant)
  }

  /// The instants of all signs.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package func instants() async throws(TimelineError) -> [Instant] {
    do {
      return try await storage.listAll(prefix: Self.folder).objects
        .compactMap { Instant($0.path.dropFirst(Self.folder.count)) }
    } catch { throw TimelineError(error) }
  }

  /// Removes signs that dead writers of Tarn's left and that belong to no attempt: they died before they requested one.
  ///
  /// - Parameters:
  ///   - instants: The instants of signs.
  ///   - timeline: As it was listed behind them.
  ///   - mark: A random text, for a name of its own.
  /// - Throws: ``TimelineError`` with code `storage`.
  package func removeStale(
    _ instants: [Instant], besides timeline: Timeline, mark: String
  ) async throws(TimelineError) {
    let pending = Set(timeline.pending.map(\.instant))
    for instant in instants where !pending.contains(instant) {
      guard try await wasLeft(instant, mark: mark) else { continue }
      try await remove(instant)
    }
  }

  /// Removes the sign of an attempt that is no more.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package func remove(_ instant: Instant) async throws(TimelineError) {
    do { try await storage.delete(Self.path(of: instant)) } catch { throw TimelineError(error) }
  }
}

extension LifeSign {
  /// Renews the sign now and then, until the task is cancelled.
  package func beat(every interval: Duration) async {
    while !Task.isCancelled {
      do { try await Task.sleep(for: interval) } catch { return }
      try? await renew()
    }
  }
}

/// An object whose time of modification shows that its maker lives.
final class Heartbeat: LifeSign {
  private let storage: any Storage
  private let path: String
  private let bytes: [UInt8]
  /// Nil once it has ended.
  private let tag: Mutex<ObjectTag?>

  init(_ storage: any Storage, _ path: String, _ mark: String, _ tag: ObjectTag) {
    self.storage = storage
    self.path = path
    bytes = Array(mark.utf8)
    self.tag = Mutex(tag)
  }

  func renew() async throws(StorageError) {
    guard let present = tag.withLock({ $0 }) else { return }
    let new: ObjectTag
    do throws(StorageError) {
      // One that was removed stays so.
      new = try await storage.put(bytes, at: path, if: .ifMatches(present))
    } catch {
      // A renewal whose answer was lost has another tag; the mark tells whose it is.
      guard let found = try? await storage.get(path, limit: bytes.count), found.bytes == bytes else {
        throw error
      }
      new = found.tag
    }
    tag.withLock { if $0 != nil { $0 = new } }
  }

  func end() async {
    guard let path = ended() else { return }
    _ = await storage.delete([path])
  }

  /// Ends it, and leaves its object to the caller to delete.
  ///
  /// - Returns: The object's path; nil where it had ended.
  func ended() -> String? { tag.withLock { $0.take() } == nil ? nil : path }
}
