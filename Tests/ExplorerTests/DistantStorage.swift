import Foundation
import Synchronization
import TarnStorage

/// A storage in memory that is as far away as an object store: each of its requests takes one round of a clock that moves
/// only when nothing else can go on.
///
/// So the rounds of some work are the longest chain of requests each of which waited for the one before.
final class DistantStorage: Storage {
  /// The requests that are under way, and how often all of them were answered.
  private struct State {
    var waiting: [UnsafeContinuation<Void, Never>] = []
    var rounds = 0
    var log: [String] = []
  }

  private let inner: InMemoryStorage
  private let state = Mutex(State())
  /// Whether new versions of files are sent in parts, of which the server copies one.
  private let sendsParts: Bool

  init(_ inner: InMemoryStorage, sendsParts: Bool) {
    self.inner = inner
    self.sendsParts = sendsParts
  }

  /// The rounds so far.
  var rounds: Int { state.withLock { $0.rounds } }
  /// The requests so far, each behind the round in which it was sent.
  var log: [String] { state.withLock { $0.log } }

  /// Answers all requests that are under way; waits a little where none is.
  func answer() {
    let waiting = state.withLock { state in
      defer { state.waiting = [] }
      if !state.waiting.isEmpty { state.rounds += 1 }
      return state.waiting
    }
    if waiting.isEmpty { usleep(20) }
    for continuation in waiting { continuation.resume() }
  }

  fileprivate func request(_ text: String) async {
    await withUnsafeContinuation { continuation in
      state.withLock { state in
        state.log.append("\(state.rounds + 1) \(text)")
        state.waiting.append(continuation)
      }
    }
  }

  func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    await request("list \(prefix)")
    return try await inner.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
  }

  func info(of path: String) async throws(StorageError) -> ObjectInfo {
    await request("info \(path)")
    return try await inner.info(of: path)
  }

  func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    await request("get \(path)")
    return try await inner.get(path, limit: limit)
  }

  func read(
    _ path: String, range: Range<Int>, into buffer: inout ReadBuffer
  ) async throws(StorageError) {
    await request("read \(path)")
    try await inner.read(path, range: range, into: &buffer)
  }

  func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    await request("put \(path)")
    return try await inner.put(bytes, at: path, if: condition)
  }

  func move(_ path: String, to target: String) async throws(StorageError) {
    try await place(path, at: target)
    if let error = await delete([path]).first { throw error }
  }

  func place(_ path: String, at target: String) async throws(StorageError) {
    await request("copy \(target)")
    let object = try await inner.get(path, limit: .max)
    try await inner.put(object.bytes, at: target, if: .always)
  }

  func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    DistantWriter(storage: self, inner: try await inner.writer(at: path), path: path, sendsParts: sendsParts)
  }

  func delete(_ paths: [String]) async -> [StorageError] {
    await request("delete \(paths.joined(separator: ", "))")
    return await inner.delete(paths)
  }

  func removeUnfinished(before time: Int64) async throws(StorageError) { await request("uploads") }

  func currentTime() -> Int64? { inner.currentTime() }

  /// As of S3, but that gaps are as short as its files here.
  var costs: RequestCosts {
    RequestCosts(widestGap: 4 << 10, requestsAtOnce: 64, leastCopy: 5 << 20, overlaps: true)
  }
}

/// Sends what it is given by one request at the end, or in parts as `S3Writer` does.
private actor DistantWriter: ObjectWriter {
  private let storage: DistantStorage
  private let inner: any ObjectWriter
  private let path: String
  private let sendsParts: Bool
  private var part: Task<Void, Never>?
  private var hasEnded = false

  init(storage: DistantStorage, inner: any ObjectWriter, path: String, sendsParts: Bool) {
    self.storage = storage
    self.inner = inner
    self.path = path
    self.sendsParts = sendsParts
  }

  func write(_ bytes: [UInt8]) async throws(StorageError) {
    await begin()
    try await inner.write(bytes)
  }

  func copy(_ range: Range<Int>, of source: String, tag: ObjectTag?) async throws(StorageError) {
    await begin()
    try await inner.copy(range, of: source, tag: tag)
  }

  /// Files are small here, and written whole: of each the beginning stands for what the server copies.
  private func begin() async {
    guard sendsParts, part == nil else { return }
    // What is copied, the listing told of.
    await storage.request("begin \(path)")
    part = Task { [storage, path] in await storage.request("copy part of \(path)") }
  }

  func end() async throws(StorageError) {
    guard let part, !hasEnded else { return }
    hasEnded = true
    async let last: Void = storage.request("put part of \(path)")
    await part.value
    // Some servers copy whatever the condition says.
    await storage.request("info of what was copied to \(path)")
    await last
  }

  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag {
    try await end()
    await storage.request("finish \(path)")
    return try await inner.finish(if: condition)
  }

  func abandon() async { await inner.abandon() }
}
