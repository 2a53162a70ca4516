internal import TarnAWS
internal import TarnBytes
internal import TarnStorage

/// Writes one object: by one put where it is small, and in parts, several on their way at once, where it is not.
actor S3Writer: ObjectWriter {
  private let name: ObjectName
  private let bucket: S3Bucket
  private let quoting: TagQuoting
  /// What keys begin with, and those of objects that show what the store can.
  private let places: StorePlaces
  private var isOpen = true
  /// Whether nothing follows what was written.
  private var hasEnded = false
  private var gathered = GatheredContent()
  /// The range that follows what was gathered, as long as what is copied goes on behind it: the longer it becomes, the
  /// more of it the server copies.
  private var following: (range: Range<Int>, source: CopiedSource)?
  /// There once something was sent.
  private var upload: MultipartUpload?
  /// What is known of the objects that ranges were copied from.
  private var sources: [String: ObjectInfo] = [:]
  /// The versions of which the server copied ranges.
  private var copied: [CopiedSource] = []

  init(_ name: ObjectName, _ bucket: S3Bucket, _ quoting: TagQuoting, _ places: StorePlaces) {
    self.name = name
    self.bucket = bucket
    self.quoting = quoting
    self.places = places
  }

  deinit {
    // Who forgets a writer does not wait for it: what it sent goes by itself, or with what is unfinished.
    if let upload { Task { await upload.abort() } }
  }

  func write(_ bytes: [UInt8]) async throws(StorageError) {
    try open()
    do throws(StorageError) {
      try await endFollowing()
      gathered.append(bytes)
      try await sendWhole()
    } catch { throw await closed(by: error) }
  }

  func copy(_ range: Range<Int>, of path: String, tag: ObjectTag?) async throws(StorageError) {
    try open()
    do throws(StorageError) {
      let source = try ObjectName(path, below: places.root)
      // Most of so long a range the server copies: the upload is begun while the source is looked at.
      async let begun: Void = range.count > 2 * PartSizes.least ? beginAhead() : ()
      let info = try await info(of: source, tag: tag)
      await begun
      try StorageError.check(info.tag, is: tag, path: path)
      try StorageError.check(range, within: info.size, path: path)
      try await follow(range, of: CopiedSource(name: source, tag: info.tag))
    } catch { throw await closed(by: error) }
  }

  func end() async throws(StorageError) {
    try open()
    hasEnded = true
    do throws(StorageError) { try await sendRest() } catch { throw await closed(by: error) }
  }

  @discardableResult
  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag {
    guard isOpen else { throw .closed(name.path) }
    isOpen = false
    do throws(StorageError) { try await sendRest() } catch { throw await closed(by: error) }
    guard let upload else {
      let body = try await gathered.take(gathered.count).body(bucket)
      let putter = ObjectPutter(bucket: bucket)
      return try await bucket.uncancelled { [name, quoting] () throws(StorageError) in
        try await putter.put(body, name, if: condition, quoting: quoting)
      }
    }
    do throws(StorageError) {
      let isHeeded = condition == .always ? false : try await heedsInCompletion(condition)
      let tag = try await bucket.uncancelled { () throws(StorageError) in
        try await upload.complete(if: condition, isHeeded: isHeeded)
      }
      self.upload = nil
      return tag
    } catch {
      // What may have appeared, or may yet, stays as it is.
      if error.code == .unknown { self.upload = nil }
      throw await closed(by: error)
    }
  }

  func abandon() async {
    isOpen = false
    gathered = GatheredContent()
    following = nil
    guard let upload else { return }
    self.upload = nil
    await upload.abort()
  }

  private func open() throws(StorageError) {
    guard isOpen, !hasEnded else { throw .closed(name.path) }
  }

  /// Closes the writer after an error, which it gives back: how its parts are removed does not matter beside it.
  private func closed(by error: StorageError) async -> StorageError {
    await abandon()
    return error
  }

  private func heedsInCompletion(_ condition: PutCondition) async throws(StorageError) -> Bool {
    let probe = CompletionProbe(bucket: bucket, scratch: places.scratch, condition: condition)
    return try await bucket.conditions.heedsInCompletion(condition) { await probe.heeds() }
  }

  // MARK: - Parts

  /// Sends as many whole parts as there are.
  private func sendWhole() async throws(StorageError) {
    while true {
      let size = PartSizes.size(ofPart: (upload?.partCount ?? 0) + 1, base: bucket.options.partSize)
      guard gathered.count >= size else { return }
      try await send(size)
    }
  }

  /// Sends what is left of an object in parts, and waits until all of it is there.
  private func sendRest() async throws(StorageError) {
    try await endFollowing()
    guard let upload else { return }
    if gathered.count > 0 { try await upload.add(gathered.take(gathered.count)) }
    // The sources are looked at while the last parts are on their way.
    try await upload.settleCopies()
    try await checkCopied()
    try await upload.settle()
  }

  private func send(_ count: Int) async throws(StorageError) {
    if Task.isCancelled { throw StorageError(.cancelled, path: name.path, "the writing was cancelled") }
    try await begun().add(gathered.take(count))
  }

  private func begun() async throws(StorageError) -> MultipartUpload {
    if let upload { return upload }
    let begun = try await MultipartUpload.begin(name, bucket)
    upload = begun
    return begun
  }

  /// Begins the upload; where that fails, it is tried when there is something to send.
  private func beginAhead() async {
    guard upload == nil, let begun = try? await MultipartUpload.begin(name, bucket) else { return }
    guard upload == nil, isOpen else { return await begun.abort() }
    upload = begun
  }

  // MARK: - Copies

  /// What is known of a source, asked for once for each of its versions that no listing has told of.
  private func info(of source: ObjectName, tag: ObjectTag?) async throws(StorageError) -> ObjectInfo {
    if let tag, let known = sources[source.path], known.tag == tag,
      known.path.utf8.elementsEqual(source.path.utf8)
    {
      return known
    }
    if let tag, let known = bucket.listed[source.key], known.tag == tag {
      sources[source.path] = known
      return known
    }
    let info = try await ObjectReader(bucket: bucket).head(source).info
    sources[source.path] = info
    return info
  }

  /// Lets a range wait for what is copied next.
  private func follow(_ range: Range<Int>, of source: CopiedSource) async throws(StorageError) {
    guard !range.isEmpty else { return }
    if let before = following, before.source == source, before.range.upperBound == range.lowerBound,
      before.range.count < PartSizes.greatestCopy
    {
      following = (before.range.lowerBound..<range.upperBound, source)
      return
    }
    try await endFollowing()
    following = (range, source)
  }

  /// Has the server copy what is large enough for parts of its own; the rest is read when it is sent.
  private func endFollowing() async throws(StorageError) {
    guard let (range, source) = following else { return }
    following = nil
    // A part before the last has a least size, and what was gathered is one as soon as a copied one follows.
    let missing = gathered.count == 0 ? 0 : max(PartSizes.least - gathered.count, 0)
    // A range of an object of the least size or less is refused; so this one is longer.
    guard range.count - missing > PartSizes.least else {
      gathered.append(range, of: source)
      return try await sendWhole()
    }
    let rest = range.lowerBound + missing..<range.upperBound
    gathered.append(range.lowerBound..<rest.lowerBound, of: source)
    if gathered.count > 0 { try await send(gathered.count) }
    let upload = try await begun()
    for piece in PartSizes.copies(of: rest) {
      if Task.isCancelled {
        throw StorageError(.cancelled, path: self.name.path, "the writing was cancelled")
      }
      try await upload.add(piece, of: source.name, tag: source.tag)
    }
    if copied.last != source { copied.append(source) }
  }

  /// Looks whether what was copied from is still of the version that is meant.
  ///
  /// Some servers take a copy whatever its condition says. What has its tag after the copy had it before, too.
  private func checkCopied() async throws(StorageError) {
    for source in copied {
      let info = try await ObjectReader(bucket: bucket).head(source.name).info
      try StorageError.check(info.tag, is: source.tag, path: source.name.path)
    }
    copied = []
  }
}
