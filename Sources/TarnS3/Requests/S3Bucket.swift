internal import Synchronization
internal import TarnAWS
internal import TarnBytes
internal import TarnStorage

/// Sends requests about one bucket, to its region, and keeps what is learnt of it.
final class S3Bucket: Sendable {
  let address: BucketAddress
  let options: S3Options
  let budget: UploadBudget
  let conditions: StoreConditions
  let tags = RecentTags()
  let listed = ListedObjects()
  /// Whether listings were seen out of order.
  let isUnordered: Atomic<Bool>
  /// Whether many objects can be deleted by one request.
  let deletesMany = Atomic(true)
  private let aws: AWSClient
  private let region: Mutex<String>

  /// Redirections that are followed, one after the other.
  private static let mostRedirections = 3

  init(_ client: S3Client, _ address: BucketAddress) {
    self.address = address
    options = client.options
    budget = client.budget
    aws = client.aws
    region = Mutex(client.options.region ?? "us-east-1")
    conditions = StoreConditions(store: address.name)
    // Directory buckets list in no order.
    isUnordered = Atomic(address.bucket.hasSuffix("--x-s3"))
  }

  /// Sends a call, and tells what came of it.
  ///
  /// One that changes something is carried out in a cancelled task too.
  func send(_ call: S3Call) async throws(AWSError) -> AWSAnswer {
    guard call.changes else { return try await attempt(call).get() }
    return try await Task { await attempt(call) }.value.get()
  }

  /// Carries work out to its end in a cancelled task, too: finding out what became of a change belongs to it.
  func uncancelled<Value: Sendable>(
    _ body: @escaping @Sendable () async throws(StorageError) -> Value
  ) async throws(StorageError) -> Value {
    try await Task { await Self.result(body) }.value.get()
  }

  private static func result<Value: Sendable>(
    _ body: @Sendable () async throws(StorageError) -> Value
  ) async -> Result<Value, StorageError> {
    do throws(StorageError) { return .success(try await body()) } catch { return .failure(error) }
  }

  /// Sends a call of which only an answer matters.
  ///
  /// - Parameter path: The path that an error names.
  func answer(_ call: S3Call, path: String) async throws(StorageError) -> AWSAnswer {
    do throws(AWSError) { return try await send(call) } catch { throw failure(error, call, path: path) }
  }

  /// Waits a little, in a cancelled task not at all.
  func pause(_ time: Duration) async { try? await options.world.sleep(time) }

  /// A text that nobody else makes.
  func randomText() -> String {
    (0..<2).map { _ in
      let digits = String(options.world.random(), radix: 16)
      return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }.joined()
  }

  private func attempt(_ call: S3Call) async -> Result<AWSAnswer, AWSError> {
    var redirections = 0
    // Who was sent elsewhere may have been heard before.
    var earlier = Sending()
    while true {
      let present = region.withLock { $0 }
      do throws(AWSError) {
        return .success(try await aws.send(request(call, in: present), after: earlier, Self.count))
      } catch {
        guard error.kind == .otherRegion, let other = error.service?.region, !other.isEmpty,
          redirections < Self.mostRedirections
        else { return .failure(error) }
        redirections += 1
        earlier = error.sending
        region.withLock { $0 = other }
      }
    }
  }

  private static func count(_ event: RequestEvent) {
    StorageTraffic.present?.add(sent: event.sent, received: event.received)
  }

  private func request(_ call: S3Call, in region: String) -> AWSRequest {
    let endpoint = address.endpoint(in: region)
    var request = AWSRequest(call.method, address.path(of: call.key), of: .s3, in: region, at: endpoint)
    request.query = call.query
    request.headers = call.headers
    request.body = call.body
    request.receiving = call.receiving
    request.timeouts = options.timeouts
    if call.isLong { request.timeouts.stall = max(request.timeouts.stall, .seconds(300)) }
    if call.repeatsConflicts { request.repeatedCodes = ["ConditionalRequestConflict", "OperationAborted"] }
    request.mayFailInSuccess = call.mayFailInSuccess
    if options.isRequesterPays { request.headers["x-amz-request-payer"] = "requester" }
    if call.hasChecksum, options.checksums == .always {
      request.headers["x-amz-sdk-checksum-algorithm"] = "CRC32"
      request.headers["x-amz-checksum-crc32"] = Checksum.text(of: call.body)
      // Over TLS, what the checksum covers need not be hashed once more.
      if endpoint.isSecure { request.payload = .unsigned }
    }
    return request
  }
}

/// CRC-32 as S3 writes it.
enum Checksum {
  static func text(of body: HTTPBody) -> String {
    text(body.pieces.reduce(0) { CRC32.checksum($1.span.bytes, continuing: $0) })
  }

  static func text(of bytes: [UInt8]) -> String { text(CRC32.checksum(bytes.span.bytes)) }

  private static func text(_ sum: UInt32) -> String {
    Base64.encode((0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * UInt32($0))) })
  }
}
