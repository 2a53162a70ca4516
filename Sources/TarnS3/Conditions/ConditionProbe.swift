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

  /// How often it begins again because an answer was lost.
  private static let attempts = 4

  private enum Outcome {
    case taken(ObjectTag)
    case refused
    /// An earlier attempt, whose answer was lost, may be what this one met.
    case unclear
  }

  /// How tags are to be written in conditions of puts.
  func quoting() async -> Result<TagQuoting, StorageError> {
    for _ in 0..<Self.attempts {
      let key = scratch + "tarn-conditions-" + bucket.randomText()
      let found: TagQuoting?
      do throws(StorageError) { found = try await quoting(key) } catch {
        await remove(key)
        return .failure(error)
      }
      await remove(key)
      if let found { return .success(found) }
    }
    return .failure(interrupted())
  }

  /// Nil where too many answers were lost to tell.
  private func quoting(_ key: String) async throws(StorageError) -> TagQuoting? {
    guard case .taken(let tag) = try await put("1", key, "if-none-match", "*") else { return nil }
    // Side by side, as every request is a way there and back.
    async let again = result { () async throws(StorageError) in try await put("2", key, "if-none-match", "*")
    }
    async let wrong = result { () async throws(StorageError) in
      try await put("3", key, "if-match", "\"00000000000000000000000000000000\"")
    }
    let (second, third) = (await again, await wrong)
    if case .taken = try second.get() { throw ignores("If-None-Match") }
    if case .taken = try third.get() { throw ignores("If-Match") }
    for quoting in [TagQuoting.quoted, .bare] {
      switch try await put("4", key, "if-match", quoting.text(of: tag)) {
      case .taken: return quoting
      case .unclear: return nil
      case .refused: continue
      }
    }
    throw StorageError(
      .unsupported, path: bucket.address.name,
      "\(bucket.address.name) refuses a put on the very tag that it gave (If-Match); Tarn needs a store that heeds "
        + "conditional puts, and does not write here")
  }

  private func put(
    _ text: String, _ key: String, _ condition: String, _ value: String
  ) async throws(StorageError) -> Outcome {
    var call = S3Call("s3:PutObject", "PUT", key)
    call.changes = true
    call.repeatsConflicts = true
    call.hasChecksum = true
    call.headers = [condition: value]
    call.body = HTTPBody(text)
    let answer: AWSAnswer
    do throws(AWSError) { answer = try await bucket.send(call) } catch {
      switch error.service?.status {
      case 412, 409: return error.sending.earlierMayHaveArrived ? .unclear : .refused
      case 404 where condition == "if-match" && error.service?.code != "NoSuchBucket": return .refused
      case 501: throw ignores(condition == "if-match" ? "If-Match" : "If-None-Match", error)
      default: throw bucket.failure(error, call, path: bucket.address.name)
      }
    }
    guard let head = ObjectHead(answer.head) else {
      throw bucket.unreadable(call, path: bucket.address.name, "no ETag")
    }
    return .taken(head.tag)
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

  private func interrupted() -> StorageError {
    StorageError(
      .failed, path: bucket.address.name,
      "answers of \(bucket.address.name) were lost again and again while it was tried which conditions it heeds; "
        + "nothing was written, try again")
  }

  private func result(
    _ body: @Sendable () async throws(StorageError) -> Outcome
  ) async -> Result<Outcome, StorageError> {
    do throws(StorageError) { return .success(try await body()) } catch { return .failure(error) }
  }
}

extension ObjectName {
  /// An object that only this room knows.
  init(scratch key: String) {
    path = key
    self.key = key
  }
}
