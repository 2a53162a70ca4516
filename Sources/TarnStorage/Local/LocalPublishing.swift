import TarnBytes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file in the scratch folder that is not yet an object.
struct Temporary: Sendable {
  /// Its real path.
  let file: String
  /// Open for writing.
  let descriptor: Int
}

/// How a file comes to its place, and leaves it.
extension LocalStorage {
  /// Makes an empty file in the scratch folder, for an object that will lie in the storage's own folders.
  func makeTemporary(for path: String) async throws(StorageError) -> Temporary {
    try StoragePath.check(scratch)
    try checkWay(to: path)
    try checkWay(to: scratch + "/")
    for _ in 0..<Self.attempts {
      let file = newTemporaryName()
      let descriptor = FileSystem.createNew(file)
      if descriptor >= 0 {
        do throws(StorageError) { try kind.check(self.file(scratch), for: path) } catch {
          discard(Temporary(file: file, descriptor: descriptor))
          throw error
        }
        return Temporary(file: file, descriptor: descriptor)
      }
      switch Int32(-descriptor) {
      case ENOENT: try await makeFolder(self.file(scratch), for: path)
      case EEXIST: continue
      default: throw .system(descriptor, path: path, "making the temporary file \(file)")
      }
    }
    throw vanishing(file(scratch), for: path)
  }

  private func newTemporaryName() -> String {
    "\(file(scratch))/\(Self.temporaryPrefix)\(String(UInt64.random(in: .min ... .max), radix: 16))"
  }

  /// Closes a temporary, and removes its name where it still has one.
  func discard(_ temporary: Temporary) {
    FileSystem.close(temporary.descriptor)
    _ = FileSystem.remove(temporary.file)
  }

  /// Bytes from which on room is taken before they are copied.
  private static let leastReserved = 128 << 10

  /// Reads a small range of an object.
  func part(_ range: Range<Int>, of path: String, tag: ObjectTag?) throws(StorageError) -> [UInt8] {
    let source = file(path)
    let (open, status) = try openFiles.open(source, at: path)
    try StorageError.check(status.tag, is: tag, path: path)
    try StorageError.check(range, within: status.size, path: path)
    // Closed by nobody before the bytes are there.
    defer { withExtendedLifetime(open) {} }
    var buffer = ByteBuffer()
    try buffer.fill(count: range.count) { (room: UnsafeMutableRawBufferPointer) throws(StorageError) -> Int in
      try Self.readFully(open.descriptor, from: range.lowerBound, into: room, path: path, file: source)
      return room.count
    }
    return buffer.copied()
  }

