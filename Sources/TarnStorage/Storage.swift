import TarnBytes

/// A place that keeps whole, immutable-by-convention objects under slash-separated paths.
///
/// The protocol is small on purpose: each verb is one more thing that every implementation, fake and
/// fault injector must get right. Each doc comment below is a contract, and one test suite checks it
/// on every implementation.
///
/// Paths are relative to the storage's root: segments joined by `/`, none of them empty, `.` or `..`, and
/// no NUL character; anything else throws ``StorageError/Code/invalidPath``. Paths are equal where their
/// UTF-8 bytes are. A folder is no object: it has no info, cannot be read, and deleting it does nothing.
public protocol Storage: Sendable {
  /// Lists objects whose path begins with `prefix`, in ascending order of their UTF-8 bytes.
  ///
  /// The prefix is plain text, not a folder: `"a/b"` lists `a/b`, `a/bc` and `a/b/c`.
  /// With `stoppingAtSlash`, what lies below the next `/` after the prefix is not walked: it is
  /// reported once in ``ListingPage/folders``, with its trailing slash. An object store reports only
  /// folders that hold something; a file system may report an empty one.
  ///
  /// Without `stoppingAtSlash`, a file system's symbolic links to folders are not walked, but reported there too: a
  /// listing never leads a deletion out of the storage. Naming one in the prefix walks it.
  ///
  /// - Parameters:
  ///   - prefix: Begin of the paths to list; empty for all.
  ///   - stoppingAtSlash: Whether to stop at the next `/` after the prefix.
  ///   - continuation: ``ListingPage/continuation`` of the page before, or nil for the first.
  /// - Returns: One page; objects and folders together are in order across pages. A prefix under which there is nothing gives an empty page, not an error.
  /// - Throws: ``StorageError`` where the storage cannot be read.
  func list(
    prefix: String, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage

  /// Tells an object's size, tag and modification time.
  ///
  /// - Throws: ``StorageError`` with code `notFound` where there is no such object.
  func info(of path: String) async throws(StorageError) -> ObjectInfo

  /// Reads a range of an object into a buffer that the caller reuses, replacing what it held.
  ///
  /// - Throws: ``StorageError``: `notFound`, or `outOfRange` where the range does not lie within the object.
  func read(
    _ path: String, range: Range<Int>, into buffer: inout ByteBuffer
  ) async throws(StorageError)

  /// Reads a whole object that is expected to be small, as it is at one moment, also where it is replaced meanwhile.
  ///
  /// - Throws: ``StorageError``: `notFound`; `tooLarge` beyond `limit` bytes; `changed` where no such moment was met.
  func readAll(_ path: String, limit: Int) async throws(StorageError) -> [UInt8]

  /// Writes a whole object. It appears whole or not at all, and is durable when this returns.
  ///
  /// - Returns: The tag of what was written.
  /// - Throws: ``StorageError``: `preconditionFailed` if and only if the condition does not hold.
  @discardableResult
  func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag

  /// Opens a streaming writer; nothing appears at `path` before ``ObjectWriter/finish()``.
  func writer(at path: String) async throws(StorageError) -> any ObjectWriter

  /// Deletes an object. Deleting what is not there succeeds.
  func delete(_ path: String) async throws(StorageError)

  /// Takes the advisory lock named by `path`, waiting for at most `patience`.
  ///
  /// The lock excludes every other holder that reaches the same storage, in this process or another,
  /// and is free again when it is released, when its ``StorageLock`` goes, or when its holder's process ends,
  /// however it ends. An empty object may appear at `path` and stay.
  ///
  /// - Throws: ``StorageError`` with code `locked` where another holder kept it for that long.
  func lock(_ path: String, patience: Duration) async throws(StorageError) -> any StorageLock

  /// The same storage, for writes that need not be durable one by one.
  ///
  /// What is written through the batch appears as ever, but is certain to be durable only once ``settle()`` has
  /// returned; until then a power failure may lose it, or tear what a writer finished. Deletions are durable as ever.
  /// A storage to which that makes no difference is its own batch, as by default.
  func batch() -> any Storage

  /// Makes durable all that was written through this batch; by default there is nothing to do.
  ///
  /// - Throws: ``StorageError``; nothing that was written through the batch is certain to be durable then.
  func settle() async throws(StorageError)
}

/// A streaming writer of one object.
///
/// A writer that goes without having finished abandons what it wrote. After an error of any of its calls it is
/// closed: all but ``abandon()`` fail, and nothing appears.
public protocol ObjectWriter: Sendable {
  /// Appends bytes.
  func write(_ bytes: [UInt8]) async throws(StorageError)

  /// Appends a range of an object of the same storage, without a way through this process where the storage
  /// can do that.
  ///
  /// - Throws: ``StorageError``: `notFound`, or `outOfRange` where the range does not lie within the object;
  ///   `failed` for a writer that belongs to no storage.
  func copy(_ range: Range<Int>, of path: String) async throws(StorageError)

