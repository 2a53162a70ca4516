import Synchronization
import TarnStorage

/// A storage that notes when each call began and ended.
final class TimedStorage: Storage, LifeSigns {
  /// A call.
  struct Call {
    let path: String
    let changes: Bool
    let begun: ContinuousClock.Instant
    let ended: ContinuousClock.Instant
  }

  private let inner: any Storage & LifeSigns
  private let calls: Mutex<[Call]>

  init(_ inner: any Storage & LifeSigns) {
    self.inner = inner
    calls = Mutex([])
  }

  /// The calls since the last time they were taken.
  func take() -> [Call] {
    calls.withLock { calls in
      defer { calls = [] }
      return calls
    }
  }

  private func timed<Result, Failure: Error>(
    _ path: String, changes: Bool = false, _ body: () async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    let begun = ContinuousClock.now
    defer {
      let call = Call(path: path, changes: changes, begun: begun, ended: .now)
      calls.withLock { $0.append(call) }
    }
    return try await body()
  }

  var costs: RequestCosts { inner.costs }

  func waiting(atMost patience: Duration) -> any Storage { self }

  func keepOpen() -> OpenScope { inner.keepOpen() }

  func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    try await timed(prefix) { () async throws(StorageError) in
      try await inner.list(
        prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
    }
  }

  func info(of path: String) async throws(StorageError) -> ObjectInfo {
    try await timed(path) { () async throws(StorageError) in try await inner.info(of: path) }
  }

  func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    try await timed(path) { () async throws(StorageError) in try await inner.get(path, limit: limit) }
  }

  func read(_ path: String, range: Range<Int>, into buffer: inout ReadBuffer) async throws(StorageError) {
    try await inner.read(path, range: range, into: &buffer)
  }

  @discardableResult
  func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    try await timed(path, changes: true) { () async throws(StorageError) in
      try await inner.put(bytes, at: path, if: condition)
    }
  }

  func move(_ path: String, to target: String) async throws(StorageError) {
    try await timed(path, changes: true) { () async throws(StorageError) in
      try await inner.move(path, to: target)
    }
  }

  func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    try await inner.writer(at: path)
  }

  func delete(_ paths: [String]) async -> [StorageError] {
    let begun = ContinuousClock.now
    let errors = await inner.delete(paths)
    let call = Call(path: paths.first ?? "", changes: true, begun: begun, ended: .now)
    calls.withLock { $0.append(call) }
    return errors
  }

  func removeUnfinished(before time: Int64) async throws(StorageError) {
    try await inner.removeUnfinished(before: time)
  }

  func beginSign(_ bytes: [UInt8], at path: String) async throws(StorageError) -> any LifeSign {
    try await timed(path, changes: true) { () async throws(StorageError) in
      try await inner.beginSign(bytes, at: path)
    }
  }

  func isHeld(_ path: String) async throws(StorageError) -> Bool { try await inner.isHeld(path) }
}

extension [TimedStorage.Call] {
  /// How long calls on the timeline's folder were under way, from the first that changes something there to the last.
  var timelineTime: Duration {
    let timeline = filter { $0.path.hasPrefix(".hoodie/") }
    guard let first = timeline.filter(\.changes).map(\.begun).min() else { return .zero }
    var (total, end) = (Duration.zero, first)
    for call in timeline.sorted(by: { $0.begun < $1.begun }) where call.ended > end {
      let begun = Swift.max(call.begun, end)
      total += begun.duration(to: call.ended)
      end = call.ended
    }
    return total
  }
}
