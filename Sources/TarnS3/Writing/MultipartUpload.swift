internal import Synchronization
internal import TarnAWS
internal import TarnBytes
internal import TarnStorage

/// An object that arrives in parts, several at once, and appears when it is completed.
final class MultipartUpload: Sendable {
  private struct State {
    var parts: [Int: UploadedPart] = [:]
    var tasks: [Int: Task<Void, Never>] = [:]
    /// Those by which the server copies.
    var copies: [Task<Void, Never>] = []
    var count = 0
    var failure: StorageError?
    var isClosed = false
  }

  private let name: ObjectName
  private let bucket: S3Bucket
  private let id: String
  /// A text in the object's metadata by which it is known as this upload's.
  private let mark: String
  private let state = Mutex(State())

  private static let markHeader = "x-amz-meta-tarn-upload"

  private init(_ name: ObjectName, _ bucket: S3Bucket, id: String, mark: String) {
    self.name = name
    self.bucket = bucket
    self.id = id
    self.mark = mark
  }

  /// Begins an upload.
  static func begin(_ name: ObjectName, _ bucket: S3Bucket) async throws(StorageError) -> MultipartUpload {
    let mark = bucket.randomText()
    var call = S3Call("s3:PutObject", "POST", name.key)
    call.changes = true
    call.query = [("uploads", "")]
    call.headers = bucket.objectHeaders
    call.headers[markHeader] = mark
    if bucket.options.checksums == .always { call.headers["x-amz-checksum-algorithm"] = "CRC32" }
    do throws(StorageError) {
      let answer = try await bucket.answer(call, path: name.path)
      do throws(AnswerError) {
        return MultipartUpload(name, bucket, id: try UploadAnswers.id(answer.body), mark: mark)
      } catch { throw bucket.unreadable(call, path: name.path, error.what) }
    } catch {
      // An upload that nobody knows of changes nothing.
      guard error.code == .unknown else { throw error }
      throw StorageError(.failed, path: name.path, error.message, cause: error.cause)
    }
  }

  /// How many parts there are so far.
  var partCount: Int { state.withLock { $0.count } }

  /// Adds the next part, and returns as soon as there is room for it on its way.
  ///
  /// - Throws: What an earlier part failed with.
  func add(_ content: PartContent) async throws(StorageError) {
    let cost = content.count
    await bucket.budget.take(cost)
    do throws(StorageError) {
      try start(costing: cost) { [self] number throws(StorageError) in
        try await send(try await content.body(bucket), number)
      }
    } catch {
      bucket.budget.giveBack(cost)
      throw error
    }
  }

  /// Adds a range of an object, which the server copies, as the next part.
  ///
  /// - Parameter source: The object, of the version that is meant.
  /// - Throws: What an earlier part failed with.
  func add(_ range: Range<Int>, of source: ObjectName, tag: ObjectTag) async throws(StorageError) {
    // It takes no memory, but one of the requests that may be under way.
    let cost = 1 << 20
    await bucket.budget.take(cost)
    do throws(StorageError) {
      try start(costing: cost, isCopy: true) { [self] number throws(StorageError) in
        try await copy(range, of: source, tag: tag, number)
      }
    } catch {
      bucket.budget.giveBack(cost)
      throw error
    }
  }

  private func start(
    costing cost: Int, isCopy: Bool = false,
    _ send: @escaping @Sendable (Int) async throws(StorageError) -> UploadedPart
  ) throws(StorageError) {
    let failure = state.withLock { state -> StorageError? in
      if let failure = state.failure { return failure }
      guard !state.isClosed else { return .closed(name.path) }
      guard state.count < PartSizes.most else {
        return StorageError(
          .tooLarge, path: name.path, "it has more than \(PartSizes.most) parts; give larger ones (partSize)")
      }
      state.count += 1
      let number = state.count
      // A task of its own: parts go on while their writer makes the next, and end with the upload.
      let task = Task { [self] in
        do throws(StorageError) {
          let part = try await send(number)
          self.state.withLock { $0.parts[number] = part }
        } catch {
          let failure = told(error)
          self.state.withLock { if $0.failure == nil { $0.failure = failure } }
        }
        bucket.budget.giveBack(cost)
        self.state.withLock { $0.tasks[number] = nil }
      }
      state.tasks[number] = task
      if isCopy { state.copies.append(task) }
      return nil
    }
    if let failure { throw failure }
  }

  /// The error of a part: what is not found is the upload, unless it is what is copied.
  private func told(_ error: StorageError) -> StorageError {
    guard error.code == .notFound, error.path.utf8.elementsEqual(name.path.utf8) else { return error }
    return gone(error.cause, "")
  }

  private func gone(_ cause: (any Error)?, _ detail: String) -> StorageError {
    StorageError(
      .failed, path: name.path,
      "its parts are gone: another writer was at it at the same moment, or removed what was unfinished; write it again"
        + detail, cause: cause)
  }

  private func partCall(_ action: String, _ number: Int) -> S3Call {
    var call = S3Call(action, "PUT", name.key)
    call.query = [("partNumber", String(number)), ("uploadId", id)]
    return call
  }

