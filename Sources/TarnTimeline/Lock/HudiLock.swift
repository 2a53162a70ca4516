import Synchronization
import TarnStorage

/// Hudi's storage-based lock, held: for the engines that know no head.
///
/// Among Tarn's writers nothing depends on it. Its lease is a clock, so that it is no more than other engines give each
/// other: whoever holds it sends nothing that decides when too little of it is left, and one that another took is lost.
///
/// Source: format-logs-and-services 10.3 (`StorageBasedLockProvider`).
package final class HudiLock: Sendable {
  private struct State {
    /// The tag of what was written last.
    var tag: ObjectTag
    var file: HudiLockFile
    /// When what was written last ends, by a clock that nobody sets.
    var end: ContinuousClock.Instant
    /// Whether another took it.
    var isLost = false
  }

  private let locking: HudiLocking
  private let state: Mutex<State>

  fileprivate init(
    _ locking: HudiLocking, _ file: HudiLockFile, _ tag: ObjectTag, since start: ContinuousClock.Instant
  ) {
    self.locking = locking
    state = Mutex(State(tag: tag, file: file, end: start + locking.terms.validity))
  }

  /// Checks that it is held for long enough for one call.
  ///
  /// - Throws: ``StorageError`` with code `locked`: the call must not be sent.
  package func check() throws(StorageError) {
    let now = locking.now()
    let margin = locking.terms.margin
    let isGood = state.withLock { state in
      !state.isLost && now / 1_000 <= state.file.end - HudiLocking.milliseconds(margin)
        && ContinuousClock.now <= state.end - margin
    }
    guard !isGood else { return }
    throw StorageError(
      .locked, path: HudiLockFile.path,
      "Hudi's lock was lost, or too little of its time is left, before this was decided: try again")
  }

  /// Renews it now and then, until the task is cancelled.
  fileprivate func renew() async {
    while !Task.isCancelled {
      do { try await Task.sleep(for: locking.terms.interval) } catch { return }
      // To its end, also where the task is cancelled: by the tag of what was written last it is let go.
      await Task { await self.renewOnce() }.value
    }
  }

  private func renewOnce() async {
    let (tag, file, isLost) = state.withLock { ($0.tag, $0.file, $0.isLost) }
    guard !isLost else { return }
    let start = ContinuousClock.now
    let next = HudiLockFile(end: locking.end(), owner: file.owner)
    let new: ObjectTag?
    do throws(StorageError) {
      new = try await locking.storage.put(next.bytes, at: HudiLockFile.path, if: .ifMatches(tag))
    } catch {
      // What a storage refuses may be a put of one's own whose answer was lost.
      guard let found = try? await locking.storage.get(HudiLockFile.path, limit: HudiLocking.limit) else {
        return
      }
      guard let present = HudiLockFile(parsing: found.bytes), present.owner == file.owner, !present.isReleased
      else {
        state.withLock { $0.isLost = true }
        return
      }
      guard present == next else {
        // It did not arrive, or not yet; the next one goes on what is there.
        state.withLock { $0.tag = found.tag }
        return
      }
      new = found.tag
    }
    guard let new else { return }
    state.withLock { state in
      state.tag = new
      state.file = next
      state.end = start + locking.terms.validity
    }
  }

  /// Lets it go; where that fails, it ends by itself.
  fileprivate func release() async {
    let (tag, file, isLost) = state.withLock { ($0.tag, $0.file, $0.isLost) }
    guard !isLost else { return }
    if await put(released: file, on: tag) { return }
    // A renewal without an answer may have arrived.
    guard let found = try? await locking.storage.get(HudiLockFile.path, limit: HudiLocking.limit),
      let present = HudiLockFile(parsing: found.bytes), present.owner == file.owner, !present.isReleased
    else { return }
    _ = await put(released: present, on: found.tag)
  }

  private func put(released file: HudiLockFile, on tag: ObjectTag) async -> Bool {
    var released = file
    released.isReleased = true
    return (try? await locking.storage.put(released.bytes, at: HudiLockFile.path, if: .ifMatches(tag))) != nil
  }
}

