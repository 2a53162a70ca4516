import Synchronization
import TarnAWS
import TarnS3
import TarnStorage
import TarnTestSupport
import Testing

/// A storage on a scripted server, in manual time, that has passed the trial of conditions unless a test plays that.
struct ScriptedStore {
  typealias Answer = ScriptedServer.Answer

  let server: ScriptedServer
  let time = ManualTime()
  let storage: S3Storage
  let client: S3Client
  private let seen = Seen()

  /// - Parameter script: What is answered to each request but those of the trial of conditions, which are numbered from
  ///   0 on.
  init(
    prefix: String = "root", heedsTrial: Bool = true, _ change: (inout S3Options) -> Void = { _ in },
    _ script: @escaping @Sendable (WireRequest) -> Answer
  ) throws {
    let seen = seen
    server = try ScriptedServer { request in
      if heedsTrial, request.path.contains("tarn-conditions-") { return Self.trial(request) }
      return script(seen.add(request))
    }
    let time = time
    var options = S3Options()
    options.endpoint = server.url
    options.region = "us-east-1"
    options.credentials = StaticCredentials(
      AWSCredentials(accessKeyID: "AKID", secretAccessKey: Secret("hush")))
    options.http = HTTPClient()
    options.world = AWSWorld(
      now: { time.now() }, elapsed: { time.elapsed() }, sleep: { try await time.sleep($0) },
      random: AWSWorld.system.random, environment: { _ in nil })
    change(&options)
    client = try S3Client(options)
    storage = try S3Storage(S3Location(bucket: "bucket", prefix: prefix), client: client)
  }

  /// What was asked, but for the trial of conditions.
  var requests: [WireRequest] { seen.requests.withLock { $0 } }

  /// The methods of what was asked.
  var methods: [String] { requests.map(\.method) }

  /// How a store answers the trial that heeds conditions and wants tags with their quotes.
  static func trial(_ request: WireRequest) -> Answer {
    switch (request.method, request["if-none-match"], request["if-match"]) {
    case ("PUT", "*", _) where request.text == "1": tagged("first")
    case ("PUT", _, "\"first\""): tagged("second")
    case ("PUT", _, _): .status(412, body: error("PreconditionFailed"))
    default: .status(204)
    }
  }

  /// A success with a tag.
  static func tagged(_ tag: String, body: String = "") -> Answer {
    .status(200, [("ETag", "\"\(tag)\"")], body: body)
  }

  /// The body of an error.
  static func error(_ code: String) -> String {
    "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>said</Message></Error>"
  }

  /// A listing of keys, each of a byte.
  static func listing(_ keys: [String], folders: [String] = [], next: String? = nil) -> Answer {
    var text =
      "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><EncodingType>url</EncodingType>"
    for key in keys {
      text +=
        "<Contents><Key>\(key)</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified>"
        + "<ETag>&quot;e&quot;</ETag><Size>1</Size></Contents>"
    }
    for folder in folders { text += "<CommonPrefixes><Prefix>\(folder)</Prefix></CommonPrefixes>" }
    if let next {
      text += "<IsTruncated>true</IsTruncated><NextContinuationToken>\(next)</NextContinuationToken>"
    }
    return .status(200, body: text + "</ListBucketResult>")
  }

  /// The error of a call that must fail.
  func failure(
    sourceLocation: SourceLocation = #_sourceLocation, _ call: (S3Storage) async throws(StorageError) -> Void
  ) async -> StorageError {
    do throws(StorageError) { try await call(storage) } catch { return error }
    Issue.record("it succeeded", sourceLocation: sourceLocation)
    return StorageError(.failed, path: "", "no error")
  }

  private final class Seen: Sendable {
    let requests = Mutex<[WireRequest]>([])

    func add(_ request: WireRequest) -> WireRequest {
      requests.withLock { all in
        var request = request
        request.number = all.count
        all.append(request)
        return request
      }
    }
  }
}
