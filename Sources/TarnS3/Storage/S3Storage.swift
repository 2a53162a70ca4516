internal import TarnAWS
internal import TarnBytes
public import TarnStorage

/// A storage in a bucket of S3, or of a server that speaks its protocol.
///
/// It promises what ``TarnStorage/Storage`` says, over a network that loses answers; <doc:TarnS3> tells how. Before it
/// writes for the first time, it tries on an object of its own whether the bucket heeds conditions; one that does not is
/// read, and not written.
public struct S3Storage: Storage {
  /// Where it is.
  public let location: S3Location
  private let bucket: S3Bucket
  private let places: StorePlaces

  /// Makes a storage; nothing is asked yet.
  ///
  /// - Parameters:
  ///   - location: The bucket, and what all keys begin with.
  ///   - client: What sends its requests; storages that share one share its connections, and what it knows.
  ///   - scratch: The folder, in the storage, of objects that show what the bucket can, and that go at once.
  /// - Throws: ``TarnStorage/StorageError`` with code `invalidPath` where the client's endpoint is no URL.
  public init(
    _ location: S3Location, client: S3Client, scratch: String = ".tarn"
  ) throws(StorageError) {
    self.location = location
    bucket = try client.bucket(location.bucket)
    places = StorePlaces(root: location.prefix, scratch: location.prefix + scratch + "/")
  }

  /// As of an object store.
  public var costs: RequestCosts {
    RequestCosts(
      widestGap: RequestCosts.objectStore.widestGap, requestsAtOnce: bucket.options.requestsAtOnce,
      leastCopy: PartSizes.least, overlaps: bucket.options.requestsAtOnce > 1)
  }

  /// Lists objects by `ListObjectsV2`, in the order of their keys' bytes, also where the bucket has no order.
  ///
  /// Keys that end in a slash, by which some tools mark folders, are left out. Throws what
  /// ``Storage/list(prefix:after:stoppingAtSlash:continuation:)`` does.
  public func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    try StoragePath.checkPrefix(prefix)
    return try await ObjectLister(bucket: bucket, root: places.root).list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
  }

  /// Tells an object's size, tag and time by `HEAD`.
  ///
  /// Throws what ``Storage/info(of:)`` does.
  public func info(of path: String) async throws(StorageError) -> ObjectInfo {
    try await ObjectReader(bucket: bucket).head(name(path)).info
  }

  /// Reads a whole object and its tag by one `GET`.
  ///
  /// Throws what ``Storage/get(_:limit:)`` does.
  public func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    try await ObjectReader(bucket: bucket).get(name(path), limit: limit)
  }

  /// Reads a range by a `GET`; a long one, once it is known to be there, by several at once.
  ///
  /// Throws what ``Storage/read(_:range:into:)`` does.
  public func read(
    _ path: String, range: Range<Int>, into buffer: inout ReadBuffer
  ) async throws(StorageError) {
    let name = try name(path)
    var tag: ObjectTag?
    if range.lowerBound < 0 || range.isEmpty || range.count > ObjectReader.partSize {
      let info = try await ObjectReader(bucket: bucket).head(name).info
      try StorageError.check(range, within: info.size, path: path)
      tag = info.tag
    }
    guard !range.isEmpty else { return buffer.removeAll() }
    var lent = ByteBuffer()
    swap(&lent, &buffer.memory)
    let memory = ResponseMemory(lent, count: range.count)
    do throws(StorageError) {
      try await ObjectReader(bucket: bucket).read(name, range, tag: tag, into: memory)
    } catch {
      buffer.memory = memory.take(filled: 0)
      throw error
    }
    buffer.memory = memory.take(filled: range.count)
  }

  /// Puts a whole object by one request, and finds out what became of it where its answer is lost.
  ///
  /// Throws what ``Storage/put(_:at:if:)`` does; `throttled` where other writers were at the same object again and again;
  /// `unsupported` where the bucket does not heed conditions.
  @discardableResult
  public func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    let name = try name(path)
    let quoting = try await quoting()
    let putter = ObjectPutter(bucket: bucket)
    return try await bucket.uncancelled { () throws(StorageError) in
      try await putter.put(HTTPBody(bytes), name, if: condition, quoting: quoting)
    }
  }

  /// Copies an object on the condition of its tag, and deletes it where it was.
  ///
  /// Throws what ``Storage/move(_:to:)`` does.
  public func move(_ path: String, to target: String) async throws(StorageError) {
    try await move(path, to: target, leaves: false)
  }

  /// Copies an object on the condition of its tag, and leaves it where it was.
  ///
  /// Throws what ``Storage/place(_:at:)`` does.
  public func place(_ path: String, at target: String) async throws(StorageError) {
    try await move(path, to: target, leaves: true)
  }

  private func move(_ path: String, to target: String, leaves: Bool) async throws(StorageError) {
    let (source, target) = (try name(path), try name(target))
    _ = try await quoting()
    let mover = ObjectMover(bucket: bucket)
    try await bucket.uncancelled { () throws(StorageError) in
      try await mover.move(source, to: target, leaves: leaves)
    }
  }

  /// Opens a writer that sends a small object by one put, and a larger one in parts.
  ///
  /// Parts are on their way while the next is written, so that what ranges are copied from must stay until it has
  /// finished.
  ///
  /// Its ``TarnStorage/ObjectWriter/finish(if:)`` fails with `unsupported` for an object in parts that has a condition,
  /// where the bucket does not heed conditions of those. Throws what ``Storage/writer(at:)`` does.
  public func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    let name = try name(path)
    return S3Writer(name, bucket, try await quoting(), places)
  }

  /// Deletes objects, by a thousand for each request where the bucket can do that.
  ///
  /// - Returns: The errors of those that are still there, or may be.
  public func delete(_ paths: [String]) async -> [StorageError] {
    var names: [ObjectName] = []
    var failures: [StorageError] = []
    for path in paths {
      do throws(StorageError) { names.append(try name(path)) } catch { failures.append(error) }
    }
    guard !names.isEmpty else { return failures }
    // Where nothing may be written, nothing is deleted either.
    do throws(StorageError) { _ = try await quoting() } catch {
      return failures + names.map { StorageError(error.code, path: $0.path, error.message, cause: error) }
    }
    return failures + (await ObjectRemover(bucket: bucket).remove(names))
  }

  /// Aborts uploads below the prefix that began before a time and were never completed.
  ///
  /// Where the bucket does not let one look for them, or cannot, they stay: they cost, and harm nobody. Throws what
  /// ``Storage/removeUnfinished(before:)`` does.
  public func removeUnfinished(before time: Int64) async throws(StorageError) {
    do throws(StorageError) {
      try await UnfinishedUploads(bucket: bucket, root: places.root).remove(before: time)
    } catch {
      guard error.code == .permissionDenied || error.code == .unsupported else { throw error }
    }
  }

  /// Which conditions the bucket heeds, once that was tried.
  public func findings() -> String? { bucket.conditions.findings() }

  /// Believes what another process tried on this bucket at this endpoint.
  public func adopt(_ findings: String) { bucket.conditions.adopt(findings) }

  private func name(_ path: String) throws(StorageError) -> ObjectName {
    try ObjectName(path, below: places.root)
  }

  /// How the bucket wants tags in conditions.
  ///
  /// - Throws: `unsupported` where it heeds none.
  private func quoting() async throws(StorageError) -> TagQuoting {
    let probe = ConditionProbe(bucket: bucket, scratch: places.scratch)
    return try await bucket.conditions.quoting { await probe.quoting() }
  }
}
