internal import TarnAWS
internal import TarnBytes
internal import TarnStorage

/// Uploads that nobody completed.
struct UnfinishedUploads: Sendable {
  let bucket: S3Bucket
  let root: String

  /// Aborts those that began before a time.
  func remove(before time: Int64) async throws(StorageError) {
    var next: (key: String, id: String)?
    var pages = 0
    repeat {
      let page = try await page(after: next)
      try await abort(page.found.filter { $0.began < time })
      if let following = page.next, let next, following == next { break }
      next = page.next
      pages += 1
    } while next != nil && pages < 10_000
  }

  private func page(
    after marker: (key: String, id: String)?
  ) async throws(StorageError) -> (found: [PendingUpload], next: (key: String, id: String)?) {
    var call = S3Call("s3:ListBucketMultipartUploads", "GET", nil)
    // Not encoded, since there are servers that then do so without saying it.
    call.query = [("uploads", ""), ("prefix", root)]
    if let marker { call.query += [("key-marker", marker.key), ("upload-id-marker", marker.id)] }
    call.receiving = .bytes(limit: 8 << 20)
    let answer = try await bucket.answer(call, path: root)
    do throws(AnswerError) {
      var page = try UploadAnswers.uploads(answer.body)
      page.found.removeAll { !$0.key.utf8.starts(with: root.utf8) }
      return page
    } catch { throw bucket.unreadable(call, path: root, error.what) }
  }

  private func abort(_ uploads: [PendingUpload]) async throws(StorageError) {
    let failures =
      (try? await concurrently(uploads, width: min(bucket.options.requestsAtOnce, 16)) { upload in
        await Self.abort(upload.id, of: upload.key, bucket)
      }) ?? []
    if let failure = failures.compactMap(\.self).first { throw failure }
  }

  /// Removes the parts of an upload; one that is gone is no error.
  @discardableResult
  static func abort(_ id: String, of key: String, _ bucket: S3Bucket) async -> StorageError? {
    var call = S3Call("s3:AbortMultipartUpload", "DELETE", key)
    call.changes = true
    call.query = [("uploadId", id)]
    do throws(AWSError) { _ = try await bucket.send(call) } catch {
      guard error.service?.status != 404 || error.service?.code == "NoSuchBucket" else { return nil }
      return bucket.failure(error, call, path: key)
    }
    return nil
  }
}
