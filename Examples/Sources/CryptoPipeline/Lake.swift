import Tarn
import TarnS3
import TarnStorage

/// Where the stream's objects and the table lie.
struct Lake {
  let landing: any Storage
  let location: TableLocation
  /// The table as its users name it.
  let table: String

  /// The folder into which the stream was written; or a prefix in S3, to which its objects are copied.
  ///
  /// - Throws: ``UsageError`` where something is there already; what the storages throw.
  init(_ url: String?, _ folder: OutputFolder) async throws {
    let written = LocalStorage(root: folder.landing)
    guard let url else {
      (landing, location, table) = (written, .local(folder.table), folder.table)
      return
    }
    let client = try S3Client()
    let bucket = try S3Storage(S3Location(url + "/landing"), client: client)
    table = url + "/trades"
    location = try .s3(table, client: client)
    let found = try await location.storage.list(
      prefix: "", after: nil, stoppingAtSlash: true, continuation: nil)
    guard found.objects.isEmpty, found.folders.isEmpty else {
      throw UsageError("something is at \(table) already: choose another prefix")
    }
    for object in try await written.listAll(prefix: "").objects {
      try await bucket.put(try await written.readAll(object.path), at: object.path, if: .always)
    }
    landing = bucket
  }
}