/// How Hudi's storage-based lock is taken.
package struct HudiLocking: Sendable {
  /// How long a lock lasts.
  package struct Terms: Sendable {
    /// How long it is valid without being renewed.
    package var validity = Duration.seconds(300)
    /// How often it is renewed.
    package var interval = Duration.seconds(30)

    /// Hudi's own.
    package init() {}

    /// How much of it must be left where something is sent that decides: what one call may take.
    var margin: Duration { validity / 5 }
  }

  /// The most bytes that its file is believed to have.
  static let limit = 1 << 20

  let storage: any Storage
  let terms: Terms
  /// How long it is waited for.
  private let patience: Duration
  let now: @Sendable () -> Int64
  private let random: @Sendable () -> UInt64

  /// Says how it is taken.
  ///
  /// - Parameters:
  ///   - patience: How long it is waited for.
  ///   - now: The time in microseconds since 1970, by the storage's clock where it has one.
  package init(
    _ storage: any Storage, _ terms: Terms, patience: Duration, now: @escaping @Sendable () -> Int64,
    random: @escaping @Sendable () -> UInt64
  ) {
    self.storage = storage
    self.terms = terms
    self.patience = patience
    self.now = now
    self.random = random
  }

  /// Does something while it is held.
  ///
  /// - Throws: ``TimelineError``: `locked` where another holds it for longer than is waited; `storage`. Nothing was done.
  package func holding<Result: Sendable>(
    _ body: @Sendable (HudiLock) async -> Result
  ) async throws(TimelineError) -> Result {
    let lock = try await take()
    let renewal = Task { await lock.renew() }
    let result = await body(lock)
    renewal.cancel()
    // One that is under way changes the tag on which the lock is let go.
    await renewal.value
    await lock.release()
    return result
  }

  /// Waits until it is free, and takes it.
  private func take() async throws(TimelineError) -> HudiLock {
    let begun = ContinuousClock.now
    var pause = Duration.milliseconds(20)
    var holder: HudiLockFile?
    var failure: StorageError?
    while true {
      do throws(StorageError) {
        let (lock, found) = try await tryOnce()
        if let lock { return lock }
        holder = found ?? holder
        failure = nil
      } catch {
        switch error.code {
        case .unknown, .throttled, .failed: failure = error
        default: throw TimelineError(error)
        }
      }
      guard begun.duration(to: .now) < patience else { break }
      do { try await Task.sleep(for: pause) } catch { throw TimelineError.cancelled }
      pause = min(pause * 2, .seconds(1))
    }
    if let failure { throw TimelineError(failure) }
    let who = holder.map {
      "writer \($0.owner) holds it until \(Instant(microseconds: saturated($0.end))) UTC"
    }
    throw TimelineError(
      .locked, path: HudiLockFile.path,
      "\(who ?? "its file says nothing that Hudi's writers do"), and \(patience) were waited for it: nothing was written; "
        + "let that writer finish, and try again")
  }

  private func saturated(_ milliseconds: Int64) -> Int64 {
    let (time, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000)
    return overflow ? Int64.max : time
  }

  /// Takes it where it is free.
  ///
  /// - Returns: The lock; or who holds it, as far as that is known.
  private func tryOnce() async throws(StorageError) -> (HudiLock?, HudiLockFile?) {
    let condition: PutCondition
    do throws(StorageError) {
      let present = try await storage.get(HudiLockFile.path, limit: Self.limit)
      guard let file = HudiLockFile(parsing: present.bytes) else { return (nil, nil) }
      guard !file.isHeld(at: now()) else { return (nil, file) }
      condition = .ifMatches(present.tag)
    } catch {
      guard error.code == .notFound else { throw error }
      condition = .ifAbsent
    }
    // Each time anew, so that what is found tells whether it is one's own.
    let own = HudiLockFile(end: end(), owner: newOwner())
    let start = ContinuousClock.now
    do throws(StorageError) {
      let tag = try await storage.put(own.bytes, at: HudiLockFile.path, if: condition)
      return (HudiLock(self, own, tag, since: start), nil)
    } catch {
      let failure = error
      let found: StoredObject
      do throws(StorageError) { found = try await storage.get(HudiLockFile.path, limit: Self.limit) } catch {
        // It went meanwhile: what became of the put is what counts, and another try.
        throw error.code == .notFound
          ? StorageError(.failed, path: HudiLockFile.path, failure.message, cause: failure.cause) : error
      }
      let file = HudiLockFile(parsing: found.bytes)
      guard file == own else { return (nil, file) }
      return (HudiLock(self, own, found.tag, since: start), nil)
    }
  }

  /// When a lock ends that is taken or renewed now, in milliseconds since 1970.
  func end() -> Int64 { now() / 1_000 + Self.milliseconds(terms.validity) }

  static func milliseconds(_ duration: Duration) -> Int64 {
    duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
  }

  /// A UUID of version 4.
  private func newOwner() -> String {
    func digits(_ value: UInt64, _ count: Int) -> String {
      let text = String(value, radix: 16)
      return String((String(repeating: "0", count: 16) + text).suffix(count))
    }
    let (high, low) = (random(), random())
    return digits(high >> 32, 8) + "-" + digits(high >> 16, 4) + "-4" + digits(high, 3) + "-"
      + digits(low >> 48 & 0x3fff | 0x8000, 4) + "-" + digits(low, 12)
  }
}
