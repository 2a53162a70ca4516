import TarnStorage

/// Where a table lives.
public struct TableLocation: Sendable {
  /// The storage whose root is the table's folder.
  public let storage: any Storage
  /// The place as other engines know it: a whole path, or a URI.
  let base: String
  /// The place as users know it, for messages.
  public let name: String

  /// A folder of the local file system.
  ///
  /// - Parameters:
  ///   - path: The folder; it need not exist yet.
  ///   - synchronizes: Whether files and folders are synced to the disk before a commit counts as done.
  public static func local(_ path: String, synchronizes: Bool = true) -> TableLocation {
    let storage = LocalStorage(root: path, scratch: ".hoodie/.temp", synchronizes: synchronizes)
    return TableLocation(storage: storage, base: storage.absoluteRoot, name: path)
  }

  /// Any storage whose root is the table's folder.
  ///
  /// - Parameters:
  ///   - storage: The storage.
  ///   - name: The place as users know it, for messages.
  public static func storage(
    _ storage: any Storage, name: String
  ) -> TableLocation {
    TableLocation(storage: storage, base: name, name: name)
  }

  /// The last component of the name.
  var lastComponent: String {
    name.split(separator: "/").last { $0 != "." && $0 != ".." }.map(String.init) ?? "table"
  }
}

extension TableSettings {
  /// Where rows go that are sorted and do not fit into the memory.
  ///
  /// - Throws: ``TableError``, `storage` where the folder cannot be made, or where others may write into it.
  func scratch() throws(TableError) -> any Storage {
    let path = "\(temporaryFolder)/tarn-\(SystemWorld.user)"
    guard SystemWorld.makePrivateFolder(path) else {
      throw TableError(
        .storage,
        "\(path): this folder for rows that are sorted cannot be made, or belongs to others or is open to them: remove it, or "
          + "name another place for temporary files (TMPDIR)", path: path)
    }
    return LocalStorage(root: path, scratch: ".scratch", synchronizes: false)
  }
}
