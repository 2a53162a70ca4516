public import TarnStorage

/// Where change records and rows lie.
public enum ChangeSource {
  /// The files that a path stands for, in the order of their paths.
  ///
  /// A file stands for itself, whatever its name. A folder stands for the files in it and below it whose names end
  /// in `.json`, `.jsonl`, `.gz` or `.zst`, or have no ending; names that begin with a dot are passed over.
  ///
  /// - Parameters:
  ///   - storage: The storage that holds them.
  ///   - path: A file, or a folder with or without a slash at its end; empty for everything.
  /// - Throws: ``ChangeError`` where nothing is there, or the storage cannot be read.
  public static func files(
    in storage: any Storage, under path: String
  ) async throws(ChangeError) -> [String] {
    var folder = path
    while folder.hasSuffix("/") { folder.removeLast() }
    do {
      if !folder.isEmpty, folder == path, try await storage.exists(path) { return [path] }
      let prefix = folder.isEmpty ? "" : folder + "/"
      let found = try await paths(in: storage, below: prefix)
      let files = found.filter { isRead($0.dropFirst(prefix.count)) }
      guard !files.isEmpty else { throw ChangeError.nothingToRead(path: path) }
      return files
    } catch let error as StorageError {
      throw .storage(error)
    } catch let error as ChangeError {
      throw error
    } catch {
      throw .handler("\(error)")
    }
  }

  /// All objects below a prefix, those behind symbolic links to folders too, in the order of their paths.
  private static func paths(
    in storage: any Storage, below prefix: String
  ) async throws(StorageError) -> [String] {
    var found: [String] = []
    var open = [prefix]
    while let next = open.popLast() {
      let page = try await storage.listAll(prefix: next)
      found += page.objects.map(\.path)
      open += page.folders
    }
    return found.sorted(by: StoragePath.precedes)
  }

  private static func isRead(_ path: Substring) -> Bool {
    let segments = path.split(separator: "/")
    guard let name = segments.last, !segments.contains(where: { $0.hasPrefix(".") }) else { return false }
    guard let dot = name.lastIndex(of: ".") else { return true }
    return ["json", "jsonl", "gz", "zst"].contains(String(name[name.index(after: dot)...]))
  }
}
