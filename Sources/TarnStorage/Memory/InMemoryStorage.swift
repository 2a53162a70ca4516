import Synchronization

/// A storage in memory, as exact as the others, for tests and for what need not outlive the process.
public final class InMemoryStorage: Storage, LifeSigns {
  fileprivate struct Object {
    var key: [UInt8]
    var bytes: [UInt8]
    var tag: ObjectTag
    var modified: Int64

    var info: ObjectInfo {
      ObjectInfo(path: String(decoding: key, as: UTF8.self), size: bytes.count, tag: tag, modified: modified)
    }
  }

  fileprivate struct State {
    /// In ascending order of their keys.
    var objects: [Object] = []
    var holders: [[UInt8]: Int] = [:]
    var counter = 0
  }

  private let state = Mutex(State())
  private let pageSize: Int
  private let clock: (@Sendable () -> Int64)?

  /// Makes an empty storage.
  ///
  /// - Parameters:
  ///   - pageSize: Greatest number of objects and folders on one page of a listing.
  ///   - clock: Tells the time of a modification, in microseconds since 1970-01-01T00:00:00Z; without one,
  ///     each write happens a microsecond after the one before, from the beginning of that count.
  public init(pageSize: Int = 10_000, clock: (@Sendable () -> Int64)? = nil) {
    self.pageSize = max(pageSize, 1)
    self.clock = clock
  }

  /// Lists objects in the order of their paths.
  ///
  /// Throws what ``Storage/list(prefix:after:stoppingAtSlash:continuation:)`` does.
  public func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    try StoragePath.checkPrefix(prefix)
    let prefix = Array(prefix.utf8)
    var page = ListingPage(objects: [])
    state.withLock { state in
      var last: [UInt8] = []
      var index = state.position(of: prefix)
      if let after { index = max(index, state.position(of: Array(after.utf8) + [0])) }
      if let continuation {
        index = max(index, state.position(after: Array(continuation.utf8)))
      }
      while index < state.objects.count, state.objects[index].key.starts(with: prefix) {
        guard page.objects.count + page.folders.count < pageSize else {
          page.continuation = String(decoding: last, as: UTF8.self)
          return
        }
        let key = state.objects[index].key
        if stoppingAtSlash, let slash = key[prefix.count...].firstIndex(of: UInt8(ascii: "/")) {
          last = Array(key[...slash])
          page.folders.append(String(decoding: last, as: UTF8.self))
        } else {
          last = key
          page.objects.append(state.objects[index].info)
        }
        index = state.position(after: last)
      }
    }
    return page
  }

  /// Tells an object's size, tag and time.
  ///
  /// Throws what ``Storage/info(of:)`` does.
  public func info(of path: String) async throws(StorageError) -> ObjectInfo {
    try object(path).info
  }

  /// Copies a range of an object into a buffer.
  ///
  /// Throws what ``Storage/read(_:range:into:)`` does.
  public func read(
    _ path: String, range: Range<Int>, into buffer: inout ReadBuffer
  ) async throws(StorageError) {
    let bytes = try object(path).bytes
    try StorageError.check(range, within: bytes.count, path: path)
    buffer.removeAll()
    buffer.append(bytes[range])
  }

  /// Copies a whole object.
  ///
  /// Throws what ``Storage/get(_:limit:)`` does.
  public func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    let object = try object(path)
    try StorageError.check(object.bytes.count, limit: limit, path: path)
    return StoredObject(bytes: object.bytes, tag: object.tag)
  }

  /// Keeps a whole object, under the condition.
  ///
  /// Throws what ``Storage/put(_:at:if:)`` does.
  @discardableResult
  public func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    try StoragePath.check(path)
    let key = Array(path.utf8)
    return try state.withLock { (state: inout State) throws(StorageError) -> ObjectTag in
      let present = state.object(key)
      switch condition {
      case .always: break
      case .ifAbsent where present == nil: break
      case .ifMatches(let tag) where present?.tag == tag: break
      default: throw .unmet(condition, path: path)
      }
      return state.set(key, bytes, clock)
    }
  }

  /// Opens a streaming writer.
  ///
  /// Throws what ``Storage/writer(at:)`` does.
  public func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    try StoragePath.check(path)
    return InMemoryWriter(storage: self, path: path)
  }

  /// Forgets objects.
  ///
  /// - Returns: The errors of paths that cannot name an object.
  public func delete(_ paths: [String]) async -> [StorageError] {
    paths.compactMap { path in
      do throws(StorageError) { try StoragePath.check(path) } catch { return error }
      let key = Array(path.utf8)
      state.withLock { state in
        let index = state.position(of: key)
        if state.object(key) != nil { state.objects.remove(at: index) }
      }
      return nil
    }
  }

  /// The time of the clock that it was given.
  public func currentTime() -> Int64? { clock?() }

  /// As of a disk, so that what is tested here does there what it did.
  public var costs: RequestCosts { .disk }

  /// Gives an object another path.
  ///
  /// Throws what ``Storage/move(_:to:)`` does.
  public func move(_ path: String, to target: String) async throws(StorageError) {
    try StoragePath.check(path)
    try StoragePath.check(target)
    let isMoved = state.withLock { state in
      guard let object = state.object(Array(path.utf8)) else { return false }
      state.objects.remove(at: state.position(of: object.key))
      _ = state.set(Array(target.utf8), object.bytes, clock)
      return true
    }
    guard isMoved else { throw StorageError(.notFound, path: path, "there is no such object") }
  }

  /// Makes an object that its ``LifeSign`` holds.
  ///
  /// Throws what ``LifeSigns/beginSign(_:at:)`` does.
  public func beginSign(_ bytes: [UInt8], at path: String) async throws(StorageError) -> any LifeSign {
    try await put(bytes, at: path, if: .ifAbsent)
    let key = Array(path.utf8)
    let holder = state.withLock { state in
      state.counter += 1
      state.holders[key] = state.counter
      return state.counter
    }
    return InMemoryLifeSign(storage: self, key: key, holder: holder)
  }

  /// Whether an object is there and held.
  ///
  /// Throws what ``LifeSigns/isHeld(_:)`` does.
  public func isHeld(_ path: String) async throws(StorageError) -> Bool {
    try StoragePath.check(path)
    let key = Array(path.utf8)
    return state.withLock { $0.holders[key] != nil && $0.object(key) != nil }
  }

  private func object(_ path: String) throws(StorageError) -> Object {
    try StoragePath.check(path)
    guard let object = state.withLock({ state in state.object(Array(path.utf8)) }) else {
      throw StorageError(.notFound, path: path, "there is no such object")
    }
    return object
  }

  /// A range of an object of a given tag.
  fileprivate func part(
    _ range: Range<Int>, of path: String, tag: ObjectTag?
  ) throws(StorageError) -> ArraySlice<UInt8> {
    let object = try object(path)
    try StorageError.check(object.tag, is: tag, path: path)
    try StorageError.check(range, within: object.bytes.count, path: path)
    return object.bytes[range]
  }

  fileprivate func renew(_ key: [UInt8], of holder: Int) -> Bool {
    state.withLock { state in
      guard state.holders[key] == holder, let object = state.object(key) else { return false }
      _ = state.set(key, object.bytes, clock)
      return true
    }
  }

  /// Lets go of an object.
  fileprivate func release(_ key: [UInt8], of holder: Int, removes: Bool) {
    state.withLock { state in
      guard state.holders[key] == holder else { return }
      state.holders[key] = nil
      if removes, state.object(key) != nil { state.objects.remove(at: state.position(of: key)) }
    }
  }
}

