#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One page of a local listing in the making.
///
/// A symbolic link to a folder is reported as a folder at which the listing stopped, and only whoever lists below it
/// by its own name goes through it: so whoever deletes all that is below a folder stays in it. There is nothing
/// below a link that leads to a folder on its own way or above the storage's root, which would lead round for ever.
/// And only one link may be on the way to a folder: with two, folders that hold links to each other would have
/// more ways through them than anybody can walk.
struct LocalListing {
  private let storage: LocalStorage
  private let stoppingAtSlash: Bool
  private let after: String?
  private let continuation: String?
  /// The folder of temporaries with its slash, of which the temporaries are left out.
  private let scratch: String
  private var last = ""
  private var count = 0
  private(set) var page = ListingPage(objects: [])

  init(storage: LocalStorage, stoppingAtSlash: Bool, after: String?, continuation: String?) {
    self.storage = storage
    self.stoppingAtSlash = stoppingAtSlash
    self.after = after
    self.continuation = continuation
    scratch = storage.scratch + "/"
  }

  mutating func run(prefix: String) throws(StorageError) {
    let (folder, name) = StoragePath.split(prefix)
    guard try leadsSomewhereElse(folder) else { return }
    try walk(folder, names: name)
  }

  /// Follows the way to a folder through one symbolic link at most.
  ///
  /// - Returns: False where a link on it leads round in a circle.
  /// - Throws: ``StorageError`` where there are two links on the way.
  private func leadsSomewhereElse(_ folder: String) throws(StorageError) -> Bool {
    var status = FileSystem.Status()
    var above: [FileSystem.Status] = []
    var hasLink = false
    if FileSystem.status(of: storage.root, &status) == 0 { above.append(status) }
    var start = folder.utf8.startIndex
    while let slash = folder.utf8[start...].firstIndex(of: UInt8(ascii: "/")) {
      let name = storage.file(String(folder[..<slash]))
      start = folder.utf8.index(after: slash)
      // What cannot be looked at fails where it is opened.
      guard FileSystem.status(ofName: name, &status) == 0 else { return true }
      if status.kind == .link {
        guard FileSystem.status(of: name, &status) == 0 else { return true }
        if (above + aboveRoot()).contains(where: { $0.isSameFile(as: status) }) { return false }
        guard !hasLink else { throw Self.secondLink(name, path: folder) }
        hasLink = true
      }
      above.append(status)
    }
    return true
  }

  /// The folders that hold the root, wherever links to it lie.
  private func aboveRoot() -> [FileSystem.Status] {
    guard var folder = FileSystem.realPath(storage.root) else { return [] }
    var found: [FileSystem.Status] = []
    var status = FileSystem.Status()
    while !folder.isEmpty {
      if FileSystem.status(of: folder, &status) == 0 { found.append(status) }
      if folder == "/" { break }
      folder = StoragePath.split(folder).folder
      if folder != "/" { folder.removeLast() }
    }
    return found
  }

  private static func secondLink(_ link: String, path: String) -> StorageError {
    StorageError(
      .failed, path: path,
      "\(link) is a symbolic link below another one; let the first lead to where the second does, or put folders "
        + "in their place")
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
    if folder == scratch { names.removeAll { $0.name.hasPrefix(LocalStorage.temporaryPrefix) } }
    for entry in try ordered(names, in: folder) {
      let path = folder + entry.name
      let isWalked = entry.kind == .folder && !stoppingAtSlash
      guard isWanted(path, isFolder: entry.kind != .file, isWalked: isWalked) else { continue }
      if isWalked { try walk(path, names: "") } else { try report(path, isFolder: entry.kind != .file) }
      if page.continuation != nil { return }
    }
  }

  /// Entries in the order of the paths they stand for, folders with their slash: `a.b`, `a/b`, `a0`; those that are
  /// links are links to folders.
  private func ordered(
    _ names: [FileSystem.Entry], in folder: String
  ) throws(StorageError) -> [FileSystem.Entry] {
    var entries: [FileSystem.Entry] = []
    entries.reserveCapacity(names.count)
    for var entry in names {
      if entry.kind == .unknown || entry.kind == .link {
        guard let kind = try kind(of: folder + entry.name) else { continue }
        entry.kind = kind
      }
      if entry.kind != .file { entry.name += "/" }
      entries.append(entry)
    }
    entries.sort { StoragePath.precedes($0.name, $1.name) }
    return entries
  }

  /// Looks at a name; nil where it stands for no object and no folder.
  private func kind(of path: String) throws(StorageError) -> FileSystem.Entry.Kind? {
    switch try look(path)?.kind {
    case .file: return .file
    case .folder:
      var own = FileSystem.Status()
      let isLink = FileSystem.status(ofName: storage.file(path), &own) == 0 && own.kind == .link
      return isLink ? .link : .folder
    default: return nil
    }
  }

  /// Whether a path, or something below it, comes after the page before and after where the listing begins.
  private func isWanted(_ path: String, isFolder: Bool, isWalked: Bool) -> Bool {
    func isBehind(_ text: String?, holds: Bool) -> Bool {
      guard let text, !StoragePath.precedes(text, path) else { return true }
      return holds && text.utf8.starts(with: path.utf8)
    }
    // A folder that the page before reported is done with; one in which the listing begins is not.
    return isBehind(continuation, holds: isWalked) && isBehind(after, holds: isFolder)
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
