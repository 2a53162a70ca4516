#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One page of a local listing in the making.
struct LocalListing {
  private let storage: LocalStorage
  private let stoppingAtSlash: Bool
  private let after: String?
  private var last = ""
  private var count = 0
  /// The folders on the way from the root to here; a symbolic link to one of them would lead round for ever.
  private var above: [FileSystem.Status] = []
  private(set) var page = ListingPage(objects: [])

  init(storage: LocalStorage, stoppingAtSlash: Bool, after: String?) {
    self.storage = storage
    self.stoppingAtSlash = stoppingAtSlash
    self.after = after
  }

  mutating func run(prefix: String) throws(StorageError) {
    let (folder, name) = StoragePath.split(prefix)
    noteAncestors(of: folder)
    try walk(folder, names: name)
  }

  private mutating func noteAncestors(of folder: String) {
    var status = FileSystem.Status()
    var start = folder.utf8.startIndex
    while let slash = folder.utf8[start...].firstIndex(of: UInt8(ascii: "/")) {
      if FileSystem.status(of: real(String(folder[..<start])), &status) == 0 { above.append(status) }
      start = folder.utf8.index(after: slash)
    }
  }

  /// The real path of a folder given with its trailing slash, or of the root.
  private func real(_ folder: String) -> String { folder.isEmpty ? storage.root : storage.file(folder) }

  /// Reports what is in and below a folder, as far as there is room on the page.
  private mutating func walk(_ folder: String, names prefix: String) throws(StorageError) {
    var here = FileSystem.Status()
    var names: [FileSystem.Entry] = []
    let result = FileSystem.names(in: real(folder), beginning: prefix, &here, &names)
    guard result == 0 else {
      if Self.isGone(result) { return }
      throw .system(result, path: folder, "listing \(real(folder))")
    }
    guard !above.contains(where: { $0.isSameFile(as: here) }) else { return }
    above.append(here)
    defer { above.removeLast() }
    for entry in try ordered(names, in: folder) {
      let path = folder + entry.name
      guard isWanted(path, isFolder: entry.kind == .folder) else { continue }
      if entry.kind == .folder, !stoppingAtSlash {
        try walk(path, names: "")
      } else {
        try report(path, isFolder: entry.kind == .folder)
      }
      if page.continuation != nil { return }
    }
  }

  /// Entries in the order of the paths they stand for, folders with their slash: `a.b`, `a/b`, `a0`.
  private func ordered(
    _ names: [FileSystem.Entry], in folder: String
  ) throws(StorageError) -> [FileSystem.Entry] {
    var entries: [FileSystem.Entry] = []
    entries.reserveCapacity(names.count)
    for var entry in names {
      if entry.kind == .unknown {
        guard let status = try look(folder + entry.name), status.kind != .other else { continue }
        entry.kind = status.kind == .folder ? .folder : .file
      }
      if entry.kind == .folder { entry.name += "/" }
      entries.append(entry)
    }
    entries.sort { StoragePath.precedes($0.name, $1.name) }
    return entries
  }

  /// Whether a path, or something below it, comes after the page before.
  private func isWanted(_ path: String, isFolder: Bool) -> Bool {
    guard let after, !StoragePath.precedes(after, path) else { return true }
    return isFolder && !stoppingAtSlash && after.utf8.starts(with: path.utf8)
  }

  private mutating func report(_ path: String, isFolder: Bool) throws(StorageError) {
    guard count < storage.pageSize else {
      page.continuation = last
      return
    }
    if isFolder {
      page.folders.append(path)
    } else if let status = try look(path) {
      guard status.kind == .file else { return }
      page.objects.append(status.info(path: path))
    } else {
      return
    }
    count += 1
    last = path
  }

  /// What is known of a name; nil where it vanished meanwhile, or is a link that leads nowhere.
  private func look(_ path: String) throws(StorageError) -> FileSystem.Status? {
    var status = FileSystem.Status()
    let result = FileSystem.status(of: storage.file(path), &status)
    if result == 0 { return status }
    if Self.isGone(result) { return nil }
    throw .system(result, path: path, "looking up \(storage.file(path))")
  }

  private static func isGone(_ result: Int) -> Bool {
    StorageError.isAbsence(result) || result == -Int(ELOOP)
  }
}
