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
  private let seen = SeenRequests()

  /// - Parameter script: What is answered to each request but those of the trial of conditions, which are numbered from
  ///   0 on.
  init(
    prefix: String = "root", heedsTrial: Bool = true, _ change: (inout S3Options) -> Void = { _ in },
    _ script: @escaping @Sendable (WireRequest) -> Answer
  ) throws {
    let seen = seen
    let trial = TrialObjects()
    server = try ScriptedServer { request in
      if heedsTrial, TrialObjects.isMeant(by: request) { return trial.answer(request) }
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
  var requests: [WireRequest] { seen.all }

  /// The methods of what was asked.
  var methods: [String] { requests.map(\.method) }

  /// When everything was written.
  static let modified = ("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")

  /// A success with a tag.
  static func tagged(_ tag: String, body: String = "") -> Answer {
    .status(
      200, [("ETag", "\"\(tag)\""), modified], body: body)
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
}

/// The objects of the trial of conditions, as a store keeps them that heeds conditions.
final class TrialObjects: Sendable {
  private struct Object {
    var bytes: [UInt8]
    var tag: String
  }

  private let takesQuotes: Bool
  private let objects = Mutex<[String: Object]>([:])
  private let made = Atomic(0)

  /// - Parameter takesQuotes: Whether tags come with their quotes, and else without.
  init(takesQuotes: Bool = true) { self.takesQuotes = takesQuotes }

  /// Whether a request is one of the trial.
  static func isMeant(by request: WireRequest) -> Bool { request.path.contains("tarn-conditions-") }

  func answer(_ request: WireRequest) -> ScriptedServer.Answer {
    objects.withLock { objects in
      let present = objects[request.path]
      switch request.method {
      case "PUT":
        let expected = present.map { takesQuotes ? "\"\($0.tag)\"" : $0.tag }
        if let wanted = request["if-match"], wanted != expected { return .status(412) }
        if request["if-none-match"] != nil, present != nil { return .status(412) }
        let tag = "trial\(made.add(1, ordering: .relaxed).newValue)"
        objects[request.path] = Object(bytes: request.body, tag: tag)
        return ScriptedStore.tagged(tag)
      case "GET":
        guard let present else { return .status(404, body: ScriptedStore.error("NoSuchKey")) }
        return .status(200, [("ETag", "\"\(present.tag)\"")], bytes: present.bytes)
      default:
        objects[request.path] = nil
        return .status(204)
      }
    }
  }
}
