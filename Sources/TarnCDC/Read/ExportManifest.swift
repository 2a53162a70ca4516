import TarnBytes
import TarnColumns
public import TarnStorage

/// What the manifests of a table export say: which data files there are, and what is known of them.
///
/// By "Output format of DynamoDB table exports" in the Amazon DynamoDB Developer Guide. The data folder of incremental
/// exports is shared by all of them, and failed exports leave files behind, so that only the manifest tells what belongs
/// to one.
///
/// ```swift
/// let export = try await ExportManifest.read(
///   in: storage, at: "exports/AWSDynamoDB/01705312800000-a1b2c3d4/manifest-summary.json")
/// var reader = RecordReader(storage: storage, export: export)
/// ```
public struct ExportManifest: Sendable, Hashable {
  /// One data file.
  public struct File: Sendable, Hashable {
    /// Its path in the storage that has the manifest.
    public var path: String
    /// How many items or changes it has, which a reader compares; nil where the manifest does not say.
    public var itemCount: Int?
    /// The MD5 of its bytes, which a reader compares; nil where the manifest does not say.
    public var md5: [UInt8]?
  }

  /// The data files, in the manifest's order.
  public var files: [File] = []
  /// The DynamoDB table, of which the records say nothing; nil without a summary.
  public var tableName: String?
  /// As of when a full export has the items, in microseconds since 1970-01-01T00:00:00Z: the time of its records; nil
  /// without a summary, and for incremental exports, whose records have times of their own.
  public var exportTime: Int64?

  private static let summaryName = "manifest-summary.json"
  private static let filesName = "manifest-files.json"
  /// What a manifest may take: one of a table of 100 TB has some 20 MB.
  private static let greatestManifest = 1 << 30

  /// Whether a path is called as manifests are.
  public static func isManifest(_ path: String) -> Bool {
    let name = path.split(separator: "/").last ?? ""
    return name == summaryName || name == filesName
  }

  /// Whether a folder is that of an export, as it has a manifest right in it.
  ///
  /// - Parameter folder: Without a slash at its end; empty for the whole storage.
  /// - Returns: The path of the manifest; nil where there is none.
  public static func find(in storage: any Storage, folder: String) async throws(ChangeError) -> String? {
    let prefix = folder.isEmpty ? "" : folder + "/"
    do {
      for name in [summaryName, filesName] where try await storage.exists(prefix + name) {
        return prefix + name
      }
      return nil
    } catch { throw .storage(error) }
  }

  /// Reads the manifests of an export.
  ///
  /// Paths in them are those of the bucket that was exported to; they are taken from the folder `AWSDynamoDB` on, so that
  /// copies of an export are read, too. Where a checksum stands beside a manifest, it is compared.
  ///
  /// - Parameters:
  ///   - storage: The storage that has the manifests and the data; for incremental exports also the folder above the
  ///     manifests'.
  ///   - path: The path of `manifest-summary.json` or `manifest-files.json`.
  /// - Throws: ``ChangeError`` where a manifest is missing or malformed, does not have its checksum, or is that of an
  ///   export in Amazon Ion.
  public static func read(in storage: any Storage, at path: String) async throws(ChangeError)
    -> ExportManifest
  {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { String(path[..<$0]) } ?? ""
    let prefix = folder.isEmpty ? "" : folder + "/"
    var manifest = ExportManifest()
    let summaryPath = prefix + summaryName
    var hasSummary = path == summaryPath
    if !hasSummary {
      do { hasSummary = try await storage.exists(summaryPath) } catch { throw .storage(error) }
    }
    if hasSummary {
      try manifest.take(summary: try await checked(storage, summaryPath), summaryPath)
    }
    let filesPath = path == summaryPath ? prefix + filesName : path
    try manifest.take(files: try await checked(storage, filesPath), filesPath, folder)
    return manifest
  }

  /// The bytes of a manifest, compared with the checksum beside it.
  private static func checked(_ storage: any Storage, _ path: String) async throws(ChangeError) -> [UInt8] {
    let bytes: [UInt8]
    var checksum: [UInt8]?
    let checksumPath = String(path.dropLast(".json".count)) + ".checksum"
    do {
      bytes = try await storage.readAll(path, limit: greatestManifest)
      if try await storage.exists(checksumPath) {
        checksum = try await storage.readAll(checksumPath, limit: 4 << 10)
      }
    } catch { throw .storage(error) }
    if let checksum {
      let text = String(decoding: checksum, as: UTF8.self).filter { !$0.isWhitespace }
      guard Base64.decode(Array(text.utf8).span.bytes) == MD5.checksum(bytes.span.bytes) else {
        throw .checksum(path: path, "its MD5 is not the one in \(checksumPath)")
      }
    }
    return bytes
  }

  private mutating func take(summary: [UInt8], _ path: String) throws(ChangeError) {
    let parsed: JSONValue
    do { parsed = try JSONValue(parsing: summary) } catch { throw .manifest(path: path, "\(error)") }
    if let format = parsed["outputFormat"]?.string, format != "DYNAMODB_JSON" {
      if format == "ION" { throw .ion(path: path) }
      throw .manifest(path: path, "the export's format \"\(format.prefix(32))\" is not known")
    }
    // `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME`
    if let arn = parsed["tableArn"]?.string, let slash = arn.lastIndex(of: "/") {
      tableName = String(arn[arn.index(after: slash)...])
    }
    guard parsed["exportType"]?.string != "INCREMENTAL_EXPORT", let time = parsed["exportTime"]?.string else {
      return
    }
    guard let found = time.withBytes({ CivilTime.parse($0) }), !found.lostDigits else {
      throw .manifest(path: path, "exportTime \"\(time.prefix(40))\" is no time")
    }
    exportTime = found.microseconds
  }

  /// - Parameter folder: The manifest's folder.
  private mutating func take(files bytes: [UInt8], _ path: String, _ folder: String) throws(ChangeError) {
    let above = folder.lastIndex(of: "/").map { String(folder[...$0]) } ?? ""
    for (number, line) in bytes.split(separator: 0x0a).enumerated() {
      let place = "line \(number + 1)"
      let parsed: JSONValue
      do { parsed = try JSONValue(parsing: Array(line)) } catch {
        throw .manifest(path: path, "\(place): \(error)")
      }
      guard let key = parsed["dataFileS3Key"]?.string else {
        throw .manifest(path: path, "\(place): dataFileS3Key is missing")
      }
      let segments = key.split(separator: "/", omittingEmptySubsequences: false)
      guard let root = segments.lastIndex(of: "AWSDynamoDB"), root + 2 < segments.count,
        !segments.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." })
      else {
        throw .manifest(path: path, "\(place): \"\(key)\" is no data file in a folder AWSDynamoDB")
      }
      var file = File(path: "")
      let below = segments[(root + 2)...].joined(separator: "/")
      if segments[root + 1] == "data" {
        guard !folder.isEmpty else {
          throw .manifest(
            path: path, "its data is in the folder data beside its own: open the storage at the folder above")
        }
        file.path = "\(above)data/\(below)"
      } else {
        // The export's own folder, which may be called otherwise in a copy.
        file.path = folder.isEmpty ? below : "\(folder)/\(below)"
      }
      file.itemCount = parsed["itemCount"]?.integer
      if let text = parsed["md5Checksum"]?.string {
        guard let md5 = Base64.decode(Array(text.utf8).span.bytes), md5.count == 16 else {
          throw .manifest(path: path, "\(place): md5Checksum is no MD5 in base64")
        }
        file.md5 = md5
      }
      files.append(file)
    }
  }
}
