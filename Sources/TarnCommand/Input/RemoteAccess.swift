import Synchronization
import TarnS3
import TarnStorage

/// How the command reaches what is not on the local disk: one client, made when it is first needed.
final class RemoteAccess: Sendable {
  /// That of the command that runs.
  @TaskLocal static var current = RemoteAccess(S3Options())

  private let options: S3Options
  private let made = Mutex<S3Client?>(nil)

  init(_ options: S3Options) { self.options = options }

  /// What the words of a command say; the environment has the rest.
  convenience init(_ arguments: Arguments) {
    var options = S3Options()
    options.endpoint = arguments[Options.endpointURL]
    options.region = arguments[Options.region]
    options.profile = arguments[Options.profile]
    options.isAnonymous = arguments.has(Options.anonymous)
    if arguments.has(Options.traceRequests) { options.observer = { StandardError.write(line: "\($0)") } }
    self.init(options)
  }

  /// The client.
  ///
  /// - Throws: `StorageError` where options, environment and shared files contradict one another.
  func client() throws(StorageError) -> S3Client {
    try made.withLock { (made: inout S3Client?) throws(StorageError) -> S3Client in
      if let made { return made }
      let client = try S3Client(options)
      made = client
      return client
    }
  }
}
