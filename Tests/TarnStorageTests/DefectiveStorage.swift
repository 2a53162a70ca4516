import Synchronization
import TarnStorage

/// A storage in memory that is wrong in one thing.
struct DefectiveStorage: Storage {
  private let defect: Defect?
  private let inner = InMemoryStorage(pageSize: 3)
  private let kept = Kept()

  init(_ defect: Defect?) { self.defect = defect }

  private final class Kept: Sendable {
    let tags = Mutex<[String: ObjectTag]>([:])
    let bytes = Mutex<[String: [UInt8]]>([:])
    let isSettled = Mutex(false)
  }

  private func has(_ other: Defect) -> Bool { defect == other }

  func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    var after = after
    if has(.ignoresTheKeyToBeginAfter) { after = nil }
    if has(.listsFoldersOnly), !prefix.isEmpty, !prefix.hasSuffix("/") {
      return try await list(
        prefix: prefix + "/", after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
    }
    var page = try await inner.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash,
      continuation: has(.repeatsPages) ? continuation.map { String($0.dropLast()) } : continuation)
    if has(.listsFromTheKeyOn), let after, continuation == nil, after.hasPrefix(prefix),
      let info = try? await inner.info(of: after)
    {
      page.objects.insert(info, at: 0)
    }
    if has(.listsInReverse) { page.objects.reverse() }
    if has(.losesWhatFollowsAFolder), !page.folders.isEmpty { page.continuation = nil }
    if has(.listsEachFolderAgain), let folder = page.folders.first { page.folders.append(folder) }
    return page
  }

  func info(of path: String) async throws(StorageError) -> ObjectInfo {
    var info = try await inner.info(of: has(.takesAnyPath) ? valid(path) : path)
    if has(.countsInfoWrong) { info.size += 1 }
    return info
  }

  func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    if has(.readsFolders), !(try await inner.exists(path)),
      !(try await inner.listAll(prefix: path + "/").objects.isEmpty)
    {
      return StoredObject(bytes: [], tag: ObjectTag(""))
    }
    var object = try await inner.get(path, limit: has(.readsWhatIsTooLarge) ? .max : limit)
    if has(.givesTheTagOfBefore) {
      object.tag = kept.tags.withLock { tags in
        defer { tags[path] = object.tag }
        return tags[path] ?? object.tag
      }
    }
    return object
  }

  func read(_ path: String, range: Range<Int>, into buffer: inout ReadBuffer) async throws(StorageError) {
    if has(.readsWhatWasThere), range.count == 1 {
      let seen = kept.bytes.withLock { $0["\(path) \(range)"] }
      if let seen {
        buffer.removeAll()
        return buffer.append(seen[...])
      }
    }
    var range = range
    if has(.clampsRanges) {
      let size = try await inner.info(of: path).size
      range = range.clamped(to: 0..<size)
    }
    let old = buffer.copied()
    try await inner.read(path, range: range, into: &buffer)
    let bytes = buffer.copied()
    kept.bytes.withLock { $0["\(path) \(range)"] = bytes }
    if has(.appendsToTheBuffer) {
      buffer.removeAll()
      buffer.append((old + bytes)[...])
    }
  }

  @discardableResult
  func put(_ bytes: [UInt8], at path: String, if condition: PutCondition) async throws(StorageError)
    -> ObjectTag
  {
    var condition = condition
    if has(.putsNothingWhenCancelled), Task.isCancelled { throw StorageError(.cancelled, path: path, "") }
    switch condition {
    case .ifAbsent where has(.ignoresIfAbsent): condition = .always
    case .ifMatches where has(.ignoresIfMatches): condition = .always
    case .ifMatches where has(.takesMissingForMatching):
      if !(try await inner.exists(path)) { condition = .ifAbsent }
    default: break
    }
    if has(.checksBeforeItPuts), condition == .ifAbsent {
      let isThere = try await inner.exists(path)
      for _ in 0..<20 { await Task.yield() }
      if !isThere { condition = .always }
    }
    do throws(StorageError) {
      let tag = try await inner.put(bytes, at: has(.takesAnyPath) ? valid(path) : path, if: condition)
      return has(.repeatsTags) ? ObjectTag("1") : tag
    } catch {
      guard has(.failsPutsWithAnotherCode), error.code == .preconditionFailed else { throw error }
      throw StorageError(.failed, path: path, "no")
    }
  }

  func move(_ path: String, to target: String) async throws(StorageError) {
    if has(.movesNothingWhenCancelled), Task.isCancelled { throw StorageError(.cancelled, path: path, "") }
    if has(.movesByCopying) {
      let object = try await inner.get(path, limit: .max)
      _ = try await inner.put(object.bytes, at: target, if: .always)
    } else if has(.movesWhatIsGone), !(try await inner.exists(path)), (try? StoragePath.check(path)) != nil {
      try await inner.put([], at: target, if: .always)
    } else if has(.movesBesideWhatIsThere), try await inner.exists(target) {
      try await inner.delete(path)
    } else {
      try await inner.move(path, to: target)
    }
  }

  func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    if has(.showsWritersAtOnce) { try await inner.put([], at: path, if: .always) }
    let tag = try? await inner.info(of: path).tag
    return DefectiveWriter(try await inner.writer(at: path), inner, path, defect, tag)
  }

  func delete(_ paths: [String]) async -> [StorageError] {
    if has(.stopsDeletingAtAnError) {
      for path in paths {
        let errors = await inner.delete([path])
        if !errors.isEmpty { return errors }
      }
      return []
    }
    if has(.deletesThousandsOnly) { return await inner.delete(Array(paths.prefix(100))) }
    var failures: [StorageError] = []
    for path in paths {
      if has(.failsToDeleteTheMissing), let error = await absence(of: path) { failures.append(error) }
      if has(.deletesWhatIsBelow), let below = try? await inner.listAll(prefix: path + "/").objects {
        failures += await inner.delete(below.map(\.path))
      }
      failures += await inner.delete([path])
    }
    return has(.namesNoPath) ? failures.map { StorageError($0.code, path: "", $0.message) } : failures
  }

  private func absence(of path: String) async -> StorageError? {
    do throws(StorageError) { _ = try await inner.info(of: path) } catch { return error }
    return nil
  }

  var costs: RequestCosts { .disk }

  func settle() async throws(StorageError) {
    guard has(.settlesOnce) else { return }
    let isSecond = kept.isSettled.withLock { isSettled in
      defer { isSettled = true }
      return isSettled
    }
    if isSecond { throw StorageError(.failed, path: "", "it is settled") }
  }

  func waiting(atMost patience: Duration) -> any Storage {
    has(.losesItsCosts) ? HastyStorage(inner: self) : self
  }

  func removeUnfinished(before time: Int64) async throws(StorageError) {
    guard has(.removesObjects), time == .max else { return }
    try await inner.deleteAll(try await inner.listAll(prefix: "").objects.map(\.path))
  }

  /// A path that can be one, for any.
  private func valid(_ path: String) -> String { (try? StoragePath.check(path)) == nil ? "valid" : path }
}