  private func send(_ body: HTTPBody, _ number: Int) async throws(StorageError) -> UploadedPart {
    var call = partCall("s3:PutObject", number)
    call.body = body
    call.hasChecksum = true
    let answer = try await bucket.answer(call, path: name.path)
    guard let tag = answer.head.headers["etag"], !tag.isEmpty else {
      throw bucket.unreadable(call, path: name.path, "no ETag")
    }
    let sum = bucket.options.checksums == .always ? answer.head.headers["x-amz-checksum-crc32"] : nil
    return UploadedPart(entityTag: tag, checksum: sum)
  }

  private func copy(
    _ range: Range<Int>, of source: ObjectName, tag: ObjectTag, _ number: Int
  ) async throws(StorageError) -> UploadedPart {
    var call = partCall("s3:PutObject", number)
    call.headers = [
      "x-amz-copy-source": bucket.address.source(source.key),
      "x-amz-copy-source-range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)",
      "x-amz-copy-source-if-match": bucket.conditions.presentQuoting.text(of: tag),
    ]
    call.mayFailInSuccess = true
    call.isLong = true
    let answer: AWSAnswer
    do throws(AWSError) { answer = try await bucket.send(call) } catch {
      if error.service?.status == 412 {
        throw StorageError(
          .changed, path: source.path, "it is another version than the one that is meant; read it again",
          cause: error)
      }
      let isOfSource = error.service?.code == "NoSuchKey"
      throw bucket.failure(error, call, path: isOfSource ? source.path : name.path)
    }
    do throws(AnswerError) { return try UploadAnswers.copiedPart(answer.body) } catch {
      throw bucket.unreadable(call, path: name.path, error.what)
    }
  }

  /// Waits for the parts that the server copies.
  ///
  /// - Throws: What a part failed with.
  func settleCopies() async throws(StorageError) {
    for task in state.withLock({ $0.copies }) { await task.value }
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// Waits for all parts.
  ///
  /// - Throws: What the first of them failed with.
  func settle() async throws(StorageError) {
    for task in state.withLock({ Array($0.tasks.values) }) { await task.value }
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// Waits for all parts, and makes the object appear, if the condition holds.
  ///
  /// - Parameter isHeeded: Whether the store heeds conditions of this call.
  /// - Throws: `preconditionFailed`, and `unknown` where nobody can tell what became of it.
  func complete(if condition: PutCondition, isHeeded: Bool) async throws(StorageError) -> ObjectTag {
    try await settle()
    let parts = state.withLock { $0.parts }
    guard isHeeded || condition == .always else {
      throw StorageError(
        .unsupported, path: name.path,
        "\(bucket.address.name) does not heed conditions where an object arrives in parts; write it at a name of its "
          + "own, without a condition")
    }
    var call = S3Call("s3:PutObject", "POST", name.key)
    call.changes = true
    call.query = [("uploadId", id)]
    call.mayFailInSuccess = true
    call.isLong = true
    let sorted = parts.sorted { $0.key < $1.key }.map { (number: $0.key, part: $0.value) }
    call.body = HTTPBody(UploadAnswers.completion(sorted))
    condition.add(to: &call.headers, bucket.conditions.presentQuoting)
    bucket.tags.forget(name.key)
    let lost: StorageError
    do throws(AWSError) {
      let answer = try await bucket.send(call)
      do throws(AnswerError) {
        // Some servers leave it empty.
        if let tag = try UploadAnswers.tag(answer.body) ?? UploadAnswers.tag(ofParts: sorted) { return tag }
        lost = StorageError(.unknown, path: name.path, "it was replaced as soon as it was there")
      } catch { lost = bucket.unreadable(call, path: name.path, error.what) }
    } catch {
      switch condition.refusal(error) {
      case .notHeld: throw .unmet(condition, path: name.path)
      case .unclear: lost = bucket.failure(error, call, path: name.path).unclear
      case .other:
        let failure = completionFailure(error, call)
        guard failure.code == .unknown else { throw failure }
        lost = failure
      }
    }
    guard let found = try? await ObjectReader(bucket: bucket).head(name),
      found.headers[Self.markHeader] == mark
    else { throw lost }
    return found.info.tag
  }

  private func completionFailure(_ error: AWSError, _ call: S3Call) -> StorageError {
    // Servers have several names for an upload that is not there.
    guard let service = error.service, [404, 409].contains(service.status) || service.code == "NoSuchUpload",
      service.code != "NoSuchBucket"
    else { return bucket.failure(error, call, path: name.path) }
    if error.sending.earlierMayHaveArrived { return bucket.failure(error, call, path: name.path).unclear }
    return gone(error, " (\(service))")
  }

  /// Ends what is under way, and removes the parts; failing to do so changes nothing for anybody.
  func abort() async {
    let tasks = state.withLock { state in
      state.isClosed = true
      return Array(state.tasks.values)
    }
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
    await UnfinishedUploads.abort(id, of: name.key, bucket)
  }
}

extension StorageError {
  /// The same, where an earlier attempt may have done it.
  fileprivate var unclear: StorageError {
    StorageError(
      .unknown, path: path, "nobody knows whether an earlier attempt did it: \(message)", cause: cause)
  }
}
