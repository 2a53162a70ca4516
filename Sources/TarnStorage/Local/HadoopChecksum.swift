/// The checksum file `.NAME.crc` that Hadoop keeps beside each file it writes to a local disk.
///
/// Hadoop refuses a file that its checksum file does not fit, and reads one without. ``LocalStorage`` removes it
/// with its file; nothing else need know of it, but to pass it over in a listing.
public enum HadoopChecksum {
  private static let ending = ".crc"

  /// The path of the checksum file of a file.
  public static func path(of path: String) -> String {
    let (folder, name) = StoragePath.split(path)
    return "\(folder).\(name)\(ending)"
  }

  /// Whether a name, or a path, is one that checksum files have.
  public static func isChecksum(_ name: some StringProtocol) -> Bool { name.hasSuffix(ending) }
}
