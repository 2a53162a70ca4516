import Synchronization
import TarnStorage

/// A storage in memory that counts what is read of it, and how many reads and writers are under way at once.
public final class CountingStorage: Storage, LifeSigns {
  private struct State {
    var bytes = 0
    var reads = 0
    var underWay = 0
    var mostUnderWay = 0
    var failingRead: Int?
    var writers = 0
    var mostWriters = 0
  }

  private let inner: InMemoryStorage
  private let state = Mutex(State())
  private let yields: Int

  /// Makes an empty storage.
  ///
  /// - Parameters:
  ///   - yields: How often a read steps aside for other tasks, as one over a network would.
  ///   - pageSize: Greatest number of objects and folders on one page of a listing.
  public init(yields: Int = 0, pageSize: Int = 10_000) {
    inner = InMemoryStorage(pageSize: pageSize)
    self.yields = yields
  }

  /// Bytes that were read.
  public var bytesRead: Int { state.withLock { $0.bytes } }
  /// Number of reads.
  public var readCount: Int { state.withLock { $0.reads } }
  /// The most reads that were under way at once.
  public var mostUnderWay: Int { state.withLock { $0.mostUnderWay } }

  /// The most objects that were written at once.
  public var mostWriters: Int { state.withLock { $0.mostWriters } }

  /// Counts from zero again; from then on, the read of a number, the first being 1, fails.
  public func reset(failingRead: Int? = nil) {
    state.withLock { state in
      state = State()
      state.failingRead = failingRead
    }
  }

  /// Reads, and counts.
  public func read(
    _ path: String, range: Range<Int>, into buffer: inout ReadBuffer
  ) async throws(StorageError) {
    try await countRead(of: path)
    try await inner.read(path, range: range, into: &buffer)
    let count = buffer.count
    state.withLock { $0.bytes += count }
  }

  /// Reads, and counts.
  public func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    try await countRead(of: path)
    let object = try await inner.get(path, limit: limit)
    state.withLock { $0.bytes += object.bytes.count }
    return object
  }

  private func countRead(of path: String) async throws(StorageError) {
    let fails = state.withLock { state in
      state.reads += 1
      state.underWay += 1
      state.mostUnderWay = max(state.mostUnderWay, state.underWay)
      return state.reads == state.failingRead
    }
    for _ in 0..<yields { await Task.yield() }
    state.withLock { $0.underWay -= 1 }
    guard !fails else { throw StorageError(.failed, path: path, "made to fail") }
  }

  /// Lists.
  public func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    try await inner.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
  }

  /// Tells what is known of an object.
  public func info(of path: String) async throws(StorageError) -> ObjectInfo {
    try await inner.info(of: path)
  }

  /// Puts.
  @discardableResult
  public func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    try await inner.put(bytes, at: path, if: condition)
  }

  /// Opens a writer, and counts it until it ends.
  public func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    let writer = try await inner.writer(at: path)
    state.withLock { state in
      state.writers += 1
      state.mostWriters = max(state.mostWriters, state.writers)
    }
    return CountedWriter(writer: writer, yields: yields) { [weak self] in
      self?.state.withLock { $0.writers -= 1 }
    }
  }

  /// Deletes.
  public func delete(_ paths: [String]) async -> [StorageError] { await inner.delete(paths) }

  /// What its requests cost.
  public var costs: RequestCosts { inner.costs }

  /// Moves.
  public func move(_ path: String, to target: String) async throws(StorageError) {
    try await inner.move(path, to: target)
  }

  /// Makes a sign of life.
  public func beginSign(_ bytes: [UInt8], at path: String) async throws(StorageError) -> any LifeSign {
    try await inner.beginSign(bytes, at: path)
  }

  /// Whether an object is held.
  public func isHeld(_ path: String) async throws(StorageError) -> Bool { try await inner.isHeld(path) }
}

/// A writer that says when it ends.
private struct CountedWriter: ObjectWriter {
  let writer: any ObjectWriter
  let yields: Int
  let end: @Sendable () -> Void

  func write(_ bytes: [UInt8]) async throws(StorageError) {
    for _ in 0..<yields { await Task.yield() }
    try await writer.write(bytes)
  }

  func copy(_ range: Range<Int>, of path: String, tag: ObjectTag?) async throws(StorageError) {
    for _ in 0..<yields { await Task.yield() }
    try await writer.copy(range, of: path, tag: tag)
  }

  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag {
    end()
    return try await writer.finish(if: condition)
  }

  func abandon() async {
    end()
    await writer.abandon()
  }
}
