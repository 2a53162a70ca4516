import TarnStorage
import TarnTimeline

/// Where a table lives.
public struct TableLocation: Sendable {
  /// The storage whose root is the table's folder.
  public let storage: any Storage
  /// What hands out the lock of the table's writers; nil for the locks that the storage brings along.
  let locks: (any LockProvider)?
  /// The place as users know it, for messages.
  public let name: String

  /// A folder of the local file system.
  ///
  /// - Parameters:
  ///   - path: The folder; it need not exist yet.
  ///   - synchronizes: Whether files and folders are synced to the disk before a commit counts as done.
  public static func local(_ path: String, synchronizes: Bool = true) -> TableLocation {
    let storage = LocalStorage(root: path, scratch: ".hoodie/.temp", synchronizes: synchronizes)
    return TableLocation(storage: storage, locks: nil, name: path)
  }

  /// Any storage whose root is the table's folder.
  ///
  /// - Parameters:
  ///   - storage: The storage.
  ///   - locks: What hands out the lock of the table's writers, for a storage that is no
  ///     ``TarnStorage/LockProvider`` itself; without either, the table can only be read.
  ///   - name: The place as users know it, for messages.
  public static func storage(
    _ storage: any Storage, locks: (any LockProvider)? = nil, name: String
  ) -> TableLocation {
    TableLocation(storage: storage, locks: locks, name: name)
  }

  /// What hands out the lock of the table's writers.
  ///
  /// - Parameter storage: The location's storage, or one that differs in how long it waits.
  func lockProvider(of storage: any Storage) throws(StorageError) -> any LockProvider {
    if let locks = locks ?? storage.locks ?? self.storage.locks { return locks }
    throw StorageError(
      .unsupported, path: TablePaths.writerLock,
      "this storage has no locks, so that its table cannot be written; give the location some")
  }

  /// The last component of the name.
  var lastComponent: String {
    name.split(separator: "/").last { $0 != "." && $0 != ".." }.map(String.init) ?? "table"
  }
}