/// A storage with other costs than the one that it wraps.
private struct HastyStorage: Storage {
  let inner: DefectiveStorage

  var costs: RequestCosts { .objectStore }

  func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    try await inner.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
  }

  func info(of path: String) async throws(StorageError) -> ObjectInfo { try await inner.info(of: path) }

  func move(_ path: String, to target: String) async throws(StorageError) {
    try await inner.move(path, to: target)
  }

  func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    try await inner.get(path, limit: limit)
  }

  func read(_ path: String, range: Range<Int>, into buffer: inout ReadBuffer) async throws(StorageError) {
    try await inner.read(path, range: range, into: &buffer)
  }

  func put(_ bytes: [UInt8], at path: String, if condition: PutCondition) async throws(StorageError)
    -> ObjectTag
  {
    try await inner.put(bytes, at: path, if: condition)
  }

  func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    try await inner.writer(at: path)
  }

  func delete(_ paths: [String]) async -> [StorageError] { await inner.delete(paths) }
}

/// A writer of a storage that is wrong in one thing.
private final class DefectiveWriter: ObjectWriter {
  private let inner: any ObjectWriter
  private let storage: InMemoryStorage
  private let path: String
  private let defect: Defect?
  private let tagAtTheBegin: ObjectTag?
  private let bytes = Mutex<[UInt8]>([])
  private let isOpen = Mutex(true)

  init(
    _ inner: any ObjectWriter, _ storage: InMemoryStorage, _ path: String, _ defect: Defect?,
    _ tag: ObjectTag?
  ) {
    self.inner = inner
    self.storage = storage
    self.path = path
    self.defect = defect
    tagAtTheBegin = tag
  }

  func write(_ more: [UInt8]) async throws(StorageError) {
    if defect == .staysOpenAfterAnError || defect == .finishesWhatIsAbandoned || defect == .staysOpenAtTheEnd
    {
      return bytes.withLock { $0 += more }
    }
    try await inner.write(more)
  }

  func copy(_ range: Range<Int>, of source: String, tag: ObjectTag?) async throws(StorageError) {
    var range = range
    if defect == .copiesWhatThereIs {
      let size = try await storage.info(of: source).size
      range = range.clamped(to: 0..<size)
    }
    let tag = defect == .copiesAnyTag ? nil : tag
    if defect == .staysOpenAfterAnError {
      let part = try await storage.read(source, range: range)
      return bytes.withLock { $0 += part }
    }
    try await inner.copy(range, of: source, tag: tag)
  }

  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag {
    switch defect {
    case .finishesOnAnyCondition: return try await inner.finish(if: .always)
    case .checksWhenItOpens:
      let holds =
        switch condition {
        case .always: true
        case .ifAbsent: tagAtTheBegin == nil
        case .ifMatches(let tag): tagAtTheBegin == tag
        }
      return try await inner.finish(if: holds ? .always : condition)
    case .staysOpenAfterAnError, .finishesWhatIsAbandoned, .staysOpenAtTheEnd:
      let isFirst = isOpen.withLock { isOpen in
        defer { isOpen = defect == .staysOpenAtTheEnd }
        return isOpen
      }
      guard isFirst else { throw StorageError(.closed, path: path, "closed") }
      return try await storage.put(bytes.withLock { $0 }, at: path, if: condition)
    default: return try await inner.finish(if: condition)
    }
  }

  func abandon() async {
    if defect == .finishesWhatIsAbandoned { _ = try? await finish(if: .always) }
    await inner.abandon()
  }
}
