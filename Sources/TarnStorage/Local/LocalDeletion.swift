import TarnBytes

/// How files leave their places, and what killed writers left behind goes.
extension LocalStorage {
  /// Files that are removed while others wait for their turn.
  private static let mostInTurn = 128

  /// Removes objects and their checksum files, and then forces each of their folders to the disk, many at once; one
  /// that is not there is no error.
  ///
  /// A symbolic link to a file goes itself, and not what it leads to.
  ///
  /// - Returns: The error of each that is still there, or may be.
  func remove(_ paths: [String]) async -> [StorageError] {
    var failures: [StorageError] = []
    var removed: [String] = []
    // Who waited in vain once does not wait again for each of the others.
    var obstacle: StorageError?
    for start in stride(from: 0, to: paths.count, by: Self.mostInTurn) {
      let here = paths[start..<min(start + Self.mostInTurn, paths.count)].filter { path in
        do throws(StorageError) { return try isForRemoval(path) } catch {
          failures.append(error.of(path))
          return false
        }
      }
      guard let first = here.first else { continue }
      if let obstacle {
        failures += here.map(obstacle.of)
        continue
      }
      do throws(StorageError) {
        let turn = try await takeTurn(for: first)
        defer { turn.close() }
        for path in here {
          do throws(StorageError) {
            try await removeInTurn(path)
            removed.append(path)
          } catch { failures.append(error.of(path)) }
        }
      } catch {
        obstacle = error
        failures += here.map(error.of)
      }
    }
    failures += await synchronizeRemoval(of: removed)
    removeEmptyFolders(above: removed)
    return failures
  }

  /// Whether a path names a file that is to be removed in this writer's turn.
  private func isForRemoval(_ path: String) throws(StorageError) -> Bool {
    try StoragePath.check(path)
    let file = file(path)
    var status = FileSystem.Status()
    let result = FileSystem.status(ofName: file, &status)
    guard result == 0 || StorageError.isAbsence(result) else {
      throw .system(result, path: path, "looking up \(file)")
    }
    if result == 0, status.kind == .folder || leadsToFolder(status, file) { return false }
    let checksum = checksumFile(of: path)
    guard result == 0 || Self.isThere(checksum) else { return false }
    try checkWay(to: path)
    if result == 0 { return true }
    // Without a file there is nothing to exclude others from, nor a reason to make the scratch folder.
    let removal = FileSystem.remove(checksum)
    if removal == 0 || StorageError.isAbsence(removal) { return false }
    throw .system(removal, path: path, "removing the checksum file \(checksum)")
  }

  private func leadsToFolder(_ status: FileSystem.Status, _ file: String) -> Bool {
    var target = FileSystem.Status()
    return status.kind == .link && FileSystem.status(of: file, &target) == 0 && target.kind == .folder
  }

  private func removeInTurn(_ path: String) async throws(StorageError) {
    let file = file(path)
    let removal = try await withoutChecksum(of: path) {
      let removal = FileSystem.remove(file)
      return StorageError.isAbsence(removal) ? 0 : removal
    }
    guard removal == 0 else { throw .system(removal, path: path, "removing \(file)") }
  }

  /// Forces the removal of objects to the disk, also in a batch; their folders may be gone too.
  private func synchronizeRemoval(of paths: [String]) async -> [StorageError] {
    guard synchronizes else { return [] }
    let removals = PendingWrites()
    for path in paths { removals.note(folder: Self.parent(of: file(path)), path: path) }
    var failures: [StorageError] = []
    for error in await removals.settleFolders(synchronizer) where error.code != .notFound {
      let folder = ExactText(Self.parent(of: file(error.path)))
      failures += paths.filter { ExactText(Self.parent(of: file($0))) == folder }.map { path in
        StorageError(
          .unknown, path: path, "it is gone, but a power failure may bring it back: \(error.message)",
          cause: error.cause)
      }
    }
    return failures
  }

  /// Removes folders that deletions left empty, as an object store knows none.
  ///
  /// Other engines take an empty folder for something that is there: Spark opens a metadata table by its folder.
  /// A folder into which somebody puts a file meanwhile is not empty, and stays.
  private func removeEmptyFolders(above paths: [String]) {
    var previous: String?
    for path in paths {
      var folder = StoragePath.split(path).folder
      // Most files that go together lie in one folder.
      if let previous, previous.utf8.elementsEqual(folder.utf8) { continue }
      previous = folder
      while !folder.isEmpty {
        folder.removeLast()
        guard folder != scratch, FileSystem.removeFolder(file(folder)) == 0 else { break }
        folder = StoragePath.split(folder).folder
      }
    }
  }

  /// Removes old temporaries, which no writer has that is alive.
  ///
  /// Throws what ``Storage/removeUnfinished(before:)`` does.
  public func removeUnfinished(before time: Int64) async throws(StorageError) {
    var folder = FileSystem.Status()
    var names: [FileSystem.Entry] = []
    let result = FileSystem.names(in: file(scratch), beginning: Self.temporaryPrefix, &folder, &names)
    guard result == 0 else {
      if StorageError.isAbsence(result) { return }
      throw .system(result, path: scratch, "listing \(file(scratch))")
    }
    guard !names.isEmpty else { return }
    // Not behind a link, where they are not this storage's.
    try checkWay(to: scratch + "/")
    for name in names {
      let path = "\(scratch)/\(name.name)"
      var status = FileSystem.Status()
      guard FileSystem.status(ofName: file(path), &status) == 0, status.kind != .folder,
        status.info(path: path).modified < time
      else { continue }
      let removal = FileSystem.remove(file(path))
      guard removal == 0 || StorageError.isAbsence(removal) else {
        throw .system(removal, path: path, "removing \(file(path))")
      }
    }
  }
}
