#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How folders are made and forced to the disk, and what may not be on the way to what is written.
extension LocalStorage {
  /// Checks that an object's folder is the storage's own, before something in it is made, replaced or deleted.
  ///
  /// A symbolic link may be read through, but leads perhaps to what belongs to somebody else: so none of the
  /// folders below the root may be one. Who puts a link there between this check and the call is not noticed.
  func checkWay(to path: String) throws(StorageError) {
    var status = FileSystem.Status()
    var start = path.utf8.startIndex
    while let slash = path.utf8[start...].firstIndex(of: UInt8(ascii: "/")) {
      let folder = file(String(path[..<slash]))
      // What is not there will be made, and what cannot be looked at fails where it is used.
      guard FileSystem.status(ofName: folder, &status) == 0 else { return }
      switch status.kind {
      case .folder: break
      case .link: throw .symbolicLink(folder, path: path)
      case .file, .other:
        throw StorageError(
          .notFound, path: path,
          "\(folder) is a file, where a folder is needed for \(file(path)); move it away")
      }
      start = path.utf8.index(after: slash)
    }
  }

  /// Calls what needs an object's folder, and makes the folder where that is what is missing.
  func withFolder(of path: String, _ call: () -> Int) async throws(StorageError) -> Int {
    var result = call()
    for _ in 0..<Self.attempts where result == -Int(ENOENT) {
      try await makeFolder(Self.parent(of: file(path)), for: path)
      result = call()
    }
    return result
  }

  /// How often a folder is made again where others remove it.
  static let attempts = 8

  /// Makes a folder and those above it; others may do so at the same time.
  func makeFolder(_ folder: String, for path: String) async throws(StorageError) {
    var result = FileSystem.makeFolder(folder)
    // Others may remove the folder above, once it is empty, as fast as it is made.
    for _ in 0..<Self.attempts where result == -Int(ENOENT) && folder != "/" && folder != "." {
      try await makeFolder(Self.parent(of: folder), for: path)
      result = FileSystem.makeFolder(folder)
    }
    // Who finds it made just now cannot know whether its maker has yet forced it to the disk.
    guard result == 0 || result == -Int(EEXIST) else {
      throw .system(result, path: path, "making the folder \(folder)")
    }
    // Where that is gone again, so is the folder, and whoever needs it makes it anew.
    do throws(StorageError) {
      try await synchronizeFolder(Self.parent(of: folder), for: path)
    } catch  where error.code != .notFound { throw error } catch {}
  }

  /// Forces the names in an object's folder to the disk; in a batch, when it is settled.
  func synchronizeFolder(of path: String) async throws(StorageError) {
    try await synchronizeFolder(Self.parent(of: file(path)), for: path)
  }

  private func synchronizeFolder(_ folder: String, for path: String) async throws(StorageError) {
    guard synchronizes else { return }
    guard let pending else { return try await synchronizer.synchronize(folder: folder, path: path) }
    pending.note(folder: folder, path: path)
  }

  /// The folder of a real file.
  static func parent(of file: String) -> String {
    let folder = StoragePath.split(file).folder
    if folder.isEmpty { return "." }
    return folder == "/" ? folder : String(folder.dropLast())
  }

  /// The error where others remove the scratch folder as often as it is made.
  func vanishing(_ folder: String, for path: String) -> StorageError {
    StorageError(
      .failed, path: path, "the scratch folder \(folder) cannot be used: it vanishes each time it is made")
  }
}

extension StorageError {
  /// The error of a write or a deletion that would go through a symbolic link.
  static func symbolicLink(_ link: String, path: String) -> StorageError {
    StorageError(
      .failed, path: path,
      "\(link) is a symbolic link, through which nothing is written or deleted; "
        + "put what it leads to in its place, or remove it")
  }
}
