internal import Synchronization
internal import TarnAWS
internal import TarnStorage

/// Lists objects of a bucket, below a root that all keys begin with.
struct ObjectLister: Sendable {
  let bucket: S3Bucket
  let root: String

  /// How often a page is asked for whose answer cannot be read.
  private static let attempts = 3

  /// One page, as the storage protocol has it.
  func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    var request = ListRequest(prefix: prefix, after: after, stopsAtSlash: stoppingAtSlash)
    request.continuation = continuation
    if bucket.isUnordered.load(ordering: .relaxed) {
      // What the first page gave would be given again.
      guard continuation == nil else { throw unordered(prefix) }
      return try await listAll(request)
    }
    let page = try await page(request)
    guard Self.isOrdered(page) else {
      bucket.isUnordered.store(true, ordering: .relaxed)
      guard continuation == nil else { throw unordered(prefix) }
      return try await listAll(request)
    }
    return page
  }

  private func unordered(_ prefix: String) -> StorageError {
    StorageError(
      .failed, path: root + prefix,
      "\(bucket.address.name) lists keys in no order, which its first page did not show; list again")
  }

  /// All pages as one, in order.
  private func listAll(_ request: ListRequest) async throws(StorageError) -> ListingPage {
    var request = request
    request.continuation = nil
    // Stores without an order cannot begin somewhere in it.
    request.tellsBegin = false
    var all = ListingPage(objects: [])
    var seen: Set<String> = []
    repeat {
      let page = try await page(request)
      all.objects += page.objects
      all.folders += page.folders
      if let next = page.continuation, !seen.insert(next).inserted { throw doesNotGoOn(request) }
      request.continuation = page.continuation
    } while request.continuation != nil
    all.objects.sort { StoragePath.precedes($0.path, $1.path) }
    all.folders.sort { StoragePath.precedes($0, $1) }
    all.folders = all.folders.enumerated().filter { index, folder in
      index == 0 || !folder.utf8.elementsEqual(all.folders[index - 1].utf8)
    }.map(\.element)
    return all
  }

  /// One page as the server orders it, by paths.
  private func page(_ request: ListRequest) async throws(StorageError) -> ListingPage {
    let entered = request.enteredFolder
    let answer = try await answer(request.query(root, bucket.options), path: root + request.prefix)
    var page = ListingPage(objects: [])
    page.continuation = answer.continuation
    for object in answer.objects {
      let path = try path(of: object.path, in: request)
      // Keys that end in a slash stand for folders, as some tools make them.
      guard !path.isEmpty, path.utf8.last != UInt8(ascii: "/"), request.isAfter(path) else { continue }
      let info = ObjectInfo(path: path, size: object.size, tag: object.tag, modified: object.modified)
      bucket.listed.note(info, of: root + path)
      page.objects.append(info)
    }
    for folder in answer.folders {
      let path = try path(of: folder, in: request)
      if let entered, path.utf8.elementsEqual(entered.utf8) { continue }
      // One that lies before the begin may hold what comes after it only where the begin lies in it.
      if request.isAfter(path) { page.folders.append(path) }
    }
    // Servers differ in whether a listing that begins within a folder tells of it: so that is asked for.
    if let entered, request.continuation == nil, try await holdsMore(entered, request) {
      page.folders.insert(entered, at: 0)
    }
    return page
  }

  /// Whether a folder has objects after the begin of a listing.
  private func holdsMore(_ folder: String, _ request: ListRequest) async throws(StorageError) -> Bool {
    var inner = ListRequest(prefix: folder, after: request.after, stopsAtSlash: false)
    inner.tellsBegin = request.tellsBegin
    var seen: Set<String> = []
    while true {
      let page = try await page(inner)
      guard page.objects.isEmpty, let next = page.continuation else { return !page.objects.isEmpty }
      guard seen.insert(next).inserted else { throw doesNotGoOn(inner) }
      inner.continuation = next
    }
  }

  private func doesNotGoOn(_ request: ListRequest) -> StorageError {
    StorageError(
      .failed, path: root + request.prefix,
      "\(bucket.address.name) gives the same page of its listing again and again")
  }

  private func answer(
    _ query: [(name: String, value: String)], path: String
  ) async throws(StorageError) -> ListingAnswer {
    var call = S3Call("s3:ListBucket", "GET", nil)
    call.query = query
    // A thousand keys of the greatest length, each byte of which may be encoded by three.
    call.receiving = .bytes(limit: 8 << 20)
    var last = ""
    for attempt in 0..<Self.attempts {
      let answer = try await bucket.answer(call, path: path)
      do throws(AnswerError) { return try ListingAnswer(parsing: answer.body) } catch { last = error.what }
      await bucket.pause(.milliseconds(20 << attempt))
    }
    throw bucket.unreadable(call, path: path, last)
  }

  /// The path of a key.
  ///
  /// - Throws: `failed` where the key does not begin with what was asked for.
  private func path(of key: String, in request: ListRequest) throws(StorageError) -> String {
    guard let path = key.remainder(after: root), path.utf8.starts(with: request.prefix.utf8) else {
      throw StorageError(
        .failed, path: root + request.prefix,
        "\(bucket.address.name) listed \(key.debugDescription), which does not begin so; nothing of the listing is used"
      )
    }
    return path
  }

  private static func isOrdered(_ page: ListingPage) -> Bool {
    zip(page.objects, page.objects.dropFirst()).allSatisfy { StoragePath.precedes($0.path, $1.path) }
      && zip(page.folders, page.folders.dropFirst()).allSatisfy { StoragePath.precedes($0, $1) }
  }
}

/// What is listed.
private struct ListRequest {
  let prefix: String
  let after: String?
  let stopsAtSlash: Bool
  var continuation: String?
  /// Whether the server is told where to begin, rather than that what comes before is dropped here.
  var tellsBegin = true

  init(prefix: String, after: String?, stopsAtSlash: Bool) {
    self.prefix = prefix
    self.after = after
    self.stopsAtSlash = stopsAtSlash
  }

  /// The folder, with its slash, in which the listing begins; nil where it stops at none, or begins in none.
  var enteredFolder: String? {
    guard stopsAtSlash, let rest = after?.remainder(after: prefix), let slash = rest.utf8.firstIndex(of: 0x2f)
    else { return nil }
    return prefix + rest[...slash]
  }

  /// Whether a path comes after the begin.
  func isAfter(_ path: String) -> Bool { after.map { StoragePath.precedes($0, path) } ?? true }

  func query(_ root: String, _ options: S3Options) -> [(name: String, value: String)] {
    var query = [
      (name: "list-type", value: "2"), ("prefix", root + prefix), ("encoding-type", "url"),
    ]
    if options.pageSize < 1_000 { query.append(("max-keys", String(options.pageSize))) }
    if stopsAtSlash { query.append(("delimiter", "/")) }
    if let continuation {
      query.append(("continuation-token", continuation))
    } else if let after, tellsBegin {
      query.append(("start-after", root + after))
    }
    return query
  }
}
