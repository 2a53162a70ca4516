import Tarn
import TarnS3
import TarnStorage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A place that a user names, and the storage that it means; nothing else in this room knows what kinds there are.
struct UserLocation {
  /// What is at a place.
  enum Kind {
    case missing, folder
    /// A file, or a device.
    case file
  }

  let path: String
  /// Nil for one of the local disk.
  private let remote: S3Location?

  /// Takes a user's text.
  ///
  /// - Throws: ``CommandError`` for a URL that names no place.
  init(_ path: String) throws {
    self.path = path
    guard let scheme = StorageSchemes.scheme(of: path) else {
      remote = nil
      return
    }
    guard S3Location.isURL(path) else {
      throw CommandError(
        "\(path): there is no storage for \(scheme)://; name a folder or file, or s3://bucket/prefix")
    }
    remote = try Self.located { () throws(StorageError) in try S3Location(path) }
  }

  /// What is there by now; what is not on the local disk is taken for a folder, of which nothing need be there.
  var kind: Kind { remote == nil ? (try? found()) ?? .missing : .folder }

  /// The table at this place.
  ///
  /// - Throws: ``CommandError`` where what is said of S3 contradicts itself.
  func table(synchronizes: Bool) throws -> TableLocation {
    guard remote != nil else { return .local(path, synchronizes: synchronizes) }
    return try Self.located { () throws(StorageError) in
      try .s3(path, client: try RemoteAccess.current.client())
    }
  }

  /// The storage that holds a file or a folder, its name there, which is empty for a folder, and what to put before
  /// the storage's paths so that users know them.
  ///
  /// A key of S3 is taken for a file unless a slash ends it.
  ///
  /// - Throws: ``CommandError`` where there is none.
  func input() throws -> (storage: any Storage, name: String, prefix: String) {
    if let remote { return try Self.located { () throws(StorageError) in try input(remote) } }
    if try found() == .folder {
      return (LocalStorage(root: path), "", path.hasSuffix("/") ? path : path + "/")
    }
    guard let slash = path.lastIndex(of: "/") else { return (LocalStorage(root: "."), path, "") }
    let prefix = String(path[...slash])
    return (LocalStorage(root: prefix), String(path[path.index(after: slash)...]), prefix)
  }

  /// As ``input()``, where it need not be a file.
  func inputOrFolder() async throws -> (storage: any Storage, name: String, prefix: String) {
    let found = try input()
    guard remote != nil, !found.name.isEmpty else { return found }
    let isFolder: Bool
    do throws(StorageError) {
      let inside = try await found.storage.list(
        prefix: found.name + "/", stoppingAtSlash: false, continuation: nil)
      let isEmpty = inside.objects.isEmpty && inside.continuation == nil
      isFolder = try await !found.storage.exists(found.name) && !isEmpty
    } catch { throw CommandError("\(found.prefix)\(error)") }
    return isFolder ? try UserLocation(path + "/").input() : found
  }

  /// The storage of the folder above this one, this one's name there, and what to put before the storage's paths.
  ///
  /// - Throws: ``CommandError`` where there is none.
  func folderAbove() throws -> (storage: any Storage, name: String, prefix: String) {
    var folder = path[...]
    while folder.last == "/" { folder.removeLast() }
    if remote == nil {
      guard let real = realpath(String(folder), nil) else {
        throw CommandError("\(path): \(failureText(errno))")
      }
      defer { free(real) }
      folder = String(cString: real)[...]
    }
    guard let slash = folder.lastIndex(of: "/") else {
      throw CommandError("\(path): it has no folder above it")
    }
    let prefix = String(folder[...slash])
    return (try UserLocation(prefix).input().storage, String(folder[folder.index(after: slash)...]), prefix)
  }

  private func input(
    _ remote: S3Location
  ) throws(StorageError) -> (storage: any Storage, name: String, prefix: String) {
    let client = try RemoteAccess.current.client()
    let key = remote.prefix.dropLast()
    guard !path.hasSuffix("/"), !key.isEmpty else {
      return (try S3Storage(remote, client: client), "", remote.description + "/")
    }
    let slash = key.lastIndex(of: "/")
    let folder = try S3Location(bucket: remote.bucket, prefix: slash.map { String(key[..<$0]) } ?? "")
    let name = slash.map { key[key.index(after: $0)...] } ?? key
    return (try S3Storage(folder, client: client), String(name), folder.description + "/")
  }

  private static func located<Value>(_ body: () throws(StorageError) -> Value) throws -> Value {
    do { return try body() } catch { throw CommandError(error.description) }
  }

  private func found() throws -> Kind {
    var status = stat()
    guard stat(path, &status) == 0 else { throw CommandError("\(path): \(failureText(errno))") }
    return status.st_mode & S_IFMT == S_IFDIR ? .folder : .file
  }
}
