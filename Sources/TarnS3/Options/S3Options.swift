public import TarnAWS

/// How S3, or a server that speaks its protocol, is reached and asked.
public struct S3Options: Sendable {
  /// How objects are encrypted where they are kept.
  public enum Encryption: Sendable, Hashable {
    /// By keys of the service.
    case s3
    /// By a key of the key management service; nil for the account's own.
    case kms(keyID: String?)
  }

  /// When checksums are sent beside what the signature covers.
  public enum Checksums: Sendable, Hashable {
    /// With every object and part, and looked at where an answer has them.
    case always
    /// Only where the service insists, for servers that do not understand them.
    case whenRequired
  }

  /// The bucket's region; nil for what environment and profile say, or else the bucket's answers, which costs a request.
  public var region: String?
  /// The profile of the shared files; nil for what the environment says.
  public var profile: String?
  /// The server's URL, as `http://127.0.0.1:9000`; nil for that of the region.
  public var endpoint: String?
  /// What signs; nil for the usual places.
  public var credentials: (any AWSCredentialsProvider)?
  /// Whether requests are not signed, for buckets that everybody may read.
  public var isAnonymous = false
  /// Whether a bucket is named in the path of a URL and not in its server's name.
  ///
  /// Nil: where ``endpoint`` is given, and where a bucket's name has dots, which no certificate covers.
  public var usesPathStyle: Bool?
  /// Whether the region's server is asked that also has an address of IPv6.
  public var usesDualStack = false
  /// How objects are encrypted; nil for the bucket's own way.
  public var encryption: Encryption?
  /// Whether the account that asks pays for the requests.
  public var isRequesterPays = false
  /// When checksums are sent.
  public var checksums = Checksums.always
  /// Bytes of a part of an object that is written as a stream, at least 5 MiB; later parts of a very large object are
  /// larger, since it may have 10,000.
  public var partSize = 8 << 20
  /// Bytes of parts on their way to the server at once, of all objects that are written; one part always is.
  public var uploadMemory = 48 << 20
  /// Requests under way at once that pay.
  public var requestsAtOnce = 64
  /// Keys on one page of a listing, at most 1,000.
  public var pageSize = 1_000
  /// When a request is given up.
  public var retry = RetryPolicy()
  /// How long an attempt may take.
  public var timeouts = HTTPTimeouts()
  /// What keeps connections; nil for one that all clients of the process share, and that follows its environment.
  public var http: HTTPClient?
  /// Told of each attempt of a request when it has ended.
  public var observer: (@Sendable (RequestEvent) -> Void)?
  /// Clock, waits, randomness and environment.
  public var world = AWSWorld.system

  /// The defaults, to which ``S3Client`` adds what the environment says.
  public init() {}
}

extension S3Options {
  /// These options, with what they leave open taken from the environment and the shared files.
  func resolved(_ configuration: AWSConfiguration) throws(AWSError) -> S3Options {
    var options = self
    options.region = configuration.region
    if endpoint == nil { options.endpoint = try configuration.endpoint(for: .s3)?.description }
    func setting(_ variable: String, _ name: String) -> String? {
      (world.variable(variable) ?? configuration.setting(name))?.lowercased()
    }
    if setting("AWS_REQUEST_CHECKSUM_CALCULATION", "request_checksum_calculation") == "when_required" {
      options.checksums = .whenRequired
    }
    if setting("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint") == "true" {
      options.usesDualStack = true
    }
    if usesPathStyle == nil {
      switch configuration.setting("s3.addressing_style") {
      case "path": options.usesPathStyle = true
      case "virtual": options.usesPathStyle = false
      default: break
      }
    }
    options.partSize = min(max(partSize, PartSizes.least), PartSizes.greatest)
    options.pageSize = min(max(pageSize, 1), 1_000)
    options.requestsAtOnce = max(requestsAtOnce, 1)
    return options
  }

  /// What they say of region, profile and credentials.
  var configured: AWSConfiguration.Options {
    var configured = AWSConfiguration.Options()
    configured.region = region
    configured.profile = profile
    configured.isAnonymous = isAnonymous
    return configured
  }
}
