import TarnCDC
import TarnStorage

/// A file or folder that a user names, as a storage and a path in it.
struct InputSource {
  /// The file's folder, or the folder itself.
  let storage: any Storage
  /// The file's name; empty for a folder.
  let name: String
  /// What to put before paths of the storage so that users know them.
  let prefix: String

  /// A file.
  ///
  /// - Throws: ``CommandError`` where there is none.
  static func file(_ path: String) throws -> InputSource {
    let source = InputSource(try UserLocation(path).input())
    guard !source.name.isEmpty else { throw CommandError("\(path): it is a folder; name files") }
    return source
  }

  /// A file or folder.
  ///
  /// - Throws: ``CommandError`` where there is none.
  static func any(_ path: String) async throws -> InputSource {
    InputSource(try await UserLocation(path).inputOrFolder())
  }

  /// A file or folder of change records; of a table export, or one of its manifests, the export.
  ///
  /// - Throws: ``CommandError`` where there is none.
  static func changes(_ path: String) async throws -> InputSource {
    let source = try await any(path)
    var manifest = ExportManifest.isManifest(source.name) ? source.name : nil
    if source.name.isEmpty {
      manifest = try await source.located { try await ExportManifest.find(in: source.storage, folder: "") }
    }
    guard let manifest else { return source }
    // The data of incremental exports lies beside the manifests' folder.
    let above = try UserLocation(source.prefix).folderAbove()
    return InputSource((above.storage, "\(above.name)/\(manifest)", above.prefix))
  }

  private init(_ place: (storage: any Storage, name: String, prefix: String)) {
    (storage, name, prefix) = place
  }

  /// Whether it is a Parquet file by its first bytes, or by its name where these tell nothing else.
  func isParquet() async throws -> Bool {
    try await located {
      let size = try await storage.info(of: name).size
      if try await ChangeSource.isParquet(storage, name, size) { return true }
      guard name.hasSuffix(".parquet") else { return false }
      return try await !ChangeSource.isRecords(storage, name, size)
    }
  }

  /// Runs a body, and gives its errors the path as users know it.
  func located<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async throws -> Result {
    do { return try await body() } catch let error as StorageError {
      throw CommandError(prefix + error.description)
    } catch let error as ChangeError {
      switch error.code {
      case .storage, .compression, .nothingToRead, .unsupportedFormat, .manifest, .checksum, .parquet:
        throw CommandError(prefix + error.description)
      default: throw CommandError(error.description)
      }
    }
  }
}
