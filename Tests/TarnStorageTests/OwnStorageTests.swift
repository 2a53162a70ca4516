import TarnStorage
import TarnStorageContract
import Testing

/// A storage as somebody outside this package would write it: only public names of two products.
private actor DictionaryStorage: Storage {
  private struct Entry {
    var bytes: [UInt8]
    var tag: ObjectTag
  }

  /// By the bytes of their paths, since texts that Unicode takes for equal are two paths.
  private var entries: [[UInt8]: Entry] = [:]
  private var count: Int64 = 0

  nonisolated let costs = RequestCosts(widestGap: 0, requestsAtOnce: 1)

  func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) throws(StorageError) -> ListingPage {
    try StoragePath.checkPrefix(prefix)
    var page = ListingPage(objects: [])
    let paths = entries.keys.map { String(decoding: $0, as: UTF8.self) }
      .filter { $0.utf8.starts(with: prefix.utf8) }.sorted(by: StoragePath.precedes)
    for path in paths {
      if let after, !StoragePath.precedes(after, path) { continue }
      let rest = path.utf8.dropFirst(prefix.utf8.count)
      if stoppingAtSlash, let slash = rest.firstIndex(of: UInt8(ascii: "/")) {
        let folder = String(path[...slash])
        if page.folders.last != folder { page.folders.append(folder) }
      } else {
        page.objects.append(try info(of: path))
      }
    }
    return page
  }

  func info(of path: String) throws(StorageError) -> ObjectInfo {
    let entry = try entry(path)
    return ObjectInfo(path: path, size: entry.bytes.count, tag: entry.tag, modified: 0)
  }

  func get(_ path: String, limit: Int) throws(StorageError) -> StoredObject {
    let entry = try entry(path)
    guard entry.bytes.count <= limit else {
      throw StorageError(.tooLarge, path: path, "it has \(entry.bytes.count) bytes")
    }
    return StoredObject(bytes: entry.bytes, tag: entry.tag)
  }

  func read(
    _ path: String, range: Range<Int>, into buffer: inout ReadBuffer
  ) throws(StorageError) {
    let part = try part(range, of: path, tag: nil)
    buffer.replace(count: part.count) { room in
      for byte in part { room.append(byte) }
    }
  }

  func put(_ bytes: [UInt8], at path: String, if condition: PutCondition) throws(StorageError) -> ObjectTag {
    try StoragePath.check(path)
    let present = entries[Array(path.utf8)]
    let holds =
      switch condition {
      case .always: true
      case .ifAbsent: present == nil
      case .ifMatches(let tag): present?.tag == tag
      }
    guard holds else { throw StorageError(.preconditionFailed, path: path, "another was faster") }
    count += 1
    let tag = ObjectTag("\(count)")
    entries[Array(path.utf8)] = Entry(bytes: bytes, tag: tag)
    return tag
  }

  func move(_ path: String, to target: String) throws(StorageError) {
    try StoragePath.check(target)
    let bytes = try entry(path).bytes
    entries[Array(path.utf8)] = nil
    _ = try put(bytes, at: target, if: .always)
  }

  func writer(at path: String) throws(StorageError) -> any ObjectWriter {
    try StoragePath.check(path)
    return DictionaryWriter(storage: self, path: path)
  }

  func delete(_ paths: [String]) -> [StorageError] {
    paths.compactMap { path in
      do throws(StorageError) { try StoragePath.check(path) } catch { return error }
      entries[Array(path.utf8)] = nil
      return nil
    }
  }

  fileprivate func part(
    _ range: Range<Int>, of path: String, tag: ObjectTag?
  ) throws(StorageError) -> ArraySlice<UInt8> {
    let entry = try entry(path)
    guard tag == nil || tag == entry.tag else {
      throw StorageError(.changed, path: path, "it is another one")
    }
    guard range.lowerBound >= 0, range.upperBound <= entry.bytes.count else {
      throw StorageError(.outOfRange, path: path, "it has \(entry.bytes.count) bytes")
    }
    return entry.bytes[range]
  }

  private func entry(_ path: String) throws(StorageError) -> Entry {
    try StoragePath.check(path)
    guard let entry = entries[Array(path.utf8)] else {
      throw StorageError(.notFound, path: path, "there is none")
    }
    return entry
  }
}

private actor DictionaryWriter: ObjectWriter {
  private let storage: DictionaryStorage
  private let path: String
  private var bytes: [UInt8]? = []

  init(storage: DictionaryStorage, path: String) {
    self.storage = storage
    self.path = path
  }

  func write(_ more: [UInt8]) throws(StorageError) {
    guard bytes != nil else { throw closed }
    bytes?.append(contentsOf: more)
  }

  func copy(_ range: Range<Int>, of source: String, tag: ObjectTag?) async throws(StorageError) {
    guard bytes != nil else { throw closed }
    do throws(StorageError) {
      bytes?.append(contentsOf: try await storage.part(range, of: source, tag: tag))
    } catch {
      bytes = nil
      throw error
    }
  }

  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag {
    guard let all = bytes.take() else { throw closed }
    return try await storage.put(all, at: path, if: condition)
  }

  func abandon() { bytes = nil }

  private var closed: StorageError { StorageError(.closed, path: path, "it has ended") }
}

@Suite("A storage that is written outside the package")
struct OwnStorageTests {
  @Test func itKeepsTheContract() async {
    let violations = await StorageContract { DictionaryStorage() }.violations()
    #expect(violations.isEmpty, "\(violations)")
  }
}
