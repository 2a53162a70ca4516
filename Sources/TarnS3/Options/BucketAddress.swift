internal import TarnAWS
internal import TarnStorage

/// Where a bucket is reached, region by region.
struct BucketAddress: Sendable {
  let bucket: String
  private let endpoint: AWSEndpoint?
  private let usesPathStyle: Bool
  private let usesDualStack: Bool

  /// - Throws: `invalidPath` where the endpoint is no URL.
  init(_ bucket: String, _ options: S3Options) throws(StorageError) {
    self.bucket = bucket
    if let text = options.endpoint {
      guard let endpoint = AWSEndpoint(text) else {
        throw StorageError(
          .invalidPath, path: text, "the endpoint is no URL of HTTP; give one as http://127.0.0.1:9000")
      }
      self.endpoint = endpoint
    } else {
      endpoint = nil
    }
    let isPlainName = !bucket.contains(".") && !bucket.contains("_") && bucket == bucket.lowercased()
    usesPathStyle = options.usesPathStyle ?? (endpoint != nil || !isPlainName)
    usesDualStack = options.usesDualStack
  }

  /// The server to ask, if the bucket is in a region.
  func endpoint(in region: String) -> AWSEndpoint {
    let server = endpoint ?? AWSEndpoint(host: host(of: region))
    return usesPathStyle ? server : server.prefixed(by: bucket)
  }

  /// The path of the bucket, or of a key in it, percent-encoded.
  func path(of key: String?) -> String {
    let bucketPath = usesPathStyle ? "/" + PercentEncoding.encode(bucket) : ""
    guard let key else { return bucketPath.isEmpty ? "/" : bucketPath }
    return bucketPath + "/" + PercentEncoding.encode(path: key)
  }

  /// A key as the source of a copy.
  func source(_ key: String) -> String {
    "/" + PercentEncoding.encode(bucket) + "/" + PercentEncoding.encode(path: key)
  }

  /// What tells one store from another, for what is learnt of it and for people.
  var name: String { endpoint.map { "\($0)/\(bucket)" } ?? "s3://\(bucket)" }

  private func host(of region: String) -> String {
    let domain = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
    return "s3." + (usesDualStack ? "dualstack." : "") + region + "." + domain
  }
}
