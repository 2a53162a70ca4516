import TarnStorage

/// A storage that lets a test act before each call, as another process would.
public struct HookStorage: Storage, LifeSigns {
  private let inner: any Storage
  /// Told of each call before it happens, as its verb and path.
  private let before: @Sendable (String) async -> Void
  /// Told of each put after it took effect; may fail it.
  private let afterPut: @Sendable (String) throws(StorageError) -> Void
  /// Whether deleting a path fails.
  public var failsDelete: @Sendable (String) -> Bool = { _ in false }
  /// Whether moving something to a path fails.
  public var failsMove: @Sendable (String) -> Bool = { _ in false }

  /// Wraps a storage.
  ///
  /// - Parameters:
  ///   - before: Told of each call before it happens, as its verb and path.
  ///   - afterPut: Told of each put after it took effect; may fail it.
  public init(
    inner: any Storage, before: @escaping @Sendable (String) async -> Void,
    afterPut: @escaping @Sendable (String) throws(StorageError) -> Void = { _ in }
  ) {
    self.inner = inner
    self.before = before
    self.afterPut = afterPut
  }

  /// Lists.
  public func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    await before("list \(prefix)")
    return try await inner.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
  }

  /// Tells what is known of an object.
  public func info(of path: String) async throws(StorageError) -> ObjectInfo {
    await before("info \(path)")
    return try await inner.info(of: path)
  }

  /// Reads a whole object.
  public func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    await before("get \(path)")
    return try await inner.get(path, limit: limit)
  }

  /// Reads.
  public func read(
    _ path: String, range: Range<Int>, into buffer: inout ReadBuffer
  ) async throws(StorageError) {
    await before("read \(path)")
    try await inner.read(path, range: range, into: &buffer)
  }

  /// Puts.
  public func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    await before("put \(path)")
    let tag = try await inner.put(bytes, at: path, if: condition)
    try afterPut(path)
    return tag
  }

  /// Opens a writer.
  public func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    await before("writer \(path)")
    return HookWriter(inner: try await inner.writer(at: path), path: path, before: before)
  }

  /// Deletes.
  public func delete(_ paths: [String]) async -> [StorageError] {
    var failures: [StorageError] = []
    for path in paths {
      await before("delete \(path)")
      guard !failsDelete(path) else {
        failures.append(StorageError(.failed, path: path, "it cannot be deleted"))
        continue
      }
      failures += await inner.delete([path])
    }
    return failures
  }

  /// What its requests cost.
  public var costs: RequestCosts { inner.costs }

  /// The time by the storage's clock.
  public func currentTime() -> Int64? { inner.currentTime() }

  /// Removes what was left behind; not told.
  public func removeUnfinished(before time: Int64) async throws(StorageError) {
    try await inner.removeUnfinished(before: time)
  }

  /// Moves.
  public func move(_ path: String, to target: String) async throws(StorageError) {
    await before("move \(path)")
    guard !failsMove(target) else { throw StorageError(.failed, path: path, "it cannot be moved") }
    try await inner.move(path, to: target)
    try afterPut(target)
  }

  /// Makes a sign of life.
  public func beginSign(_ bytes: [UInt8], at path: String) async throws(StorageError) -> any LifeSign {
    await before("sign \(path)")
    return try await inner.heldSign(bytes, at: path)
  }

  /// Whether an object is held.
  public func isHeld(_ path: String) async throws(StorageError) -> Bool {
    await before("held \(path)")
    return try await inner.lifeSigns?.isHeld(path) ?? false
  }
}

private struct HookWriter: ObjectWriter {
  let inner: any ObjectWriter
  let path: String
  let before: @Sendable (String) async -> Void

  func write(_ bytes: [UInt8]) async throws(StorageError) {
    await before("write \(path)")
    try await inner.write(bytes)
  }

  func copy(_ range: Range<Int>, of source: String, tag: ObjectTag?) async throws(StorageError) {
    await before("copy \(path)")
    try await inner.copy(range, of: source, tag: tag)
  }

  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag {
    await before("finish \(path)")
    return try await inner.finish(if: condition)
  }

  func abandon() async { await inner.abandon() }
}
