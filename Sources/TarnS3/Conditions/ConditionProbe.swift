internal import TarnAWS
internal import TarnStorage

/// Tries on objects of its own which conditions a store heeds, before anything is written there that counts on them.
///
/// There are servers that take a put whatever its conditions say. Two writers would then replace each other's work, and
/// neither would ever know.
struct ConditionProbe: Sendable {
  let bucket: S3Bucket
  /// What the keys of the objects begin with.
  let scratch: String

  private enum Outcome {
    case taken(ObjectTag)
    case refused
  }

  /// How tags are to be written in conditions of puts.
  func quoting() async -> Result<TagQuoting, StorageError> {
    let key = scratch + "tarn-conditions-" + bucket.randomText()
    let result: Result<TagQuoting, StorageError>
    do throws(StorageError) { result = .success(try await quoting(key)) } catch {
      result = .failure(error.ofTrial(bucket))
    }
    await remove(key)
    return result
  }

  private func quoting(_ key: String) async throws(StorageError) -> TagQuoting {
    guard case .taken(let tag) = try await put(key, "if-none-match", "*") else {
      throw StorageError(
        .unsupported, path: bucket.address.name,
        "\(bucket.address.name) refuses to create an object that nobody else has made (If-None-Match); Tarn needs a "
          + "store that heeds conditional puts, and does not write here")
    }
    // Side by side, as every request is a way there and back.
    async let again = result { () async throws(StorageError) in try await put(key, "if-none-match", "*") }
    async let wrong = result { () async throws(StorageError) in
      try await put(key, "if-match", "\"00000000000000000000000000000000\"")
    }
    let (second, third) = (await again, await wrong)
    if case .taken = try second.get() { throw ignores("If-None-Match") }
    if case .taken = try third.get() { throw ignores("If-Match") }
    for quoting in [TagQuoting.quoted, .bare] {
      // Who refuses every tag in quotes may still take any other.
      if quoting == .bare, case .taken = try await put(key, "if-match", "00000000000000000000000000000000") {
        throw ignores("If-Match")
      }
      if case .taken = try await put(key, "if-match", quoting.text(of: tag)) { return quoting }
    }
    throw StorageError(
      .unsupported, path: bucket.address.name,
      "\(bucket.address.name) refuses a put on the very tag that it gave (If-Match); Tarn needs a store that heeds "
        + "conditional puts, and does not write here")
  }

  private func put(_ key: String, _ condition: String, _ value: String) async throws(StorageError) -> Outcome
  {
    var call = S3Call("s3:PutObject", "PUT", key)
    call.changes = true
    call.repeatsConflicts = true
    call.hasChecksum = true
    // As all that is written, since a bucket's policy may refuse what is not encrypted.
    call.headers = bucket.objectHeaders
    call.headers[condition] = value
    let content = bucket.randomText()
    call.body = HTTPBody(content)
    let doubt: StorageError
    do throws(AWSError) {
      let answer = try await bucket.send(call)
      if let head = ObjectHead(answer.head) { return .taken(head.tag) }
      doubt = bucket.unreadable(call, path: bucket.address.name, "no ETag")
    } catch {
      let isRefusal =
        [409, 412].contains(error.service?.status)
        || error.service?.status == 404 && condition == "if-match" && error.service?.code != "NoSuchBucket"
      if error.service?.status == 501 {
        throw ignores(condition == "if-match" ? "If-Match" : "If-None-Match", error)
      }
      if isRefusal, !error.sending.earlierMayHaveArrived { return .refused }
      doubt = bucket.failure(error, call, path: bucket.address.name)
      guard isRefusal || doubt.code == .unknown else { throw doubt }
    }
    // Nobody else writes here: what is there tells whether it was taken.
    let name = ObjectName(scratch: key)
    do throws(StorageError) {
      let found = try await ObjectReader(bucket: bucket).get(name, limit: 1_000)
      return found.bytes == Array(content.utf8) ? .taken(found.tag) : .refused
    } catch {
      guard error.code == .notFound else { throw doubt }
      return .refused
    }
  }

  private func remove(_ key: String) async {
    var call = S3Call("s3:DeleteObject", "DELETE", key)
    call.changes = true
    _ = try? await bucket.send(call)
  }

  private func ignores(_ header: String, _ error: AWSError? = nil) -> StorageError {
    StorageError(
      .unsupported, path: bucket.address.name,
      "\(bucket.address.name) does not heed the condition \(header) of a put, so that two writers would replace each "
        + "other's work unseen; Tarn reads from it, and does not write there", cause: error)
  }

  private func result(
    _ body: @Sendable () async throws(StorageError) -> Outcome
  ) async -> Result<Outcome, StorageError> {
    do throws(StorageError) { return .success(try await body()) } catch { return .failure(error) }
  }
}

extension StorageError {
  /// The error of a trial: of what was to be written nothing was sent yet.
  func ofTrial(_ bucket: S3Bucket) -> StorageError {
    guard code == .unknown else { return self }
    return StorageError(
      .failed, path: path, "whether \(bucket.address.name) heeds conditions could not be tried: \(message)",
      cause: cause)
  }
}

extension ObjectName {
  /// An object that only this room knows.
  init(scratch key: String) {
    path = key
    self.key = key
  }
}
