import Synchronization
import TarnStorage
import TarnTimeline

/// A storage that breaks a promise on which commits stand, so that an exploration must find it out.
final class WeakStorage: Storage, LifeSigns {
  /// The promise that is broken.
  enum Weakness: String, Sendable, CaseIterable {
    /// The head is replaced whatever its tag.
    case unconditional
    /// Two writers get one instant.
    case shared
    /// The head's replacement takes effect now and then, and is told to be refused.
    case refusing
    /// The head's replacement takes effect now and then, and is told to have failed.
    case failing
    /// An attempt's inflight file is there though it was removed, and the plan of a rollback that is done is not.
    case blind
    /// Data files are not deleted, and are told to be.
    case hoarding
  }

  private let inner: InMemoryStorage
  private let weakness: Weakness
  private let swaps = Mutex(0)
  private let inflights = Mutex<[String: [UInt8]]>([:])

  init(_ inner: InMemoryStorage, _ weakness: Weakness) {
    self.inner = inner
    self.weakness = weakness
  }

  func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    var page = try await inner.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
    guard weakness == .blind, prefix == TablePaths.folder else { return page }
    let present = Set(page.objects.map(\.path))
    for (path, bytes) in inflights.withLock({ $0 }) where !present.contains(path) && path > after ?? "" {
      page.objects.append(ObjectInfo(path: path, size: bytes.count, tag: ObjectTag("gone"), modified: 0))
    }
    page.objects.sort { $0.path < $1.path }
    return page
  }

  func info(of path: String) async throws(StorageError) -> ObjectInfo {
    if let bytes = remembered(path) {
      return ObjectInfo(path: path, size: bytes.count, tag: ObjectTag("gone"), modified: 0)
    }
    return try await inner.info(of: path)
  }

  func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    if let bytes = remembered(path) { return StoredObject(bytes: bytes, tag: ObjectTag("gone")) }
    if weakness == .blind, path.hasSuffix(".rollback.requested"),
      (try? await inner.info(of: String(path.dropLast(".requested".count)))) != nil
    {
      throw StorageError(.notFound, path: path, "there is no such object")
    }
    return try await inner.get(path, limit: limit)
  }

  private func remembered(_ path: String) -> [UInt8]? {
    weakness == .blind ? inflights.withLock { $0[path] } : nil
  }

  func read(
    _ path: String, range: Range<Int>, into buffer: inout ReadBuffer
  ) async throws(StorageError) { try await inner.read(path, range: range, into: &buffer) }

  func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    if path.hasSuffix(".inflight") { inflights.withLock { $0[path] = bytes } }
    if weakness == .shared, path.hasSuffix(".requested") {
      return try await inner.put(bytes, at: path, if: .always)
    }
    guard path == HeadStore.path else { return try await inner.put(bytes, at: path, if: condition) }
    if weakness == .unconditional { return try await inner.put(bytes, at: path, if: .always) }
    let tag = try await inner.put(bytes, at: path, if: condition)
    let isFirst = swaps.withLock { count in
      count += 1
      return count == 1
    }
    if isFirst, weakness == .refusing {
      throw StorageError(.preconditionFailed, path: path, "another was faster")
    }
    if isFirst, weakness == .failing { throw StorageError(.failed, path: path, "nothing has changed") }
    return tag
  }

  func move(_ path: String, to target: String) async throws(StorageError) {
    try await inner.move(path, to: target)
  }

  func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    try await inner.writer(at: path)
  }

  func delete(_ paths: [String]) async -> [StorageError] {
    if weakness == .hoarding, paths.allSatisfy({ $0.hasSuffix(".parquet") }) { return [] }
    return await inner.delete(paths)
  }

  var costs: RequestCosts { inner.costs }

  func beginSign(_ bytes: [UInt8], at path: String) async throws(StorageError) -> any LifeSign {
    if weakness == .shared { _ = await inner.delete([path]) }
    return try await inner.beginSign(bytes, at: path)
  }

  func isHeld(_ path: String) async throws(StorageError) -> Bool { try await inner.isHeld(path) }
}
