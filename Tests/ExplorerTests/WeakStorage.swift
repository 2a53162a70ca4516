import Foundation
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
    /// An attempt's inflight file is there though it was removed.
    case ghostly
    /// Rollbacks are in no listing, and their plans are not there.
    case quiet
    /// A decision that does not stand on the timeline yet has touched nothing, as the head tells it.
    case unaware
    /// What another process decided is not moved, and is told to be.
    case forgetful
    /// A move whose source is gone makes the target all the same.
    case reviving
    /// Data files are not deleted, and are told to be.
    case hoarding

    /// Scenarios in which it shows.
    var scenarios: [String] {
      switch self {
      case .blind: ["suspect"]
      case .ghostly: ["slept"]
      case .quiet: ["undone"]
      case .reviving: ["archive"]
      default: ["rows", "key", "doubt", "suspect"]
      }
    }
  }

  private let inner: InMemoryStorage
  private let weakness: Weakness
  private let swaps = Mutex(0)
  private let inflights = Mutex<[String: [UInt8]]>([:])
  private let contents = Mutex<[String: (actor: Int, bytes: [UInt8])]>([:])

  init(_ inner: InMemoryStorage, _ weakness: Weakness) {
    self.inner = inner
    self.weakness = weakness
  }

  func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    var page = try await inner.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
    if weakness == .quiet { page.objects.removeAll { $0.path.contains(".rollback") } }
    guard seesGhosts, prefix == TablePaths.folder else { return page }
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
    if weakness == .quiet, path.hasSuffix(".rollback.requested") {
      throw StorageError(.notFound, path: path, "there is no such object")
    }
    let object = try await inner.get(path, limit: limit)
    guard weakness == .unaware, path == HeadStore.path else { return object }
    return StoredObject(bytes: await told(object.bytes), tag: object.tag)
  }

  private var seesGhosts: Bool { weakness == .blind || weakness == .ghostly }

  private func remembered(_ path: String) -> [UInt8]? {
    seesGhosts ? inflights.withLock { $0[path] } : nil
  }

  /// A head in which what does not stand on the timeline has touched nothing.
  private func told(_ head: [UInt8]) async -> [UInt8] {
    guard var object = try? JSONSerialization.jsonObject(with: Data(head)) as? [String: Any],
      var recent = object["recent"] as? [[String: Any]]
    else { return head }
    for index in recent.indices {
      guard let instant = (recent[index]["instant"] as? String).flatMap({ Instant($0) }),
        (try? await inner.exists(InstantFiles(instant).completed.path)) == false
      else { continue }
      recent[index]["files"] = [String]()
      recent[index]["deletions"] = false
      recent[index]["schema"] = nil
    }
    object["recent"] = recent
    return (try? JSONSerialization.data(withJSONObject: object)).map { Array($0) } ?? head
  }

  // MARK: - As one process has it

  /// The storage as a process has it.
  func seen(by actor: Int) -> any Storage & LifeSigns { WeakView(storage: self, actor: actor) }

  fileprivate func note(_ bytes: [UInt8], at path: String, by actor: Int) {
    guard path.contains(".content.") else { return }
    contents.withLock { $0[path] = (actor, bytes) }
  }

  fileprivate func move(_ path: String, to target: String, by actor: Int) async throws(StorageError) {
    let content = contents.withLock { $0[path] }
    if weakness == .forgetful, target.hasSuffix(".commit"), let content, content.actor != actor { return }
    do throws(StorageError) { try await inner.move(path, to: target) } catch {
      guard weakness == .reviving, error.code == .notFound, let content else { throw error }
      try await inner.put(content.bytes, at: target, if: .always)
    }
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

/// A weak storage as one process has it.
private struct WeakView: Storage, LifeSigns {
  let storage: WeakStorage
  let actor: Int

  func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    try await storage.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
  }

  func info(of path: String) async throws(StorageError) -> ObjectInfo { try await storage.info(of: path) }

  func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    try await storage.get(path, limit: limit)
  }

  func read(_ path: String, range: Range<Int>, into buffer: inout ReadBuffer) async throws(StorageError) {
    try await storage.read(path, range: range, into: &buffer)
  }

  func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    storage.note(bytes, at: path, by: actor)
    return try await storage.put(bytes, at: path, if: condition)
  }

  func move(_ path: String, to target: String) async throws(StorageError) {
    try await storage.move(path, to: target, by: actor)
  }

  func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    try await storage.writer(at: path)
  }

  func delete(_ paths: [String]) async -> [StorageError] { await storage.delete(paths) }

  var costs: RequestCosts { storage.costs }

  func beginSign(_ bytes: [UInt8], at path: String) async throws(StorageError) -> any LifeSign {
    try await storage.beginSign(bytes, at: path)
  }

  func isHeld(_ path: String) async throws(StorageError) -> Bool { try await storage.isHeld(path) }
}
