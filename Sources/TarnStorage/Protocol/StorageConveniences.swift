import TarnBytes

extension Storage {
  /// Lists a page, from the first key on; see ``list(prefix:after:stoppingAtSlash:continuation:)``.
  public func list(
    prefix: String, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    try await list(prefix: prefix, after: nil, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
  }

  /// Lists all pages; see ``list(prefix:after:stoppingAtSlash:continuation:)``.
  public func listAll(
    prefix: String, after: String? = nil, stoppingAtSlash: Bool = false
  ) async throws(StorageError) -> ListingPage {
    var all = try await list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: nil)
    while let next = all.continuation {
      let page = try await list(
        prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: next)
      all.objects += page.objects
      all.folders += page.folders
      all.continuation = page.continuation
    }
    return all
  }

  /// Reads a whole object of at most 256 MiB; see ``get(_:limit:)``.
  public func readAll(_ path: String) async throws(StorageError) -> [UInt8] {
    try await readAll(path, limit: 256 << 20)
  }

  /// Reads a whole object whose tag does not matter; throws what ``get(_:limit:)`` does.
  public func readAll(_ path: String, limit: Int) async throws(StorageError) -> [UInt8] {
    try await get(path, limit: limit).bytes
  }

  /// Reads a range of an object; throws what ``read(_:range:into:)`` does.
  public func read(_ path: String, range: Range<Int>) async throws(StorageError) -> [UInt8] {
    var buffer = ReadBuffer()
    try await read(path, range: range, into: &buffer)
    return buffer.copied()
  }

  /// Whether an object is there.
  public func exists(_ path: String) async throws(StorageError) -> Bool {
    do {
      _ = try await info(of: path)
      return true
    } catch  where error.code == .notFound {
      return false
    }
  }

  /// Deletes an object; one that is not there is no error.
  ///
  /// - Throws: ``StorageError`` where it is still there, or may be.
  public func delete(_ path: String) async throws(StorageError) { try await deleteAll([path]) }

  /// Deletes objects, as ``delete(_:)-([String])`` does, and tells of the first that is still there.
  ///
  /// - Throws: ``StorageError`` of one that is still there, or may be, once all were tried.
  public func deleteAll(_ paths: [String]) async throws(StorageError) {
    guard !paths.isEmpty else { return }
    if let error = await delete(paths).first { throw error }
  }

  /// Reads a range of an object into a buffer of the rooms above.
  package func read(
    _ path: String, range: Range<Int>, into buffer: inout ByteBuffer
  ) async throws(StorageError) {
    // Its memory goes down and comes back, so that nothing is copied.
    var lent = ReadBuffer(holding: buffer)
    do throws(StorageError) { try await read(path, range: range, into: &lent) } catch {
      buffer = lent.taken()
      throw error
    }
    buffer = lent.taken()
  }
}

extension ObjectWriter {
  /// Does nothing.
  public func end() async throws(StorageError) {}

  /// Makes the object appear, whole and durable, replacing one that was there; see ``finish(if:)``.
  @discardableResult
  public func finish() async throws(StorageError) -> ObjectTag { try await finish(if: .always) }

  /// Appends a range of the object that is at a path, whatever its tag; see ``copy(_:of:tag:)``.
  public func copy(_ range: Range<Int>, of path: String) async throws(StorageError) {
    try await copy(range, of: path, tag: nil)
  }
}
