internal import TarnAWS
internal import TarnBytes
internal import TarnStorage

/// Reads objects of a bucket.
struct ObjectReader: Sendable {
  let bucket: S3Bucket

  /// How often a whole read begins again because the object changed in the middle, or an answer was damaged.
  static let attempts = 3
  /// How often a read goes on where it broke off.
  private static let resumptions = 8
  /// Longer ranges are asked for in parts of this size, and only once the object's size is known.
  static let partSize = 8 << 20

  /// What the store knows of an object, and its headers.
  func head(_ name: ObjectName) async throws(StorageError) -> (info: ObjectInfo, headers: HTTPHeaders) {
    let call = S3Call("s3:GetObject", "HEAD", name.key)
    let answer = try await bucket.answer(call, path: name.path)
    guard let head = ObjectHead(answer.head), let size = head.size, let modified = head.modified else {
      throw bucket.unreadable(call, path: name.path, "no ETag, no length, or no time of modification")
    }
    bucket.tags.note(head.tag, of: name.key)
    let info = ObjectInfo(path: name.path, size: size, tag: head.tag, modified: modified)
    return (info, answer.head.headers)
  }

  /// A whole object of at most so many bytes.
  func get(_ name: ObjectName, limit: Int) async throws(StorageError) -> StoredObject {
    var call = S3Call("s3:GetObject", "GET", name.key)
    call.receiving = .bytes(limit: max(limit, 0))
    if bucket.options.checksums == .always { call.headers["x-amz-checksum-mode"] = "ENABLED" }
    var failure: StorageError?
    for attempt in 0..<Self.attempts {
      if attempt > 0 { await bucket.pause(.milliseconds(20 << attempt)) }
      let answer: AWSAnswer
      do throws(AWSError) { answer = try await bucket.send(call) } catch {
        guard error.http?.kind == .tooLarge, let head = error.head, ObjectHead(head) != nil else {
          throw bucket.failure(error, call, path: name.path)
        }
        let size = head.headers["content-length"].map { "\($0) bytes" } ?? "more"
        throw StorageError(
          .tooLarge, path: name.path, "it has \(size), and at most \(limit) bytes are read here", cause: error
        )
      }
      guard let head = ObjectHead(answer.head), answer.head.status == 200 else {
        failure = bucket.unreadable(call, path: name.path, "no ETag")
        continue
      }
      guard Self.isIntact(answer) else {
        failure = StorageError(
          .failed, path: name.path,
          "what comes has another checksum than \(bucket.address.name) says, again and again")
        continue
      }
      return StoredObject(bytes: answer.body, tag: head.tag)
    }
    throw failure ?? bucket.unreadable(call, path: name.path, "no answer")
  }

  /// Whether a whole body is what the answer's checksum says, where it has one that this room makes.
  private static func isIntact(_ answer: AWSAnswer) -> Bool {
    // That of an upload in parts is a sum of sums, and ends in their number.
    guard let expected = answer.head.headers["x-amz-checksum-crc32"], !expected.contains("-") else {
      return true
    }
    return Checksum.text(of: answer.body) == expected
  }

  /// Reads a range that is not empty into memory of its size.
  ///
  /// - Parameters:
  ///   - tag: The version that is meant; nil for the one that is there.
  ///   - isChecked: Whether the range is known to lie within the object.
  /// - Throws: `changed` where the object is of another version, or changes again and again.
  func read(
    _ name: ObjectName, _ range: Range<Int>, tag: ObjectTag?, into memory: ResponseMemory
  ) async throws(StorageError) {
    for _ in 0..<Self.attempts {
      let found: Set<ObjectTag>
      if range.count <= Self.partSize {
        guard let seen = try await readPart(name, range, at: 0, into: memory) else { continue }
        found = [seen]
      } else {
        guard let seen = try await readParts(name, range, into: memory) else { continue }
        found = seen
      }
      guard let tag else {
        if found.count == 1 { return }
        continue
      }
      guard found == [tag] else { break }
      return
    }
    throw StorageError(
      .changed, path: name.path, "it is another version than the one that is meant; read it again")
  }

