public import Tarn
public import TarnStorage

extension TableLocation {
  /// A prefix of a bucket, as `s3://bucket/prefix`.
  ///
  /// - Parameters:
  ///   - url: The URL; nothing need be there yet, but the bucket.
  ///   - options: How it is reached; what they leave open is taken from the environment.
  /// - Throws: ``TarnStorage/StorageError`` with code `invalidPath` where it is no such URL, or the endpoint is none; `failed`
  ///   where the configuration contradicts itself.
  public static func s3(
    _ url: String, _ options: S3Options = S3Options()
  ) throws(StorageError) -> TableLocation {
    try s3(url, client: try S3Client(options))
  }

  /// A prefix of a bucket that a client asks, which several tables may share.
  ///
  /// - Throws: As ``s3(_:_:)`` does.
  public static func s3(_ url: String, client: S3Client) throws(StorageError) -> TableLocation {
    let location = try S3Location(url)
    let storage = try S3Storage(location, client: client, scratch: ".hoodie/.temp")
    return .storage(storage, name: location.description)
  }
}

extension StorageSchemes {
  /// Registers `s3`, `s3a` and `s3n`, whose tables share one client.
  ///
  /// - Throws: As ``S3Client/init(_:)`` does.
  public mutating func registerS3(_ options: S3Options = S3Options()) throws(StorageError) {
    let client = try S3Client(options)
    for scheme in S3Location.schemes { register(scheme) { try .s3($0, client: client) } }
  }
}
