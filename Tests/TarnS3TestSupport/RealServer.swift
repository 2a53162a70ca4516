import Synchronization
import TarnAWS
import TarnS3
import TarnStorage
import TarnTestSupport
import Testing

/// The real server that `Tests/s3-server` starts, with a bucket of its own for each run of the tests.
public struct RealServer: Sendable {
  /// Where it is reached.
  public let endpoint: String
  /// Credentials that it takes.
  public let credentials: AWSCredentials
  /// The bucket.
  public let bucket: String

  /// Finds the server; skips the test where it does not run.
  public init(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let endpoint = TestWorld.environment("TARN_S3_ENDPOINT")
    try TestWorld.require(
      "an S3 server (Tests/run starts one; or: eval \"$(Tests/s3-server start)\")", endpoint != nil,
      sourceLocation: sourceLocation)
    self.endpoint = endpoint ?? ""
    credentials = AWSCredentials(
      accessKeyID: TestWorld.environment("TARN_S3_ACCESS_KEY") ?? "",
      secretAccessKey: Secret(TestWorld.environment("TARN_S3_SECRET_KEY") ?? ""))
    bucket = try await Self.bucket.value(self.endpoint, credentials)
  }

  /// Options that reach it.
  public func options(_ change: (inout S3Options) -> Void = { _ in }) -> S3Options {
    var options = S3Options()
    options.endpoint = endpoint
    options.region = "us-east-1"
    options.credentials = StaticCredentials(credentials)
    change(&options)
    return options
  }

  /// An empty prefix.
  public func location() throws -> S3Location {
    try S3Location(bucket: bucket, prefix: "t\(Self.number.add(1, ordering: .relaxed).newValue)")
  }

  /// A storage at an empty prefix.
  public func storage(_ change: (inout S3Options) -> Void = { _ in }) throws -> S3Storage {
    try S3Storage(location(), client: try S3Client(options(change)))
  }

  /// The variables by which the command finds it.
  public var variables: [String: String] {
    [
      "AWS_ENDPOINT_URL_S3": endpoint, "AWS_REGION": "us-east-1",
      "AWS_ACCESS_KEY_ID": credentials.accessKeyID,
      "AWS_SECRET_ACCESS_KEY": TestWorld.environment("TARN_S3_SECRET_KEY") ?? "",
    ]
  }

  private static let number = Atomic(0)
  private static let bucket = MadeBucket()
}

/// A bucket that is made once.
private actor MadeBucket {
  private var name: Task<String, any Error>?

  func value(_ endpoint: String, _ credentials: AWSCredentials) async throws -> String {
    let task = name ?? Task { try await Self.make(endpoint, credentials) }
    name = task
    return try await task.value
  }

  private static func make(_ endpoint: String, _ credentials: AWSCredentials) async throws -> String {
    var generator = SystemRandomNumberGenerator()
    let name = "tarn-\(generator.next() as UInt64)"
    let server = try #require(AWSEndpoint(endpoint))
    let client = AWSClient(http: HTTPClient(), credentials: StaticCredentials(credentials))
    _ = try await client.send(AWSRequest("PUT", "/" + name, of: .s3, in: "us-east-1", at: server))
    return name
  }
}