  /// Appends a range of an object to a temporary, within the kernel where the file system can.
  func append(
    _ range: Range<Int>, of path: String, tag: ObjectTag?, to temporary: Temporary, _ copier: FileCopier
  ) throws(StorageError) {
    let source = file(path)
    let (open, status) = try openFiles.open(source, at: path)
    // Closed by nobody before the bytes are there.
    defer { withExtendedLifetime(open) {} }
    try StorageError.check(status.tag, is: tag, path: path)
    try StorageError.check(range, within: status.size, path: path)
    var position = range.lowerBound
    if range.count >= Self.leastReserved { FileSystem.reserve(temporary.descriptor, range.count) }
    while position < range.upperBound {
      let copied = copier.copy(
        open.descriptor, at: position, to: temporary.descriptor, range.upperBound - position)
      guard copied > 0 else { break }
      position += copied
    }
    // What the kernel does not copy, as between two file systems, goes through a buffer.
    var buffer = [UInt8](repeating: 0, count: min(1 << 20, range.upperBound - position))
    while position < range.upperBound {
      let wanted = min(buffer.count, range.upperBound - position)
      let count = buffer.withUnsafeMutableBytes {
        FileSystem.read(
          open.descriptor, at: position, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]))
      }
      guard count >= 0 else { throw .system(count, path: path, "reading \(source)") }
      guard count > 0 else {
        throw StorageError(
          .changed, path: path,
          "\(source) became shorter while it was copied; another program writes in place")
      }
      let result = buffer.withUnsafeBytes {
        FileSystem.writeAll(temporary.descriptor, UnsafeRawBufferPointer(rebasing: $0[..<count]))
      }
      guard result == 0 else { throw .system(result, path: path, "writing \(temporary.file)") }
      position += count
    }
  }

  /// Gives a written temporary its place.
  ///
  /// The caller discards it afterwards in any case.
  ///
  /// - Parameter isSettled: Whether its bytes are forced to the disk before it gets its name, also in a batch.
  func publish(
    _ temporary: Temporary, at path: String, if condition: PutCondition, isSettled: Bool = true
  ) async throws(StorageError) -> ObjectTag {
    try checkWay(to: path)
    var result = FileSystem.stamp(temporary.descriptor)
    guard result == 0 else { throw .system(result, path: path, "setting the time of \(temporary.file)") }
    var later: (writes: PendingWrites, descriptor: Int)?
    if synchronizes {
      if !isSettled, let pending {
        result = FileSystem.duplicate(temporary.descriptor)
        later = (pending, result)
      } else {
        result = await synchronizer.synchronize(temporary.descriptor)
      }
      guard result >= 0 else { throw .system(result, path: path, "writing \(temporary.file) to the disk") }
    }
    var status = FileSystem.Status()
    do throws(StorageError) {
      result = FileSystem.status(ofOpen: temporary.descriptor, &status)
      guard result == 0 else { throw .system(result, path: path, "looking up \(temporary.file)") }
      try await place(temporary, at: path, if: condition)
    } catch {
      if let later { FileSystem.close(later.descriptor) }
      throw error
    }
    if let later { await later.writes.begin(later.descriptor, path, synchronizer) }
    do throws(StorageError) { try await synchronizeFolder(of: path) } catch {
      throw StorageError(
        .unknown, path: path, "it is there, but a power failure may take it away again: \(error.message)",
        cause: error.cause)
    }
    return status.tag
  }

  /// Checks a put's condition.
  func check(_ condition: PutCondition, at path: String) throws(StorageError) {
    var status = FileSystem.Status()
    let result = condition == .always ? 0 : FileSystem.status(of: file(path), &status)
    let isThere = result == 0 && status.kind == .file
    guard result == 0 || StorageError.isAbsence(result) else {
      throw .system(result, path: path, "looking up \(file(path))")
    }
    switch condition {
    case .always: return
    case .ifAbsent where !isThere: return
    case .ifMatches(let tag) where isThere && status.tag == tag:
      guard let hash = tag.contentHash else { return }
      // Inodes and times come back, contents with something random in them do not.
      let content = try part(0..<status.size, of: path, tag: nil)
      if XXH64.hash(content.span.bytes) == hash { return }
      throw .unmet(condition, path: path)
    default: throw .unmet(condition, path: path)
    }
  }

  // MARK: - Names

  private func place(
    _ temporary: Temporary, at path: String, if condition: PutCondition
  ) async throws(StorageError) {
    switch condition {
    case .ifAbsent: if !(try await add(temporary, at: path)) { throw taken(path) }
    // Who adds a name needs no turn, since no condition on what is there can hold where nothing is.
    case .always:
      if !(try await add(temporary, at: path)) { try await replace(with: temporary, at: path, if: .always) }
    case .ifMatches: try await replace(with: temporary, at: path, if: condition)
    }
  }

  /// Places a file where no name is; a link is the one call that never replaces one.
  ///
  /// - Returns: Whether there was none.
  private func add(_ temporary: Temporary, at path: String) async throws(StorageError) -> Bool {
    let target = file(path)
    let link = { () async throws(StorageError) -> Int in
      try await self.withFolder(of: path) { FileSystem.addName(target, to: temporary.file) }
    }
    let result: Int
    if Self.isThere(checksumFile(of: path)) {
      // A checksum file whose file is gone would condemn the new one; that of a file which is there stays.
      let turn = try await takeTurn(for: path)
      defer { turn.close() }
      if Self.isThere(target) { return false }
      result = try await withoutChecksum(of: path, link)
    } else {
      result = try await link()
    }
    if result == -Int(EEXIST) { return false }
    guard result == 0 else { throw .naming(result, path: path, "linking \(temporary.file) to \(target)") }
    return true
  }

  /// The error of a put that needs a path on which there is a name.
  private func taken(_ path: String) -> StorageError {
    var status = FileSystem.Status()
    let file = file(path)
    let result = FileSystem.status(of: file, &status)
    if result == 0, status.kind == .folder { return .system(-Int(EISDIR), path: path, "making \(file)") }
    if result != 0, FileSystem.status(ofName: file, &status) == 0, status.kind == .link {
      return StorageError(
        .failed, path: path,
        "\(file) is a symbolic link that leads nowhere; remove it, or restore what it led to")
    }
    return .unmet(.ifAbsent, path: path)
  }

  private func replace(
    with temporary: Temporary, at path: String, if condition: PutCondition
  ) async throws(StorageError) {
    let target = file(path)
    let turn = try await takeTurn(for: path)
    defer { turn.close() }
    try check(condition, at: path)
    let result = try await withoutChecksum(of: path) { () async throws(StorageError) -> Int in
      try await withFolder(of: path) { FileSystem.rename(temporary.file, to: target) }
    }
    guard result == 0 else { throw .naming(result, path: path, "renaming \(temporary.file) to \(target)") }
  }

  /// Gives a file another name, which takes the place of what has it.
  func rename(_ path: String, to target: String) async throws(StorageError) {
    try checkWay(to: path)
    try checkWay(to: target)
    // What is at the source must be told from what the system says of a folder that is missing at the target.
    _ = try status(of: path)
    let rename = { () async throws(StorageError) -> Int in
      try await self.withFolder(of: target) {
        FileSystem.rename(self.file(path), to: self.file(target))
      }
    }
    let result: Int
    if Self.isThere(checksumFile(of: target)) {
      let turn = try await takeTurn(for: target)
      defer { turn.close() }
      result = try await withoutChecksum(of: target, rename)
    } else {
      result = try await rename()
    }
    guard result == 0 else { throw .naming(result, path: path, "renaming \(file(path)) to \(file(target))") }
    do throws(StorageError) {
      try await synchronizeFolder(of: target)
      if StoragePath.split(path).folder != StoragePath.split(target).folder {
        try await synchronizeFolder(of: path)
      }
    } catch {
      throw StorageError(
        .unknown, path: path, "it is moved, but a power failure may undo that: \(error.message)",
        cause: error.cause)
    }
  }

  // MARK: - Checksum files

  /// The file beside an object that holds its checksums, if Hadoop wrote it.
  func checksumFile(of path: String) -> String { file(HadoopChecksum.path(of: path)) }

  /// Whether something other than a folder has a name.
  static func isThere(_ file: String) -> Bool {
    var status = FileSystem.Status()
    return FileSystem.status(ofName: file, &status) == 0 && status.kind != .folder
  }

  /// Calls what replaces or removes an object, and removes its checksum file where that succeeds.
  ///
  /// The checksum file goes before, since a crash in between then leaves a file without one, which everybody reads;
  /// where the call fails it comes back. The caller has the turn, so that it can be no other file's by then.
  ///
  /// - Returns: What the call does: 0, or a negated error number.
  func withoutChecksum(
    of path: String, _ call: () async throws(StorageError) -> Int
  ) async throws(StorageError) -> Int {
    let checksum = checksumFile(of: path)
    guard Self.isThere(checksum) else { return try await call() }
    let aside = newTemporaryName()
    let moved = FileSystem.rename(checksum, to: aside)
    if StorageError.isAbsence(moved) { return try await call() }
    guard moved == 0 else { throw .system(moved, path: path, "moving the checksum file \(checksum) away") }
    do throws(StorageError) {
      let result = try await call()
      _ = result == 0 ? FileSystem.remove(aside) : FileSystem.rename(aside, to: checksum)
      return result
    } catch {
      _ = FileSystem.rename(aside, to: checksum)
      throw error
    }
  }
}