  /// Makes the object appear, whole and durable, replacing one that was there.
  @discardableResult
  func finish() async throws(StorageError) -> ObjectTag

  /// Gives up: nothing appears, and what was written is removed. Harmless after ``finish()``.
  func abandon() async
}

extension ObjectWriter {
  /// Refuses: this writer belongs to no storage that has objects.
  public func copy(_ range: Range<Int>, of path: String) async throws(StorageError) {
    throw StorageError(.failed, path: path, "this writer belongs to no storage, and cannot copy from one")
  }
}

/// A lock that is held until it is released or goes.
public protocol StorageLock: Sendable {
  /// Checks that this lock still excludes every other holder, as it does unless somebody removed it by force.
  ///
  /// - Throws: ``StorageError``: `locked` where another may hold it by now; what the storage reports where it
  ///   cannot tell.
  func check() async throws(StorageError)

  /// Lets go of the lock. Releasing twice is harmless.
  func release() async
}

/// When a ``Storage/put(_:at:if:)`` may go ahead.
public enum PutCondition: Sendable, Hashable {
  /// Always, replacing what is there.
  case always
  /// Only where no object is at the path; exact even with several writers.
  case ifAbsent
  /// Only where the object at the path still has this tag.
  case ifMatches(ObjectTag)
}

/// Names one version of an object's content; equal tags mean equal content.
public struct ObjectTag: Sendable, Hashable {
  /// The storage's own text, opaque to callers.
  public let text: String

  /// Wraps a storage's own text.
  public init(_ text: String) { self.text = text }
}

/// What a storage knows of an object without reading it.
public struct ObjectInfo: Sendable, Hashable {
  /// Path relative to the storage's root.
  public var path: String
  /// Size in bytes.
  public var size: Int
  /// Tag of the present content.
  public var tag: ObjectTag
  /// Time of the last modification, in microseconds since 1970-01-01T00:00:00Z.
  public var modified: Int64

  /// Makes an info of its parts.
  public init(path: String, size: Int, tag: ObjectTag, modified: Int64) {
    self.path = path
    self.size = size
    self.tag = tag
    self.modified = modified
  }
}

/// One page of a listing.
public struct ListingPage: Sendable {
  /// Objects in ascending order of their paths.
  public var objects: [ObjectInfo]
  /// Folders at which the listing stopped, each with its trailing slash, in ascending order.
  public var folders: [String]
  /// What to pass for the next page; nil on the last one.
  public var continuation: String?

  /// Makes a page of its parts.
  public init(objects: [ObjectInfo], folders: [String] = [], continuation: String? = nil) {
    self.objects = objects
    self.folders = folders
    self.continuation = continuation
  }
}

extension Storage {
  /// Lists all pages; see ``list(prefix:stoppingAtSlash:continuation:)``.
  public func listAll(
    prefix: String, stoppingAtSlash: Bool = false
  ) async throws(StorageError) -> ListingPage {
    var all = try await list(prefix: prefix, stoppingAtSlash: stoppingAtSlash, continuation: nil)
    while let next = all.continuation {
      let page = try await list(prefix: prefix, stoppingAtSlash: stoppingAtSlash, continuation: next)
      all.objects += page.objects
      all.folders += page.folders
      all.continuation = page.continuation
    }
    return all
  }

  /// Reads a whole object of at most 256 MiB; see ``readAll(_:limit:)``.
  public func readAll(_ path: String) async throws(StorageError) -> [UInt8] {
    try await readAll(path, limit: 256 << 20)
  }

  /// Reads until the object is the same before and after.
  ///
  /// Throws what ``Storage/readAll(_:limit:)`` does.
  public func readAll(_ path: String, limit: Int) async throws(StorageError) -> [UInt8] {
    var buffer = ByteBuffer()
    var info = try await info(of: path)
    for _ in 0..<8 {
      try StorageError.check(info.size, limit: limit, path: path)
      var isCut = false
      do throws(StorageError) { try await read(path, range: 0..<info.size, into: &buffer) } catch
        where error.code == .outOfRange
      { isCut = true }
      let after = try await self.info(of: path)
      if after.tag == info.tag, !isCut { return buffer.copied() }
      info = after
    }
    throw StorageError(.changed, path: path, "it was replaced each time it was read; try again")
  }

  /// This storage, each of whose writes is durable when it returns.
  public func batch() -> any Storage { self }

  /// Does nothing.
  public func settle() async throws(StorageError) {}

  /// Whether an object is there.
  public func exists(_ path: String) async throws(StorageError) -> Bool {
    do {
      _ = try await info(of: path)
      return true
    } catch  where error.code == .notFound {
      return false
    }
  }
}
