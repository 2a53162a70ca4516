import TarnBytes

/// A folder of the local file system as a storage.
///
/// Objects are regular files; folders come into being with their first object, and the root with the first
/// object of all. A file is written under a name of its own in the scratch folder, and then linked or renamed
/// to its place, so that no reader ever sees half of one, nor a temporary in the folder it reads.
///
/// Two things differ from an object store: a path cannot be both an object and a folder of objects, and an
/// empty folder is reported by a listing that stops at slashes. A folder whose last object is deleted goes too.
///
/// Symbolic links: the root may be one, or be reached through some. Below it, a link to a file is read as that file,
/// and a link to a folder as that folder by whoever names it; listings that do not stop at slashes do not go
/// through it. A link that leads to a folder on its own way, or to one above the root, holds nothing, and a second link on a
/// way is an error. Nothing is ever written, made or deleted through a link: a folder on the way that is one is an
/// error, and a link in the place of a file is replaced or removed itself. Who puts links there during a call can
/// still lead that call astray.
///
/// Hadoop keeps a checksum file `.NAME.crc` beside each file it writes to a local disk, and refuses a file
/// that does not fit it; so whoever replaces or deletes a file here removes its checksum file too.
public struct LocalStorage: Storage {
  /// Path of the root folder, without a slash at its end.
  public let root: String
  /// Folder for temporaries, relative to the root.
  public let scratch: String
  /// Whether files and folders are forced to the disk before a write returns.
  public let synchronizes: Bool
  let pageSize: Int
  /// What is kept open between reads.
  package let openFiles = OpenFiles()
  /// Whether this file system can be written safely.
  let kind = FileSystemKind()
  /// What forces files and folders to the disk.
  package let synchronizer = Synchronizer()
  /// How long is waited for the turn to replace, and in all.
  private(set) var patience: Patience
  /// What a batch has still to force to the disk; nil where each write does so itself.
  private(set) var pending: PendingWrites?

  /// Names a folder as a storage; nothing is read or made yet.
  ///
  /// - Parameters:
  ///   - root: Path of the folder, which need not exist.
  ///   - scratch: Folder for temporaries, relative to the root and on the same file system. Files that a killed
  ///     process left there begin with ``temporaryPrefix``; they are in no listing.
  ///   - synchronizes: Whether files and folders are forced to the disk before a write returns. Without, a
  ///     power failure can lose or tear what was written just before it.
  ///   - pageSize: Greatest number of objects and folders on one page of a listing.
  ///   - patience: How long a write or a deletion waits where another program holds the folder above the scratch folder,
  ///     as a process does that was stopped while it replaced a file.
  public init(
    root: String, scratch: String = ".hoodie/.temp", synchronizes: Bool = true, pageSize: Int = 10_000,
    patience: Duration = .seconds(4)
  ) {
    var trimmed = root[...]
    while trimmed.utf8.count > 1, trimmed.utf8.last == UInt8(ascii: "/") { trimmed.removeLast() }
    self.root = trimmed.isEmpty ? "." : String(trimmed)
    self.scratch = scratch
    self.synchronizes = synchronizes
    self.pageSize = max(pageSize, 1)
    self.patience = Patience(patience, isShared: false)
  }

  /// The root as a whole path, as it would be found now.
  public var absoluteRoot: String {
    guard !root.hasPrefix("/") else { return root }
    let here = FileSystem.realPath(".") ?? "."
    return root == "." ? here : here + "/" + root
  }

  /// What requests to a disk cost.
  public var costs: RequestCosts { .disk }

  /// The same storage, whose waits for others together last at most so long.
  public func waiting(atMost patience: Duration) -> any Storage {
    var copy = self
    copy.patience = Patience(patience, isShared: true)
    return copy
  }

  /// The same storage, whose folders and streamed files are forced to the disk by ``settle()``, many at once.
  ///
  /// What is put whole is forced to the disk before it gets its name, as ever.
  public func batch() -> any Storage {
    guard synchronizes else { return self }
    var copy = self
    copy.pending = PendingWrites()
    return copy
  }

  /// Forces to the disk what was written through this batch.
  ///
  /// Throws what ``Storage/settle()`` does.
  public func settle() async throws(StorageError) { try await pending?.settle(synchronizer) }

  /// Lets some files that are read stay open, for as long as the returned value lives.
  public func keepOpen() -> OpenScope {
    openFiles.begin()
    return OpenScope { [openFiles] in openFiles.end() }
  }

  /// How the names of temporaries in the scratch folder begin.
  public static let temporaryPrefix = "tarn-"

