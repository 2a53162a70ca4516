import TarnStorage

/// Where the parts of a table lie, relative to its root.
public enum TablePaths {
  /// Folder of the timeline and of everything else that is no data.
  public static let folder = ".hoodie/"
  /// The table's properties.
  public static let properties = ".hoodie/hoodie.properties"
  /// A copy that is there while the properties change.
  public static let propertiesBackup = ".hoodie/hoodie.properties.backup"
  /// Folder of temporaries and markers; nothing temporary lies in a partition's folder.
  public static let temporaries = ".hoodie/.temp/"
  /// Folder of the metadata table.
  public static let metadataTable = ".hoodie/metadata/"
  /// Folder of tombstones of keys whose partition is not known.
  public static let tombstones = ".hoodie/tarn/tombstones/"
  /// The lock that a writer of Tarn holds.
  public static let writerLock = ".hoodie/.tarn.lock"

  /// Joins a partition path, which may be empty, and a file's name.
  public static func join(_ partition: String, _ name: String) -> String {
    partition.isEmpty ? name : partition + "/" + name
  }

  /// The checksum file that Hadoop's local file system keeps beside a file, and refuses the file for if it does not fit.
  public static func checksumFile(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." + path + ".crc" }
    let name = path[path.index(after: slash)...]
    return path[...slash] + "." + name + ".crc"
  }
}

extension Storage {
  /// Deletes a file of a table, and the checksum file that Spark may have left beside it.
  public func deleteWithChecksum(_ path: String) async throws(TimelineError) {
    do {
      try await delete(path)
      try await delete(TablePaths.checksumFile(of: path))
    } catch { throw TimelineError(error) }
  }
}
