import Synchronization
import TarnStorage
import TarnTestSupport

/// A process's way to a storage, on which each call waits until a scheduler lets it go.
final class ScheduledStorage: Storage, LifeSigns {
  private let inner: any Storage & LifeSigns
  fileprivate let scheduler: Scheduler
  fileprivate let actor: Int
  /// Whether every sign of life is taken for a dead process's.
  private let doubtsSigns: Bool
  private let signs: SignBoard

  /// Wraps a storage for an actor.
  init(
    _ inner: any Storage & LifeSigns, _ scheduler: Scheduler, _ actor: Int, _ signs: SignBoard,
    doubtsSigns: Bool
  ) {
    self.inner = inner
    self.scheduler = scheduler
    self.actor = actor
    self.signs = signs
    self.doubtsSigns = doubtsSigns
  }

  func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    try await reading("list", prefix)
    let before = try await inner.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
    guard scheduler.tearsListings else { return before }
    try await reading("list on", prefix)
    let behind = try await inner.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
    return Self.torn(before, behind, seed: scheduler.log.count)
  }

  /// A page that was walked while objects came and went: it has some of those.
  private static func torn(_ before: ListingPage, _ behind: ListingPage, seed: Int) -> ListingPage {
    var random = SeededGenerator(seed: UInt64(seed))
    var page = behind
    let (old, new) = (Set(before.objects.map(\.path)), Set(behind.objects.map(\.path)))
    page.objects.removeAll { !old.contains($0.path) && random.oneIn(2) }
    page.objects += before.objects.filter { !new.contains($0.path) && random.oneIn(2) }
    page.objects.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    let (oldFolders, newFolders) = (Set(before.folders), Set(behind.folders))
    page.folders.removeAll { !oldFolders.contains($0) && random.oneIn(2) }
    page.folders += before.folders.filter { !newFolders.contains($0) && random.oneIn(2) }
    page.folders.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    return page
  }

  func info(of path: String) async throws(StorageError) -> ObjectInfo {
    try await reading("info", path)
    return try await inner.info(of: path)
  }

  func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    try await reading("get", path)
    return try await inner.get(path, limit: limit)
  }

  func read(
    _ path: String, range: Range<Int>, into buffer: inout ReadBuffer
  ) async throws(StorageError) {
    try await reading("read", path)
    try await inner.read(path, range: range, into: &buffer)
  }

  func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    let inner = inner
    return try await changing(
      "put", path, late: { _ = try? await inner.put(bytes, at: path, if: condition) }
    ) { () async throws(StorageError) -> ObjectTag in try await inner.put(bytes, at: path, if: condition) }
  }

  func move(_ path: String, to target: String) async throws(StorageError) {
    let inner = inner
    try await changing("move", path) { () async throws(StorageError) in
      try await inner.move(path, to: target)
    }
  }

  func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    try await reading("writer", path)
    return ScheduledWriter(storage: self, inner: try await inner.writer(at: path), path: path)
  }

  func delete(_ paths: [String]) async -> [StorageError] {
    var failures: [StorageError] = []
    let inner = inner
    for path in paths {
      do throws(StorageError) {
        try await changing("delete", path) { () async throws(StorageError) in
          if let error = await inner.delete([path]).first { throw error }
        }
      } catch { failures.append(error) }
    }
    return failures
  }

  /// Leaves what is placed where it was, where calls overlap: then the caller deletes it.
  func place(_ path: String, at target: String) async throws(StorageError) {
    guard scheduler.overlaps else { return try await move(path, to: target) }
    let inner = inner
    try await changing("place", path) { () async throws(StorageError) in
      let object = try await inner.get(path, limit: .max)
      try await inner.put(object.bytes, at: target, if: .always)
    }
  }

  var costs: RequestCosts {
    RequestCosts(
      widestGap: inner.costs.widestGap, requestsAtOnce: scheduler.overlaps ? 4 : 1,
      overlaps: scheduler.overlaps)
  }

  func beginSign(_ bytes: [UInt8], at path: String) async throws(StorageError) -> any LifeSign {
    let (inner, signs, actor) = (inner, signs, actor)
    let number = try await changing("sign", path) { () async throws(StorageError) -> Int in
      signs.add(try await inner.beginSign(bytes, at: path), of: actor)
    }
    return ScheduledSign(storage: self, signs: signs, number: number, path: path)
  }

  func isHeld(_ path: String) async throws(StorageError) -> Bool {
    try await reading("held", path)
    return try await inner.isHeld(path) && !doubtsSigns
  }

  fileprivate func reading(_ verb: String, _ path: String) async throws(StorageError) {
    switch await scheduler.gate(actor, "\(verb) \(path)") {
    case .goes, .lost, .late: return
    case .diesBehind: _ = await scheduler.die(actor)
    case .ends: break
    }
    throw ended(path)
  }

  fileprivate func changing<Result: Sendable>(
    _ verb: String, _ path: String, late: (@Sendable () async -> Void)? = nil,
    _ body: @Sendable () async throws(StorageError) -> Result
  ) async throws(StorageError) -> Result {
    switch await scheduler.gate(actor, "\(verb) \(path)") {
    case .goes: return try await body()
    case .late(let calls):
      guard let late else { fallthrough }
      scheduler.delay("\(verb) \(path)", calls: calls, late)
    case .lost: _ = try? await body()
    case .diesBehind:
      _ = try? await body()
      _ = await scheduler.die(actor)
      throw ended(path)
    case .ends: throw ended(path)
    }
    throw StorageError(.unknown, path: path, "no answer came")
  }

  private func ended(_ path: String) -> StorageError {
    StorageError(.failed, path: path, "the process is gone")
  }
}

