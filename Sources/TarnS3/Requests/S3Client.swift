internal import Synchronization
public import TarnAWS
public import TarnStorage

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
  /// What the options leave open is taken from the usual variables of the environment and from the shared files: region,
  /// endpoint, credentials, checksums.
  ///
  /// - Throws: ``TarnStorage/StorageError`` with code `failed` where they contradict themselves, as by a profile that no
  ///   file has.
  public init(_ options: S3Options = S3Options()) throws(StorageError) {
    let configuration: AWSConfiguration
    do throws(AWSError) {
      configuration = try AWSConfiguration(options.configured, world: options.world)
      self.options = try options.resolved(configuration)
    } catch { throw StorageError(.failed, path: "s3://", "\(error)", cause: error) }
    budget = UploadBudget(options.uploadMemory)
    let http = options.http ?? Self.shared
    let provider: any AWSCredentialsProvider =
      options.isAnonymous
      ? StaticCredentials.anonymous : options.credentials ?? AWSCredentialsChain(configuration, http: http)
    aws = AWSClient(
      http: http, credentials: provider, retry: options.retry, world: options.world,
      observer: options.observer)
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
