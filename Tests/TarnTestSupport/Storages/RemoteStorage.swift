import TarnStorage

/// A storage as a process sees it that lies elsewhere, as an object store does: it knows nothing of processes, has a clock
/// of its own, and lets a test act before each call.
public struct RemoteStorage: Storage {
  private let inner: InMemoryStorage
  private let tellsTime: Bool
  private let before: @Sendable (String) async throws(StorageError) -> Void

  /// Wraps a storage, which must have a clock.
  ///
  /// - Parameters:
  ///   - tellsTime: Whether its answers tell its time.
  ///   - before: Told of each call before it happens, as its verb and path; may fail it, as for a process that died.
  public init(
    _ inner: InMemoryStorage, tellsTime: Bool = true,
    before: @escaping @Sendable (String) async throws(StorageError) -> Void = { _ in }
  ) {
    self.inner = inner
    self.tellsTime = tellsTime
    self.before = before
  }

  /// The time by the storage's clock.
  public func currentTime() -> Int64? { tellsTime ? inner.currentTime() : nil }

  /// Lists.
  public func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    try await before("list \(prefix)")
    return try await inner.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
  }

  /// Tells what is known of an object.
  public func info(of path: String) async throws(StorageError) -> ObjectInfo {
    try await before("info \(path)")
    return try await inner.info(of: path)
  }

  /// Reads a whole object.
  public func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    try await before("get \(path)")
    return try await inner.get(path, limit: limit)
  }

  /// Reads.
  public func read(
    _ path: String, range: Range<Int>, into buffer: inout ReadBuffer
  ) async throws(StorageError) {
    try await before("read \(path)")
    try await inner.read(path, range: range, into: &buffer)
  }

  /// Puts.
  @discardableResult
  public func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    try await before("put \(path)")
    return try await inner.put(bytes, at: path, if: condition)
  }

  /// Moves.
  public func move(_ path: String, to target: String) async throws(StorageError) {
    try await before("move \(path)")
    try await inner.move(path, to: target)
  }

  /// Opens a writer.
  public func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    try await before("writer \(path)")
    return RemoteWriter(inner: try await inner.writer(at: path), path: path, before: before)
  }

  /// Deletes.
  public func delete(_ paths: [String]) async -> [StorageError] {
    var failures: [StorageError] = []
    for path in paths {
      do throws(StorageError) {
        try await before("delete \(path)")
        failures += await inner.delete([path])
      } catch { failures.append(error) }
    }
    return failures
  }

  /// What its requests cost.
  public var costs: RequestCosts { inner.costs }
}

private struct RemoteWriter: ObjectWriter {
  let inner: any ObjectWriter
  let path: String
  let before: @Sendable (String) async throws(StorageError) -> Void

  func write(_ bytes: [UInt8]) async throws(StorageError) {
    do throws(StorageError) {
      try await before("write \(path)")
      try await inner.write(bytes)
    } catch {
      await inner.abandon()
      throw error
    }
  }

  func copy(_ range: Range<Int>, of source: String, tag: ObjectTag?) async throws(StorageError) {
    do throws(StorageError) {
      try await before("copy \(path)")
      try await inner.copy(range, of: source, tag: tag)
    } catch {
      await inner.abandon()
      throw error
    }
  }

  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag {
    do throws(StorageError) {
      try await before("finish \(path)")
      return try await inner.finish(if: condition)
    } catch {
      await inner.abandon()
      throw error
    }
  }

  func abandon() async { await inner.abandon() }
}
