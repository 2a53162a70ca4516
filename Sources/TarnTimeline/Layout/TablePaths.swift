/// Where the parts of a table lie, relative to its root.
package enum TablePaths {
  /// Folder of the timeline and of everything else that is no data.
  package static let folder = ".hoodie/"
  /// The table's properties.
  package static let properties = ".hoodie/hoodie.properties"
  /// A copy that is there while the properties change.
  package static let propertiesBackup = ".hoodie/hoodie.properties.backup"
  /// Folder of temporaries and markers; nothing temporary lies in a partition's folder.
  package static let temporaries = ".hoodie/.temp/"
  /// Folder of the signs of life of writers.
  package static let heartbeats = ".hoodie/.heartbeat/"
  /// Folder of the metadata table.
  package static let metadataTable = ".hoodie/metadata/"
  /// Folder of tombstones of keys whose partition is not known.
  package static let tombstones = ".hoodie/tarn/tombstones/"
  /// Folder of Hudi's storage-based lock.
  package static let locks = ".hoodie/.locks/"
  /// The lock of earlier builds, which means nothing any more.
  package static let writerLock = ".hoodie/.tarn.lock"

  /// Joins a partition path, which may be empty, and a file's name.
  package static func join(_ partition: String, _ name: String) -> String {
    partition.isEmpty ? name : partition + "/" + name
  }

  /// The name at the end of a path.
  package static func name(of path: String) -> String {
    path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[path.utf8.index(after: $0)...]) } ?? path
  }

  /// The folder of a path, without its slash; empty where it has none.
  package static func folder(of path: String) -> String {
    path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? ""
  }
}
