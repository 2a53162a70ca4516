import TarnStorage

/// A storage as it lies behind a network: it knows nothing of processes, and its requests are under way at once.
public struct OverlappingStorage: Storage {
  private let inner: any Storage

  /// Wraps a storage.
  public init(_ inner: any Storage) { self.inner = inner }

  /// What its requests cost.
  public var costs: RequestCosts {
    RequestCosts(widestGap: inner.costs.widestGap, requestsAtOnce: 4, overlaps: true)
  }

  /// The time by the storage's clock.
  public func currentTime() -> Int64? { inner.currentTime() }

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

  /// Reads a whole object.
  public func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    try await inner.get(path, limit: limit)
  }

  /// Reads.
  public func read(
    _ path: String, range: Range<Int>, into buffer: inout ReadBuffer
  ) async throws(StorageError) {
    try await inner.read(path, range: range, into: &buffer)
  }

  /// Puts.
  @discardableResult
  public func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    try await inner.put(bytes, at: path, if: condition)
  }

  /// Moves.
  public func move(_ path: String, to target: String) async throws(StorageError) {
    try await inner.move(path, to: target)
  }

  /// Copies, and leaves what was copied to the caller to delete.
  public func place(_ path: String, at target: String) async throws(StorageError) {
    let object = try await inner.get(path, limit: .max)
    do { try await inner.put(object.bytes, at: target, if: .always) } catch { throw error.of(path) }
  }

  /// Opens a writer.
  public func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    try await inner.writer(at: path)
  }

  /// Deletes.
  public func delete(_ paths: [String]) async -> [StorageError] { await inner.delete(paths) }
}
