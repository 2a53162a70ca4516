import TarnStorage

/// Who may commit, and whose attempts are dead.
///
/// Whatever completes or removes an attempt asks here, and assumes neither that a lock is held nor that what it finds
/// under way has no writer any more.
package protocol WriterAuthority: Sendable {
  /// Checks that this writer may still commit.
  ///
  /// - Throws: ``TimelineError``, with a storage's `locked` where another writer may take its attempt for dead.
  func checkMayCommit() async throws(TimelineError)

  /// Whether the writer of an attempt that is under way is dead, so that it is rolled back.
  ///
  /// - Parameters:
  ///   - instant: The attempt's instant.
  ///   - writer: Which of Tarn's writers began it.
  func isDead(_ instant: Instant, writer: String) async throws(TimelineError) -> Bool
}

/// Lets the holder of a table's lock commit: under it no other attempt of Tarn's can be alive.
package struct LockAuthority: WriterAuthority {
  private let lock: any StorageLock

  /// Takes the table's lock, which the caller holds.
  package init(_ lock: any StorageLock) { self.lock = lock }

  package func checkMayCommit() async throws(TimelineError) {
    do { try await lock.check() } catch { throw TimelineError(error) }
  }

  package func isDead(_ instant: Instant, writer: String) async throws(TimelineError) -> Bool { true }
}
