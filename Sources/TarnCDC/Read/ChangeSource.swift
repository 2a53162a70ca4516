import TarnBytes
import TarnCompression
public import TarnStorage

/// Where change records and rows lie.
public enum ChangeSource {
  /// What a folder holds.
  public struct Listing: Sendable, Hashable {
    /// The files that are read, in the order of their paths.
    public var files: [String] = []
    /// The files that are not, in the same order.
    public var left: [String] = []
  }

  /// The files that a path stands for, in the order of their paths; see ``list(in:under:)``.
  public static func files(
    in storage: any Storage, under path: String
  ) async throws(ChangeError) -> [String] {
    try await list(in: storage, under: path).files
  }

  /// The files that a path stands for.
  ///
  /// A file stands for itself, whatever its name. A folder stands for all files in it and below it, whatever their
  /// names end in, but for hidden ones, whose name or folder begins with a dot, markers of other tools, whose name or
  /// folder begins with `_`, as of `_SUCCESS`, or whose name ends in `.crc`, and Parquet files, whose first bytes tell.
  /// Where there is nothing but Parquet files they are read: a delivery stream that converts its records writes no others.
  ///
  /// - Parameters:
  ///   - storage: The storage that holds them.
  ///   - path: A file, or a folder with or without a slash at its end; empty for everything.
  /// - Throws: ``ChangeError`` where there is nothing to read, or the storage cannot be read.
  public static func list(
    in storage: any Storage, under path: String
  ) async throws(ChangeError) -> Listing {
    var folder = path
    while folder.hasSuffix("/") { folder.removeLast() }
    var listing = Listing()
    var parquet: [String] = []
    do throws(StorageError) {
      if !folder.isEmpty, folder == path, try await storage.exists(path) { return Listing(files: [path]) }
      let prefix = folder.isEmpty ? "" : folder + "/"
      for object in try await objects(in: storage, below: prefix) {
        guard isDelivered(object.path.dropFirst(prefix.count)) else {
          listing.left.append(object.path)
          continue
        }
        if try await isParquet(storage, object.path, object.size) {
          parquet.append(object.path)
        } else {
          listing.files.append(object.path)
        }
      }
      if listing.files.isEmpty {
        listing.files = parquet
      } else if !parquet.isEmpty {
        listing.left = (listing.left + parquet).sorted { StoragePath.precedes($0, $1) }
      }
    } catch {
      throw .storage(error)
    }
    guard !listing.files.isEmpty else { throw .nothingToRead(path: path) }
    return listing
  }

  /// Makes a reader of what a path stands for: of an export's manifest its data files, else of ``files(in:under:)``.
  ///
  /// - Throws: ``ChangeError`` where there is nothing to read, or the storage cannot be read.
  public static func reader(
    of storage: any Storage, under path: String
  ) async throws(ChangeError) -> RecordReader {
    if ExportManifest.isManifest(path) {
      return RecordReader(storage: storage, export: try await ExportManifest.read(in: storage, at: path))
    }
    return RecordReader(storage: storage, paths: try await files(in: storage, under: path))
  }

  /// All objects below a prefix, those behind symbolic links to folders too, in the order of their paths.
  private static func objects(
    in storage: any Storage, below prefix: String
  ) async throws(StorageError) -> [ObjectInfo] {
    var found: [ObjectInfo] = []
    var open = [prefix]
    while let next = open.popLast() {
      let page = try await storage.listAll(prefix: next)
      found += page.objects
      open += page.folders
    }
    return found.sorted { StoragePath.precedes($0.path, $1.path) }
  }

  /// Whether a file is neither hidden nor a marker.
  private static func isDelivered(_ path: Substring) -> Bool {
    let segments = path.split(separator: "/")
    return !HadoopChecksum.isChecksum(path) && !segments.contains { $0.hasPrefix(".") || $0.hasPrefix("_") }
  }

  /// Whether a file begins as Parquet files do.
  public static func isParquet(
    _ storage: any Storage, _ path: String, _ size: Int
  ) async throws(StorageError) -> Bool {
    guard size >= 4 else { return false }
    var head = ByteBuffer()
    try await storage.read(path, range: 0..<4, into: &head)
    return head.bytes.withUnsafeBytes { $0.elementsEqual("PAR1".utf8) }
  }

  /// Whether a file begins as JSON records do, or as compressed files.
  public static func isRecords(
    _ storage: any Storage, _ path: String, _ size: Int
  ) async throws(StorageError) -> Bool {
    var head = ByteBuffer()
    try await storage.read(path, range: 0..<min(size, headBytes), into: &head)
    return StreamDecoder.Format(head.bytes) != nil
  }

  /// Bytes that tell what a file holds, but for blanks before its first record.
  private static let headBytes = 4 << 10
}
