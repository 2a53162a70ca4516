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

  /// Names a folder as a storage; nothing is read or made yet.
  ///
  /// - Parameters:
  ///   - root: Path of the folder, which need not exist.
  ///   - scratch: Folder for temporaries, relative to the root and on the same file system. Files that a killed
  ///     process left there begin with ``temporaryPrefix``.
  ///   - synchronizes: Whether files and folders are forced to the disk before a write returns. Without, a
  ///     power failure can lose or tear what was written just before it.
  ///   - pageSize: Greatest number of objects and folders on one page of a listing.
  public init(
    root: String, scratch: String = ".hoodie/.temp", synchronizes: Bool = true, pageSize: Int = 10_000
  ) {
    var trimmed = root[...]
    while trimmed.utf8.count > 1, trimmed.utf8.last == UInt8(ascii: "/") { trimmed.removeLast() }
    self.root = trimmed.isEmpty ? "." : String(trimmed)
    self.scratch = scratch
    self.synchronizes = synchronizes
    self.pageSize = max(pageSize, 1)
  }

  /// How the names of temporaries in the scratch folder begin.
  public static let temporaryPrefix = "tarn-"

  /// Lists objects in the order of their paths; symbolic links are followed, but not round in a circle.
  ///
  /// Throws what ``Storage/list(prefix:stoppingAtSlash:continuation:)`` does.
  public func list(
    prefix: String, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    try StoragePath.checkPrefix(prefix)
    var listing = LocalListing(storage: self, stoppingAtSlash: stoppingAtSlash, after: continuation)
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
    _ path: String, range: Range<Int>, into buffer: inout ByteBuffer
  ) async throws(StorageError) {
    try StoragePath.check(path)
    let name = file(path)
    let (file, size) = try openFiles.open(name, at: path)
    try StorageError.check(range, within: size, path: path)
    try buffer.fill(count: range.count) { (room: UnsafeMutableRawBufferPointer) throws(StorageError) -> Int in
      // Closed by nobody before the bytes are there.
      defer { withExtendedLifetime(file) {} }
      try Self.readFully(file.descriptor, from: range.lowerBound, into: room, path: path, file: name)
      return room.count
    }
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
    let temporary = try makeTemporary(for: path)
    defer { discard(temporary) }
    let result = bytes.withUnsafeBytes { FileSystem.writeAll(temporary.descriptor, $0) }
    guard result >= 0 else { throw .system(result, path: path, "writing \(temporary.file)") }
    return try publish(temporary, at: path, if: condition)
  }

  /// Opens a streaming writer, whose bytes gather in the scratch folder.
  ///
  /// Throws what ``Storage/writer(at:)`` does.
  public func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    try StoragePath.check(path)
    return LocalWriter(storage: self, path: path, temporary: try makeTemporary(for: path))
  }

  /// Deletes a file, and the checksum file beside it.
  ///
  /// Throws what ``Storage/delete(_:)`` does.
  public func delete(_ path: String) async throws(StorageError) {
    try StoragePath.check(path)
    try remove(path)
  }

  /// Takes the advisory lock of a file, which is made where it is missing, and stays.
  ///
  /// Throws what ``Storage/lock(_:patience:)`` does.
  public func lock(_ path: String, patience: Duration) async throws(StorageError) -> any StorageLock {
    try StoragePath.check(path)
    return try await waitForLock(file(path), patience: patience) {
      () throws(StorageError) -> (any StorageLock)? in
      try takeLock(path)
    }
  }

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

  private static func readFully(
    _ descriptor: Int, from offset: Int, into room: UnsafeMutableRawBufferPointer, path: String, file: String
  ) throws(StorageError) {
    var done = 0
    while done < room.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: room[done...])
      let count = FileSystem.read(descriptor, at: offset + done, into: rest)
      guard count >= 0 else { throw .system(count, path: path, "reading \(file)") }
      guard count > 0 else {
        throw StorageError(
          .changed, path: path, "\(file) became shorter while it was read; another program writes in place")
      }
      done += count
    }
  }
}

extension StorageError {
  static func notAFile(_ path: String, _ file: String) -> StorageError {
    StorageError(.notFound, path: path, "\(file) is a folder or a device, not a file")
  }

  /// Checks that a range lies within an object.
  static func check(_ range: Range<Int>, within size: Int, path: String) throws(StorageError) {
    guard range.lowerBound >= 0, range.upperBound <= size else {
      throw StorageError(
        .outOfRange, path: path,
        "bytes \(range.lowerBound)..<\(range.upperBound) were asked for, and it has \(size); "
          + "it was cut short, or something names a wrong place in it")
    }
  }

  /// The error of a put whose condition does not hold.
  static func unmet(_ condition: PutCondition, path: String) -> StorageError {
    switch condition {
    case .ifMatches:
      StorageError(.preconditionFailed, path: path, "it changed since it was read; read it again and retry")
    case .ifAbsent, .always:
      StorageError(.preconditionFailed, path: path, "it is already there, and must not be replaced")
    }
  }
}