/// The signs of life of all processes, which go with them.
final class SignBoard: Sendable {
  private let signs = Mutex<(count: Int, held: [Int: (actor: Int, sign: any LifeSign)])>((0, [:]))

  func add(_ sign: any LifeSign, of actor: Int) -> Int {
    signs.withLock { signs in
      signs.count += 1
      signs.held[signs.count] = (actor, sign)
      return signs.count
    }
  }

  /// Lets go of a process's signs.
  func release(of actor: Int) {
    signs.withLock { signs in signs.held = signs.held.filter { $0.value.actor != actor } }
  }

  fileprivate func sign(_ number: Int) -> (any LifeSign)? { signs.withLock { $0.held[number]?.sign } }

  fileprivate func take(_ number: Int) -> (any LifeSign)? {
    signs.withLock { $0.held.removeValue(forKey: number)?.sign }
  }
}

private final class ScheduledSign: LifeSign {
  private let storage: ScheduledStorage
  private let signs: SignBoard
  private let number: Int
  private let path: String

  init(storage: ScheduledStorage, signs: SignBoard, number: Int, path: String) {
    self.storage = storage
    self.signs = signs
    self.number = number
    self.path = path
  }

  deinit { _ = signs.take(number) }

  func renew() async throws(StorageError) {
    try await storage.reading("renew", path)
    try await signs.sign(number)?.renew()
  }

  func end() async {
    let (signs, number) = (signs, number)
    try? await storage.changing("end", path) { () async throws(StorageError) in
      await signs.take(number)?.end()
    }
  }
}

private final class ScheduledWriter: ObjectWriter {
  private let storage: ScheduledStorage
  private let inner: any ObjectWriter
  private let path: String

  init(storage: ScheduledStorage, inner: any ObjectWriter, path: String) {
    self.storage = storage
    self.inner = inner
    self.path = path
  }

  func write(_ bytes: [UInt8]) async throws(StorageError) { try await inner.write(bytes) }

  func copy(_ range: Range<Int>, of source: String, tag: ObjectTag?) async throws(StorageError) {
    try await storage.reading("copy", path)
    try await inner.copy(range, of: source, tag: tag)
  }

  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag {
    let inner = inner
    do throws(StorageError) {
      return try await storage.changing("finish", path) { () async throws(StorageError) -> ObjectTag in
        try await inner.finish(if: condition)
      }
    } catch {
      await inner.abandon()
      throw error
    }
  }

  func abandon() async { await inner.abandon() }
}
