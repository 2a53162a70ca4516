internal import TarnAWS
internal import TarnStorage

/// Tries whether the completion of an upload heeds its condition, which servers took up later than that of a put.
struct CompletionProbe: Sendable {
  let bucket: S3Bucket
  /// What the key of the object begins with.
  let scratch: String
  /// The condition that is tried, of whatever tag.
  let condition: PutCondition

  /// Whether it does.
  func heeds() async -> Result<Bool, StorageError> {
    let name = ObjectName(scratch: scratch + "tarn-completion-" + bucket.randomText())
    let result: Result<Bool, StorageError>
    do throws(StorageError) { result = .success(try await heeds(name)) } catch {
      result = .failure(error.ofTrial(bucket))
    }
    _ = await ObjectRemover(bucket: bucket).remove([name])
    return result
  }

  /// A condition of the kind that does not hold.
  private var unmet: PutCondition {
    if case .ifMatches = condition {
      .ifMatches(ObjectTag("00000000000000000000000000000000"))
    } else {
      .ifAbsent
    }
  }

  private func heeds(_ name: ObjectName) async throws(StorageError) -> Bool {
    // Not `.ifAbsent`, of which this one counts nothing: the name is its own.
    _ = try await ObjectPutter(bucket: bucket).put(HTTPBody("1"), name, if: .always, quoting: .quoted)
    let upload = try await MultipartUpload.begin(name, bucket)
    do throws(StorageError) {
      try await upload.add(PartContent([2]))
      _ = try await upload.complete(if: unmet, isHeeded: true)
      return false
    } catch {
      await upload.abort()
      if error.code == .preconditionFailed { return true }
      if error.code == .unsupported { return false }
      throw error
    }
  }
}
