internal import TarnAWS
internal import TarnStorage

/// Moves small objects: a copy on the condition of the source's tag, and then a deletion.
struct ObjectMover: Sendable {
  let bucket: S3Bucket

  /// How often it begins again because the source was replaced.
  private static let attempts = 4

  /// Moves an object.
  ///
  /// - Parameter leaves: Whether it stays where it was.
  /// - Throws: `notFound` where nothing is at the source, and nothing was copied; `unknown` where it may have been.
  func move(
    _ source: ObjectName, to target: ObjectName, leaves: Bool = false
  ) async throws(StorageError) {
    var known = bucket.tags[source.key]
    for _ in 0..<Self.attempts {
      let tag: ObjectTag
      if let known { tag = known } else { tag = try await ObjectReader(bucket: bucket).head(source).info.tag }
      known = nil
      bucket.tags.forget(source.key)
      guard try await copy(source, tag, to: target) else { continue }
      if !leaves { try await remove(source) }
      return
    }
    throw StorageError(.changed, path: source.path, "it was replaced again and again while it was moved")
  }

  /// False where the source has another tag by now.
  private func copy(
    _ source: ObjectName, _ tag: ObjectTag, to target: ObjectName
  ) async throws(StorageError) -> Bool {
    var call = S3Call("s3:PutObject", "PUT", target.key)
    call.changes = true
    call.mayFailInSuccess = true
    call.isLong = true
    call.headers = bucket.objectHeaders
    call.headers["x-amz-copy-source"] = bucket.address.source(source.key)
    call.headers["x-amz-copy-source-if-match"] = bucket.conditions.presentQuoting.text(of: tag)
    bucket.tags.forget(target.key)
    let lost: StorageError
    do throws(AWSError) {
      let answer = try await bucket.send(call)
      do throws(AnswerError) {
        _ = try UploadAnswers.tag(answer.body)
        return true
      } catch { lost = bucket.unreadable(call, path: source.path, error.what) }
    } catch {
      let isGone = error.service?.saysThatNothingIsThere ?? false
      if error.sending.earlierMayHaveArrived || error.mayHaveArrived {
        lost = StorageError(
          .unknown, path: source.path, "nobody knows whether it was copied to \(target.path): \(error)",
          cause: error)
      } else if isGone {
        throw StorageError(.notFound, path: source.path, "there is no such object", cause: error)
      } else if error.service?.status == 412 {
        return false
      } else {
        throw bucket.failure(error, call, path: source.path)
      }
    }
    // Whoever copied it, it is there.
    guard let there = try? await ObjectReader(bucket: bucket).head(target), there.info.tag == tag else {
      throw lost
    }
    return true
  }

  private func remove(_ source: ObjectName) async throws(StorageError) {
    guard let failure = await ObjectRemover(bucket: bucket).remove([source]).first else { return }
    throw StorageError(
      .unknown, path: source.path, "it was copied, and may still be where it was: \(failure.message)",
      cause: failure)
  }
}
