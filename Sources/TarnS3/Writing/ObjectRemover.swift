internal import Synchronization
internal import TarnAWS
internal import TarnBytes
internal import TarnStorage

/// Deletes objects, many by one request where the store can do that.
struct ObjectRemover: Sendable {
  let bucket: S3Bucket

  /// The most keys of one request.
  private static let most = 1_000
  /// How often keys are tried again that the service says may pass.
  private static let attempts = 4
  private static let transient: Set = ["InternalError", "SlowDown", "ServiceUnavailable", "OperationAborted"]

  /// Deletes objects; what is not there is no error.
  ///
  /// - Returns: An error for each object that is still there, or may be.
  func remove(_ names: [ObjectName]) async -> [StorageError] {
    var known: Set<[UInt8]> = []
    let names = names.filter { known.insert(Array($0.key.utf8)).inserted }
    for name in names { bucket.tags.forget(name.key) }
    var batches: [[ObjectName]] = []
    var single: [ObjectName] = []
    if names.count > 1, bucket.deletesMany.load(ordering: .relaxed) {
      let plain = names.filter { DeletionAnswer.isPlain($0.key) }
      single = names.filter { !DeletionAnswer.isPlain($0.key) }
      var start = 0
      while start < plain.count {
        batches.append(Array(plain[start..<min(start + Self.most, plain.count)]))
        start += Self.most
      }
    } else {
      single = names
    }
    // In a task of its own, since a cancelled one deletes all the same.
    return await Task { [batches, single] in
      await each(batches, width: 4) { await removeMany($0) }
        + each([single], width: 1) { await removeEach($0) }
    }.value
  }

  private func each(
    _ batches: [[ObjectName]], width: Int, _ body: @Sendable @escaping ([ObjectName]) async -> [StorageError]
  ) async -> [StorageError] {
    // Nothing in it throws, and the task is not cancelled.
    ((try? await concurrently(batches, width: width) { await body($0) }) ?? []).flatMap(\.self)
  }

  private func removeEach(_ names: [ObjectName]) async -> [StorageError] {
    let failures = try? await concurrently(names, width: min(bucket.options.requestsAtOnce, 32)) { name in
      await removeOne(name)
    }
    return (failures ?? []).compactMap(\.self)
  }

  private func removeOne(_ name: ObjectName) async -> StorageError? {
    var call = S3Call("s3:DeleteObject", "DELETE", name.key)
    call.changes = true
    do throws(AWSError) { _ = try await bucket.send(call) } catch {
      let isGone = error.service?.saysThatNothingIsThere ?? false
      return isGone ? nil : bucket.failure(error, call, path: name.path)
    }
    return nil
  }

  private func removeMany(_ names: [ObjectName]) async -> [StorageError] {
    var open = names
    var failures: [StorageError] = []
    for attempt in 0..<Self.attempts where !open.isEmpty {
      if attempt > 0 { await bucket.pause(.milliseconds(100 << attempt)) }
      var call = S3Call("s3:DeleteObject", "POST", nil)
      call.changes = true
      call.mayFailInSuccess = true
      call.query = [("delete", "")]
      call.receiving = .bytes(limit: 8 << 20)
      guard let body = DeletionAnswer.request(open.map(\.key)) else { return await removeEach(open) }
      call.body = HTTPBody(body)
      call.headers = [
        "content-type": "application/xml", "content-md5": Base64.encode(MD5.checksum(body.span.bytes)),
      ]
      call.hasChecksum = true
      let answer: DeletionAnswer
      do throws(AWSError) {
        let bytes = try await bucket.send(call).body
        do throws(AnswerError) { answer = try DeletionAnswer(parsing: bytes) } catch {
          return failures + open.map { bucket.unreadable(call, path: $0.path, error.what) }
        }
      } catch {
        if Self.isUnsupported(error) {
          bucket.deletesMany.store(false, ordering: .relaxed)
          return failures + (await removeEach(open))
        }
        return failures + open.map { bucket.failure(error, call, path: $0.path) }
      }
      let isLast = attempt == Self.attempts - 1
      open = sort(open, answer, isLast: isLast, call, into: &failures)
    }
    return failures
  }

  /// Looks at what became of each key.
  ///
  /// - Returns: Those that are to be tried again.
  private func sort(
    _ names: [ObjectName], _ answer: DeletionAnswer, isLast: Bool, _ call: S3Call,
    into failures: inout [StorageError]
  ) -> [ObjectName] {
    names.filter { name in
      if let failure = answer.failure(of: name.key) {
        if failure.code == "NoSuchKey" { return false }
        if Self.transient.contains(failure.code), !isLast { return true }
        let isDenied = failure.code == "AccessDenied"
        let what = [failure.code, failure.message].filter { !$0.isEmpty }.joined(separator: ": ")
        failures.append(
          StorageError(
            isDenied ? .permissionDenied : .failed, path: name.path,
            "\(call.action) was refused on \(bucket.address.name): \(what)"))
        return false
      }
      guard !answer.tellsDeletion(of: name.key) else { return false }
      if isLast {
        failures.append(
          StorageError(
            .unknown, path: name.path, "\(bucket.address.name) does not say whether it was deleted"))
      }
      return !isLast
    }
  }

  private static func isUnsupported(_ error: AWSError) -> Bool {
    guard let service = error.service else { return false }
    return service.status == 501 || service.status == 405
      || ["NotImplemented", "MethodNotAllowed", "MissingContentLength"].contains(service.code)
  }
}
