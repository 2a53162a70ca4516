/// The rules every storage applies to paths, and the order it lists them in.
///
/// Swift compares strings by canonical equivalence, and file systems by bytes: two names that differ
/// only in their normalization are two objects. So everything here works on UTF-8.
public enum StoragePath {
  /// Checks that a path may name an object.
  ///
  /// - Throws: ``StorageError`` with code `invalidPath` where it is empty, holds a NUL, or has a segment that is empty,
  ///   `.`, `..` or longer than ``longestName``.
  public static func check(_ path: String) throws(StorageError) {
    try check(segmentsOf: path, lastIsOpen: false)
  }

  /// The most bytes of a segment's UTF-8: file systems take no longer names, and what is written for one storage can
  /// be copied to another.
  public static let longestName = 255

  /// Checks that a text may be the beginning of paths: as ``check(_:)``, but what follows the last slash
  /// may be anything, and the whole may be empty.
  ///
  /// - Throws: ``StorageError`` with code `invalidPath`.
  public static func checkPrefix(_ prefix: String) throws(StorageError) {
    try check(segmentsOf: prefix, lastIsOpen: true)
  }

  /// Whether a path comes before another in a listing: by the bytes of their UTF-8.
  public static func precedes(_ path: String, _ other: String) -> Bool {
    var (path, other) = (path, other)
    return path.withUTF8 { left in
      other.withUTF8 { right in
        let shared = min(left.count, right.count)
        // Paths of one folder begin alike, so that most of the bytes are passed over here.
        for index in 0..<shared where left[index] != right[index] { return left[index] < right[index] }
        return left.count < right.count
      }
    }
  }

  /// The path up to and with its last slash (empty where there is none), and what follows it.
  static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ("", path) }
    let start = path.utf8.index(after: slash)
    return (String(path[..<start]), String(path[start...]))
  }

  private static func check(segmentsOf path: String, lastIsOpen: Bool) throws(StorageError) {
    var length = 0
    var dots = 0
    for byte in path.utf8 {
      switch byte {
      case UInt8(ascii: "/"):
        try checkSegment(of: path, length: length, dots: dots)
        length = 0
        dots = 0
        continue
      case 0: throw StorageError(.invalidPath, path: path, "the path holds a NUL character; leave it out")
      case UInt8(ascii: "."): dots += 1
      default: break
      }
      length += 1
    }
    if lastIsOpen, length <= longestName { return }
    try checkSegment(of: path, length: length, dots: dots)
  }

  private static func checkSegment(of path: String, length: Int, dots: Int) throws(StorageError) {
    guard length <= longestName else { throw tooLong(path) }
    guard length == 0 || (length == dots && length <= 2) else { return }
    throw StorageError(
      .invalidPath, path: path,
      "the path is empty or has an empty, '.' or '..' segment; "
        + "give segments joined by single slashes, relative to the storage's root")
  }

  private static func tooLong(_ path: String) -> StorageError {
    let names = path.split(separator: "/")
    let name = names.first { $0.utf8.count > longestName } ?? ""
    return StorageError(
      .invalidPath, path: path,
      "the name \"\(name.prefix(32))…\" has \(name.utf8.count) bytes, and a file or folder has \(longestName) at most; "
        + "choose a shorter one")
  }
}