extension InMemoryStorage.State {
  /// Where the first object is whose key is not before this one.
  func position(of key: [UInt8]) -> Int {
    var low = 0
    var high = objects.count
    while low < high {
      let middle = (low + high) / 2
      if objects[middle].key.lexicographicallyPrecedes(key) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Where the first object is that comes after a path, and after all below a folder with its slash.
  ///
  /// No UTF-8 holds the byte 255, and nothing lies between a key and that key with a 0.
  func position(after key: [UInt8]) -> Int {
    position(of: key + [key.last == UInt8(ascii: "/") ? 255 : 0])
  }

  func object(_ key: [UInt8]) -> InMemoryStorage.Object? {
    let index = position(of: key)
    return index < objects.count && objects[index].key == key ? objects[index] : nil
  }

  mutating func set(_ key: [UInt8], _ bytes: [UInt8], _ clock: (@Sendable () -> Int64)?) -> ObjectTag {
    counter += 1
    let tag = ObjectTag(String(counter))
    let object = InMemoryStorage.Object(
      key: key, bytes: bytes, tag: tag, modified: clock?() ?? Int64(counter))
    let index = position(of: key)
    if index < objects.count, objects[index].key == key {
      objects[index] = object
    } else {
      objects.insert(object, at: index)
    }
    return tag
  }
}

/// Gathers the bytes of an object until it is finished.
private final class InMemoryWriter: ObjectWriter {
  private let storage: InMemoryStorage
  private let path: String
  private let bytes = Mutex<[UInt8]?>([])

  init(storage: InMemoryStorage, path: String) {
    self.storage = storage
    self.path = path
  }

  func write(_ more: [UInt8]) async throws(StorageError) {
    let isOpen = bytes.withLock { bytes in
      bytes?.append(contentsOf: more)
      return bytes != nil
    }
    if !isOpen { throw .closed(path) }
  }

  func copy(_ range: Range<Int>, of path: String, tag: ObjectTag?) async throws(StorageError) {
    let part: ArraySlice<UInt8>
    do throws(StorageError) { part = try storage.part(range, of: path, tag: tag) } catch {
      if bytes.withLock({ bytes in bytes.take() }) == nil { throw .closed(self.path) }
      throw error
    }
    try await write(Array(part))
  }

  @discardableResult
  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag {
    guard let all = bytes.withLock({ bytes in bytes.take() }) else { throw .closed(path) }
    return try await storage.put(all, at: path, if: condition)
  }

  func abandon() async { bytes.withLock { bytes in bytes = nil } }
}

/// An object that is held in a storage in memory.
private final class InMemoryLifeSign: LifeSign {
  private let storage: InMemoryStorage
  private let key: [UInt8]
  private let holder: Int

  init(storage: InMemoryStorage, key: [UInt8], holder: Int) {
    self.storage = storage
    self.key = key
    self.holder = holder
  }

  deinit { storage.release(key, of: holder, removes: false) }

  func renew() async throws(StorageError) {
    guard storage.renew(key, of: holder) else {
      throw StorageError(
        .notFound, path: String(decoding: key, as: UTF8.self),
        "this sign of life is gone: another process removed it")
    }
  }

  func end() async { storage.release(key, of: holder, removes: true) }
}
