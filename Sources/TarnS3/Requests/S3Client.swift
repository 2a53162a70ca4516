internal import Synchronization
public import TarnAWS
internal import TarnStorage

/// Sends requests to S3, and keeps what is learnt of its buckets: their regions, and which conditions they heed.
///
/// Storages of one client share its connections and what it knows.
public final class S3Client: Sendable {
  let options: S3Options
  let aws: AWSClient
  let budget: UploadBudget
  private let buckets = Mutex<[String: S3Bucket]>([:])

  /// One for all clients that are given none, since connections are worth keeping.
  private static let shared = HTTPClient(HTTPOptions(world: .system))

  /// Makes a client; nothing is connected yet.
  ///
  /// What the options leave open is taken from the environment: `AWS_REGION` or `AWS_DEFAULT_REGION`,
  /// `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, `AWS_REQUEST_CHECKSUM_CALCULATION`, and the credentials.
  public init(_ options: S3Options = S3Options()) {
    let options = options.resolved()
    self.options = options
    budget = UploadBudget(options.uploadMemory)
    aws = AWSClient(
      http: options.http ?? Self.shared, credentials: options.provider(), retry: options.retry,
      world: options.world, observer: options.observer)
  }

  /// How many requests were sent so far, and how many bytes.
  public var counts: RequestCounts { aws.counts }

  /// The time by the server's clock, in microseconds since 1970-01-01T00:00:00Z, as far as its answers have told.
  public var serverTime: Int64 { aws.serverTime }

  /// What sends the requests of a bucket.
  func bucket(_ name: String) throws(StorageError) -> S3Bucket {
    if let known = buckets.withLock({ $0[name] }) { return known }
    let made = S3Bucket(self, try BucketAddress(name, options))
    return buckets.withLock { buckets in
      let bucket = buckets[name] ?? made
      buckets[name] = bucket
      return bucket
    }
  }
}
