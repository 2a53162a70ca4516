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
}