  /// Lists objects in the order of their paths.
  ///
  /// Throws what ``Storage/list(prefix:after:stoppingAtSlash:continuation:)`` does.
  public func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    try StoragePath.checkPrefix(prefix)
    var listing = LocalListing(
      storage: self, stoppingAtSlash: stoppingAtSlash, after: after, continuation: continuation)
    try listing.run(prefix: prefix)
    return listing.page
  }

  /// Tells a file's size, tag and time.
  ///
  /// Throws what ``Storage/info(of:)`` does.
  public func info(of path: String) async throws(StorageError) -> ObjectInfo {
    try StoragePath.check(path)
    return try status(of: path).info(path: path)
  }

  /// Reads a range of a file into a buffer.
  ///
  /// Throws what ``Storage/read(_:range:into:)`` does.
  public func read(
    _ path: String, range: Range<Int>, into buffer: inout ReadBuffer
  ) async throws(StorageError) {
    try StoragePath.check(path)
    let name = file(path)
    let (file, status) = try openFiles.open(name, at: path)
    try StorageError.check(range, within: status.size, path: path)
    try buffer.memory.fill(count: range.count) {
      (room: UnsafeMutableRawBufferPointer) throws(StorageError) -> Int in
      // Closed by nobody before the bytes are there.
      defer { withExtendedLifetime(file) {} }
      try Self.readFully(file.descriptor, from: range.lowerBound, into: room, path: path, file: name)
      return room.count
    }
  }

  /// Reads a whole file as it is at one moment.
  ///
  /// Throws what ``Storage/get(_:limit:)`` does.
  public func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    try StoragePath.check(path)
    let name = file(path)
    let (file, status) = try openFiles.open(name, at: path)
    try StorageError.check(status.size, limit: limit, path: path)
    var buffer = ByteBuffer()
    try buffer.fill(count: status.size) { (room: UnsafeMutableRawBufferPointer) throws(StorageError) -> Int in
      try Self.readFully(file.descriptor, from: 0, into: room, path: path, file: name)
      return room.count
    }
    // A file that is replaced is read to its end from what is open; only one that is written in place differs.
    var after = FileSystem.Status()
    let result = FileSystem.status(ofOpen: file.descriptor, &after)
    guard result == 0 else { throw .system(result, path: path, "reading the size of \(name)") }
    guard after.tag == status.tag else { throw Self.writtenInPlace(name, path: path) }
    let bytes = buffer.copied()
    return StoredObject(bytes: bytes, tag: status.tag(of: bytes))
  }

  /// Writes a whole file, under the condition.
  ///
  /// Throws what ``Storage/put(_:at:if:)`` does.
  @discardableResult
  public func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    try StoragePath.check(path)
    try check(condition, at: path)
    let temporary = try await makeTemporary(for: path)
    defer { discard(temporary) }
    let result = bytes.withUnsafeBytes { FileSystem.writeAll(temporary.descriptor, $0) }
    guard result >= 0 else { throw .system(result, path: path, "writing \(temporary.file)") }
    let tag = try await publish(temporary, at: path, if: condition)
    return ObjectTag(tag.text, contentHash: XXH64.hash(bytes.span.bytes))
  }

  /// Renames a file, and forces that to the disk.
  ///
  /// Throws what ``Storage/move(_:to:)`` does.
  public func move(_ path: String, to target: String) async throws(StorageError) {
    try StoragePath.check(path)
    try StoragePath.check(target)
    try await rename(path, to: target)
  }

  /// Opens a streaming writer, whose bytes gather in the scratch folder.
  ///
  /// Throws what ``Storage/writer(at:)`` does.
  public func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    try StoragePath.check(path)
    return LocalWriter(storage: self, path: path, temporary: try await makeTemporary(for: path))
  }

  /// Deletes files, and the checksum files beside them.
  ///
  /// - Returns: What ``Storage/delete(_:)-([String])`` does.
  public func delete(_ paths: [String]) async -> [StorageError] { await remove(paths) }

  // MARK: - Below the verbs

  /// The real path of an object.
  func file(_ path: String) -> String { root == "/" ? "/" + path : root + "/" + path }

  /// What is known of an object.
  func status(of path: String) throws(StorageError) -> FileSystem.Status {
    let file = file(path)
    var status = FileSystem.Status()
    let result = FileSystem.status(of: file, &status)
    guard result == 0 else { throw .system(result, path: path, "looking up \(file)") }
    guard status.kind == .file else { throw .notAFile(path, file) }
    return status
  }

  static func readFully(
    _ descriptor: Int, from offset: Int, into room: UnsafeMutableRawBufferPointer, path: String, file: String
  ) throws(StorageError) {
    var done = 0
    while done < room.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: room[done...])
      let count = FileSystem.read(descriptor, at: offset + done, into: rest)
      guard count >= 0 else { throw .system(count, path: path, "reading \(file)") }
      guard count > 0 else {
        throw writtenInPlace(file, path: path)
      }
      done += count
    }
  }

  private static func writtenInPlace(_ file: String, path: String) -> StorageError {
    StorageError(
      .changed, path: path,
      "\(file) changed while it was read; another program writes in place")
  }
}
