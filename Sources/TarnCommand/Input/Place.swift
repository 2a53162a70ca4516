import Tarn
import TarnStorage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A place that a user names, and the storage that it means; nothing else in this room knows what kinds there are.
struct Place {
  /// What is at a place.
  enum Kind {
    case missing, folder
    /// A file, or a device.
    case file
  }

  let path: String

  /// Takes a user's text.
  ///
  /// - Throws: ``CommandError`` for places that come later.
  init(_ path: String) throws {
    try refuseRemote(path)
    self.path = path
  }

  /// What is there by now.
  var kind: Kind { (try? found()) ?? .missing }

  /// The table at this place.
  func table(synchronizes: Bool) -> TableLocation { .local(path, synchronizes: synchronizes) }

  /// The storage that holds a file or a folder, its name there, which is empty for a folder, and what to put before
  /// the storage's paths so that users know them.
  ///
  /// - Throws: ``CommandError`` where there is none.
  func input() throws -> (storage: any Storage, name: String, prefix: String) {
    if try found() == .folder {
      return (LocalStorage(root: path), "", path.hasSuffix("/") ? path : path + "/")
    }
    guard let slash = path.lastIndex(of: "/") else { return (LocalStorage(root: "."), path, "") }
    let prefix = String(path[...slash])
    return (LocalStorage(root: prefix), String(path[path.index(after: slash)...]), prefix)
  }

  private func found() throws -> Kind {
    var status = stat()
    guard stat(path, &status) == 0 else { throw CommandError("\(path): \(failureText(errno))") }
    return status.st_mode & S_IFMT == S_IFDIR ? .folder : .file
  }
}

/// Refuses places that come later.
func refuseRemote(_ path: String) throws {
  if path.hasPrefix("s3://") {
    throw CommandError("\(path): S3 comes later; name a folder or file of the local disk")
  }
}