  /// The tags of the versions that the parts are of; nil where one changed on the way.
  private func readParts(
    _ name: ObjectName, _ range: Range<Int>, into memory: ResponseMemory
  ) async throws(StorageError) -> Set<ObjectTag>? {
    let parts = PartSizes.pieces(of: range, most: Self.partSize)
    do {
      let tags = try await concurrently(parts, width: min(bucket.options.requestsAtOnce, 8)) { part in
        try await readPart(name, part, at: part.lowerBound - range.lowerBound, into: memory)
      }
      let known = tags.compactMap(\.self)
      return known.count == tags.count ? Set(known) : nil
    } catch let error as StorageError {
      throw error
    } catch {
      throw StorageError(.cancelled, path: name.path, "the reading was cancelled")
    }
  }

  /// Reads a range by one request, which goes on where it breaks off.
  ///
  /// - Returns: The tag of the version that it is of; nil where that changed on the way.
  private func readPart(
    _ name: ObjectName, _ range: Range<Int>, at offset: Int, into memory: ResponseMemory
  ) async throws(StorageError) -> ObjectTag? {
    var done = 0
    var first: ObjectTag?
    for resumption in 0..<Self.resumptions {
      var call = S3Call("s3:GetObject", "GET", name.key)
      call.headers["range"] = "bytes=\(range.lowerBound + done)-\(range.upperBound - 1)"
      call.receiving = .memory(memory, offset: offset + done, count: range.count - done)
      let received: Int
      let head: HTTPHead?
      var broken: AWSError?
      do throws(AWSError) {
        let answer = try await bucket.send(call)
        (received, head) = (answer.received, answer.head)
      } catch {
        let isOfObject = error.head.map { ObjectHead($0) != nil } ?? false
        if error.http?.kind == .tooLarge, isOfObject { throw noRanges(name, error) }
        guard let kind = error.http?.kind, Self.goesOn(behind: kind), let seen = error.head, seen.isSuccess
        else { throw outOfRange(error, name, range) ?? bucket.failure(error, call, path: name.path) }
        (received, head) = (error.http?.received ?? 0, seen)
        broken = error
      }
      guard let head, let object = ObjectHead(head) else {
        guard resumption < Self.attempts else { throw bucket.unreadable(call, path: name.path, "no ETag") }
        await bucket.pause(.milliseconds(20 << resumption))
        continue
      }
      try check(head, object, name, range, done)
      if let first, first != object.tag { return nil }
      first = object.tag
      done += received
      if done >= range.count { return object.tag }
      guard let broken else { throw bucket.unreadable(call, path: name.path, "\(received) bytes too few") }
      guard resumption < Self.resumptions - 1 else { throw bucket.failure(broken, call, path: name.path) }
      await bucket.pause(.milliseconds(20 << resumption))
      if Task.isCancelled { throw StorageError(.cancelled, path: name.path, "the reading was cancelled") }
    }
    return nil
  }

  /// Whether what came of a body before it ended so is right, and the rest can be asked for.
  private static func goesOn(behind kind: HTTPError.Kind) -> Bool {
    [.bodyBrokenOff, .tooLarge, .stalled, .timedOut, .connectionBroken].contains(kind)
  }

  /// Checks that an answer has the part that was asked for.
  private func check(
    _ head: HTTPHead, _ object: ObjectHead, _ name: ObjectName, _ range: Range<Int>, _ done: Int
  ) throws(StorageError) {
    guard head.status == 206 else {
      // A server may give the whole, where that was asked for.
      guard range.lowerBound + done == 0, object.size == range.count else { throw noRanges(name, nil) }
      return
    }
    guard let part = object.range, part.lowerBound == range.lowerBound + done,
      part.upperBound <= range.upperBound
    else { throw noRanges(name, nil) }
    if part.upperBound < range.upperBound {
      try StorageError.check(range, within: object.size ?? part.upperBound, path: name.path)
    }
  }

  private func outOfRange(_ error: AWSError, _ name: ObjectName, _ range: Range<Int>) -> StorageError? {
    guard error.service?.status == 416 else { return nil }
    return StorageError(
      .outOfRange, path: name.path,
      "bytes \(range.lowerBound)..<\(range.upperBound) were asked for, and it is shorter; it was cut short, or "
        + "something names a wrong place in it", cause: error)
  }

  private func noRanges(_ name: ObjectName, _ error: AWSError?) -> StorageError {
    StorageError(
      .failed, path: name.path,
      "\(bucket.address.name) gave other bytes than the range that was asked for: it, or a proxy before it, does not "
        + "understand ranges", cause: error)
  }
}
