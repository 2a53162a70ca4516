import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif
#if os(Linux)
  import CFileCopy
#endif

/// Whether a file system has what replacing a file needs: locks that every process sees that reaches the file, and
/// renames that no cache hides.
///
/// Over a network, and in file systems that a process serves, a lock may be one machine's own, and a file that was
/// replaced may be seen as it was for seconds.
package final class FileSystemKind: Sendable {
  /// What was found out; nil before that.
  private let refusal = Mutex<String??>(nil)

  /// Checks the file system of a folder, once for all.
  ///
  /// - Throws: ``StorageError`` with code `unsupported`.
  func check(_ folder: String, for path: String) throws(StorageError) {
    let name = refusal.withLock { found -> String? in
      if let found { return found }
      // What is not there yet is asked again.
      guard let name = Self.unfitName(of: folder) else { return nil }
      found = .some(name.isEmpty ? nil : name)
      return name.isEmpty ? nil : name
    }
    guard let name else { return }
    throw StorageError(
      .unsupported, path: path,
      "\(folder) is on \(name), where another machine's writer cannot be excluded: tables there are only read; keep them "
        + "on a disk of this machine, or in an object store")
  }

  /// The name of a file system that does not fit, empty for one that does; nil where the folder cannot be asked.
  private static func unfitName(of folder: String) -> String? {
    var info = statfs()
    guard FileSystem.repeating({ Int(statfs(folder, &info)) }) == 0 else { return nil }
    #if os(Linux)
      return name(ofKind: UInt32(truncatingIfNeeded: info.f_type)) ?? ""
    #else
      let kind = withUnsafeBytes(of: info.f_fstypename) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      return ["nfs", "smbfs", "webdav", "afpfs", "macfuse", "osxfuse"].contains(kind) ? kind : ""
    #endif
  }

  /// The names of file systems that do not fit, by the numbers that Linux gives them.
  package static func name(ofKind kind: UInt32) -> String? {
    switch kind {
    case 0x6969: "NFS"
    case 0x517b, 0xff53_4d42, 0xfe53_4d42: "SMB"
    case 0x6573_5546: "a file system that a process serves (FUSE)"
    case 0x0102_1997: "9P"
    case 0x5346_414f: "AFS"
    case 0x7375_7245: "Coda"
    case 0x00c3_6400: "CephFS"
    default: nil
    }
  }
}
