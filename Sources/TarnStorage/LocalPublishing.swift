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
  /// Makes an empty file in the scratch folder.
  func makeTemporary(for path: String) throws(StorageError) -> Temporary {
    try StoragePath.check(scratch)
    let folder = file(scratch)
    for _ in 0..<Self.attempts {
      let name = String(UInt64.random(in: .min ... .max), radix: 16)
      let file = "\(folder)/\(Self.temporaryPrefix)\(name)"
      let descriptor = FileSystem.createNew(file)
      if descriptor >= 0 { return Temporary(file: file, descriptor: descriptor) }
      switch Int32(-descriptor) {
      case ENOENT: try makeFolder(folder, for: path)
      case EEXIST: continue
      default: throw .system(descriptor, path: path, "making the temporary file \(file)")
      }
    }
    throw vanishing(folder, for: path)
  }

  /// How often the scratch folder is made again where others remove it.
  private static let attempts = 8

  private func vanishing(_ folder: String, for path: String) -> StorageError {
    StorageError(
      .failed, path: path,
      "the scratch folder \(folder) cannot be used: it vanishes each time it is made, or is a link that leads nowhere"
    )
  }

  /// Closes a temporary, and removes its name where it still has one.
  func discard(_ temporary: Temporary) {
    FileSystem.close(temporary.descriptor)
    _ = FileSystem.remove(temporary.file)
  }

  /// Bytes from which on room is taken before they are copied.
  private static let leastReserved = 128 << 10

  /// Appends a range of an object to a temporary, within the kernel where the file system can.
  func append(
    _ range: Range<Int>, of path: String, to temporary: Temporary, _ copier: FileCopier
  ) throws(StorageError) {
    let source = file(path)
    let (open, size) = try openFiles.open(source, at: path)
    // Closed by nobody before the bytes are there.
    defer { withExtendedLifetime(open) {} }
    try StorageError.check(range, within: size, path: path)
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
  func publish(
    _ temporary: Temporary, at path: String, if condition: PutCondition
  ) throws(StorageError) -> ObjectTag {
    var result = FileSystem.stamp(temporary.descriptor)
    guard result == 0 else { throw .system(result, path: path, "setting the time of \(temporary.file)") }
    if synchronizes {
      result = FileSystem.synchronize(temporary.descriptor)
      guard result == 0 else { throw .system(result, path: path, "writing \(temporary.file) to the disk") }
    }
    var status = FileSystem.Status()
    result = FileSystem.status(ofOpen: temporary.descriptor, &status)
    guard result == 0 else { throw .system(result, path: path, "looking up \(temporary.file)") }
    if condition == .ifAbsent {
      try place(temporary, at: path)
    } else {
      try replace(with: temporary, at: path, if: condition)
    }
    try synchronizeFolder(of: path)
    return status.tag
  }

  /// Removes an object and its checksum file; one that is not there is no error.
  func remove(_ path: String) throws(StorageError) {
    let file = file(path)
    var status = FileSystem.Status()
    let result = FileSystem.status(of: file, &status)
    if result == 0, status.kind == .folder { return }
    if result == -Int(ENOTDIR) { return }
    try removeChecksum(of: path)
    // Without a file there is nothing to exclude others from, nor a reason to make the scratch folder.
    let turn = result == 0 ? try takeTurn(for: path) : nil
    defer { if let turn { FileSystem.close(turn) } }
    let removal = FileSystem.remove(file)
    if StorageError.isAbsence(removal) { return }
    guard removal == 0 else { throw .system(removal, path: path, "removing \(file)") }
    try synchronizeFolder(Self.parent(of: file), for: path, isGoneAllowed: true)
    removeEmptyFolders(above: path)
  }

  /// Removes folders that a deletion left empty, as an object store knows none.
  ///
  /// Other engines take an empty folder for something that is there: Spark opens a metadata table by its folder.
  /// A folder into which somebody puts a file meanwhile is not empty, and stays.
  private func removeEmptyFolders(above path: String) {
    var folder = StoragePath.split(path).folder
    while !folder.isEmpty {
      folder.removeLast()
      guard folder != scratch, FileSystem.removeFolder(file(folder)) == 0 else { return }
      folder = StoragePath.split(folder).folder
    }
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
    case .ifMatches(let tag) where isThere && status.tag == tag: return
    default: throw .unmet(condition, path: path)
    }
  }

  /// Places a file where none is: a link is the one call that never replaces a name.
  private func place(_ temporary: Temporary, at path: String) throws(StorageError) {
    let target = file(path)
    // A checksum file whose file is gone would condemn the new one.
    try removeChecksum(of: path)
    let result = try withFolder(of: path) { FileSystem.addName(target, to: temporary.file) }
    if result == -Int(EEXIST) {
      var status = FileSystem.Status()
      if FileSystem.status(of: target, &status) == 0, status.kind == .folder {
        throw .system(-Int(EISDIR), path: path, "making \(target)")
      }
      throw .unmet(.ifAbsent, path: path)
    }
    guard result == 0 else { throw .system(result, path: path, "linking \(temporary.file) to \(target)") }
  }

  private func replace(
    with temporary: Temporary, at path: String, if condition: PutCondition
  ) throws(StorageError) {
    let target = file(path)
    let turn = try takeTurn(for: path)
    defer { FileSystem.close(turn) }
    try check(condition, at: path)
    // First the checksum file: a crash in between leaves a file without one, which everybody reads.
    try removeChecksum(of: path)
    let result = try withFolder(of: path) { FileSystem.rename(temporary.file, to: target) }
    guard result == 0 else { throw .system(result, path: path, "renaming \(temporary.file) to \(target)") }
  }

  /// Excludes other writers from replacing and deleting, until the descriptor is closed.
  ///
  /// Between the check of a tag and the renaming nobody else may change the file. It is the scratch folder
  /// itself that is locked, so no lock file stays behind; no wait lasts longer than a few system calls.
  private func takeTurn(for path: String) throws(StorageError) -> Int {
    let folder = file(scratch)
    for _ in 0..<Self.attempts {
      let descriptor = FileSystem.openFolder(folder)
      if descriptor == -Int(ENOENT) {
        try makeFolder(folder, for: path)
        continue
      }
      guard descriptor >= 0 else { throw .system(descriptor, path: path, "opening \(folder)") }
      let result = FileSystem.lock(descriptor, waiting: true)
      if result == 0, Self.isStill(descriptor, at: folder) { return descriptor }
      FileSystem.close(descriptor)
      guard result == 0 else { throw .system(result, path: path, "locking \(folder)") }
    }
    throw vanishing(folder, for: path)
  }

  /// Whether a path still names what a descriptor holds open.
  static func isStill(_ descriptor: Int, at file: String) -> Bool {
    var held = FileSystem.Status()
    var named = FileSystem.Status()
    return FileSystem.status(ofOpen: descriptor, &held) == 0 && FileSystem.status(of: file, &named) == 0
      && held.isSameFile(as: named)
  }

  private func removeChecksum(of path: String) throws(StorageError) {
    let (folder, name) = StoragePath.split(path)
    let checksum = file("\(folder).\(name).crc")
    let result = FileSystem.remove(checksum)
    switch Int32(-result) {
    case 0, ENOENT, ENOTDIR, EISDIR, ENAMETOOLONG: return
    default: throw .system(result, path: path, "removing the checksum file \(checksum)")
    }
  }

  // MARK: - Folders

  /// Calls what needs an object's folder, and makes the folder where that is what is missing.
  func withFolder(of path: String, _ call: () -> Int) throws(StorageError) -> Int {
    var result = call()
    for _ in 0..<Self.attempts where result == -Int(ENOENT) {
      try makeFolder(Self.parent(of: file(path)), for: path)
      result = call()
    }
    return result
  }

  /// Makes a folder and those above it; others may do so at the same time.
  func makeFolder(_ folder: String, for path: String) throws(StorageError) {
    var result = FileSystem.makeFolder(folder)
    if result == -Int(ENOENT), folder != "/", folder != "." {
      try makeFolder(Self.parent(of: folder), for: path)
      result = FileSystem.makeFolder(folder)
    }
    // Who finds it made just now cannot know whether its maker has yet forced it to the disk.
    guard result == 0 || result == -Int(EEXIST) else {
      throw .system(result, path: path, "making the folder \(folder)")
    }
    try synchronizeFolder(Self.parent(of: folder), for: path)
  }

  private func synchronizeFolder(of path: String) throws(StorageError) {
    try synchronizeFolder(Self.parent(of: file(path)), for: path)
  }

  private func synchronizeFolder(
    _ folder: String, for path: String, isGoneAllowed: Bool = false
  ) throws(StorageError) {
    guard synchronizes else { return }
    let descriptor = FileSystem.openFolder(folder)
    if isGoneAllowed, descriptor == -Int(ENOENT) { return }
    guard descriptor >= 0 else { throw .system(descriptor, path: path, "opening the folder \(folder)") }
    defer { FileSystem.close(descriptor) }
    let result = FileSystem.synchronize(descriptor)
    guard result == 0 else { throw .system(result, path: path, "writing the folder \(folder) to the disk") }
  }

  private static func parent(of file: String) -> String {
    let folder = StoragePath.split(file).folder
    if folder.isEmpty { return "." }
    return folder == "/" ? folder : String(folder.dropLast())
  }
}
