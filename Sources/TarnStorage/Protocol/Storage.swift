/// A place that keeps whole, immutable-by-convention objects under slash-separated paths.
///
/// The protocol is small on purpose: each verb is one more thing that every implementation, fake and
/// fault injector must get right. Each doc comment below is a contract, and the product `TarnStorageContract` checks
/// it on every implementation, on one of your own too.
///
/// Paths are relative to the storage's root: segments joined by `/`, none of them empty, `.`, `..` or longer than
/// 255 bytes, and no NUL character; anything else throws ``StorageError/Code/invalidPath``, for which there is
/// ``StoragePath/check(_:)``. Paths are equal where their UTF-8 bytes are. A folder is no object: it has no info,
/// cannot be read, and deleting it does nothing.
///
/// What a writer has not finished is in no listing, and can be neither read nor asked for.
///
/// A storage that sends its requests over a network notes each at ``StorageTraffic/present``, so that who writes a table
/// learns what that took.
///
/// Errors say what became of a call that changes something: nothing where the code is any other than
/// ``StorageError/Code/unknown``, after which it may have taken effect, or may yet. Where the task is cancelled, a
/// call that only reads may end with ``StorageError/Code/cancelled``. Puts and deletions are carried out all the
/// same, since a cancelled write is taken back by them.
public protocol Storage: Sendable {
  /// Lists objects whose path begins with `prefix`, in ascending order of their UTF-8 bytes.
  ///
  /// The prefix is plain text, not a folder: `"a/b"` lists `a/b`, `a/bc` and `a/b/c`.
  /// With `stoppingAtSlash`, what lies below the next `/` after the prefix is not walked: it is
  /// reported once in ``ListingPage/folders``, with its trailing slash. An object store reports only
  /// folders that hold something; a file system may report an empty one.
  ///
  /// Without `stoppingAtSlash`, a file system's symbolic links to folders are not walked, but reported there too: a
  /// listing never leads a deletion out of the storage. Naming one in the prefix walks it.
  ///
  /// - Parameters:
  ///   - prefix: Begin of the paths to list; empty for all.
  ///   - after: Only objects whose path comes after this text are listed, and only folders that hold such; nil for
  ///     all. It need not be a path, nor begin with the prefix.
  ///   - stoppingAtSlash: Whether to stop at the next `/` after the prefix.
  ///   - continuation: ``ListingPage/continuation`` of the page before, of a call with the same other arguments, or
  ///     nil for the first.
  /// - Returns: One page; objects and folders together are in order across pages. A prefix under which there is
  ///   nothing gives an empty page, not an error.
  /// - Throws: ``StorageError`` where the storage cannot be read.
  func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage

  /// Tells an object's size, tag and modification time.
  ///
  /// - Throws: ``StorageError`` with code `notFound` where there is no such object.
  func info(of path: String) async throws(StorageError) -> ObjectInfo

  /// Reads a whole object that is expected to be small, and its tag, as they are at one moment, also where it is
  /// replaced meanwhile.
  ///
  /// It is one request where the storage can do that.
  ///
  /// - Parameter limit: Bytes beyond which it is not read.
  /// - Throws: ``StorageError``: `notFound`; `tooLarge` beyond `limit` bytes; `changed` where no such moment was met.
  func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject

  /// Reads a range of an object into a buffer that the caller reuses, replacing what it held.
  ///
  /// The buffer holds as many bytes as the range then. The range may come from a damaged file, so memory for it is
  /// taken only once it is known to lie within the object.
  ///
  /// - Throws: ``StorageError``: `notFound`, or `outOfRange` where the range does not lie within the object.
  func read(
    _ path: String, range: Range<Int>, into buffer: inout ReadBuffer
  ) async throws(StorageError)

  /// Writes a whole object. It appears whole or not at all, and is durable when this returns.
  ///
  /// - Returns: The tag of what was written.
  /// - Throws: ``StorageError``: `preconditionFailed` if and only if the condition does not hold, so that another
  ///   writer has won; `unknown` where the object may have appeared, or may appear later. A storage that repeats a
  ///   request whose answer it did not get cannot tell its own success from another's, and says `unknown` too.
  @discardableResult
  func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag

  /// Moves a whole small object to another path, where it replaces what is there, and is durable when this returns.
  ///
  /// Of many who move one object one succeeds where the storage can tell; where moving is copying and deleting, several
  /// may, and each leaves the object at its target.
  ///
  /// - Throws: ``StorageError``: `notFound` where no object is at `path`, and nothing at `target` has changed;
  ///   `unknown` where it may have been moved, or may be at both paths.
  func move(_ path: String, to target: String) async throws(StorageError)

  /// Moves a whole small object as ``move(_:to:)`` does, but may leave it where it was, too, for the caller to delete.
  ///
  /// Where moving is copying and deleting it spares a request that others need not wait for; elsewhere it moves, as by
  /// default.
  ///
  /// - Throws: ``StorageError``, as ``move(_:to:)`` does.
  func place(_ path: String, at target: String) async throws(StorageError)

  /// Opens a streaming writer; nothing appears at `path` before ``ObjectWriter/finish(if:)``.
  func writer(at path: String) async throws(StorageError) -> any ObjectWriter

  /// Deletes objects, in no certain order and many at once where the storage can do that. Deleting what is not there
  /// succeeds, and what cannot be deleted does not keep the others.
  ///
  /// - Returns: Why objects are still there, or may be: an error for each such path, which it names. None where all
  ///   are gone, durably.
  func delete(_ paths: [String]) async -> [StorageError]

  /// What requests cost here, so that nothing above the storage need know of what kind it is.
  var costs: RequestCosts { get }

  /// The same storage, for writes that need not be durable one by one.
  ///
  /// What is written through the batch appears as ever, but is certain to be durable only once ``settle()`` has
  /// returned; until then a power failure may lose it, or tear what a writer finished. Deletions are durable as ever.
  /// A storage to which that makes no difference is its own batch, as by default.
  func batch() -> any Storage

  /// Makes durable all that was written through this batch; by default there is nothing to do.
  ///
  /// - Throws: ``StorageError``; nothing that was written through the batch is certain to be durable then.
  func settle() async throws(StorageError)

  /// The same storage, whose waits for other programs, as for one that was stopped while it replaced a file, together
  /// last at most so long.
  ///
  /// A storage that never waits for others is its own, as by default.
  func waiting(atMost patience: Duration) -> any Storage

  /// Lets what is read stay open from one read to the next, for as long as the returned value lives.
  ///
  /// Each read still sees what is at its path by then. Where opening costs nothing there is nothing to do, as by
  /// default.
  func keepOpen() -> OpenScope

  /// Removes what writers that never finished left behind: temporaries, uploads that nobody goes on with.
  ///
  /// By default there is nothing to do.
  ///
  /// - Parameter time: Only what nobody has touched since this time goes, in microseconds since
  ///   1970-01-01T00:00:00Z.
  /// - Throws: ``StorageError`` where something cannot be removed.
  func removeUnfinished(before time: Int64) async throws(StorageError)

  /// The time by the storage's own clock, by which it says when objects were modified, as far as its answers have told it.
  ///
  /// Nothing is asked for that.
  ///
  /// - Returns: Microseconds since 1970-01-01T00:00:00Z; nil where its clock is this machine's, as by default, or is not
  ///   known yet.
  func currentTime() -> Int64?

  /// What was found out about what the storage can do, which another process would have to try again.
  ///
  /// - Returns: A text of the storage's own, to be kept with what lies there and given to ``adopt(_:)``; nil where there
  ///   is nothing, as by default.
  func findings() -> String?

  /// Takes over what another process found out, as far as it is about this very storage.
  ///
  /// The text may come from anywhere: one that is not understood is left alone, as all are by default.
  func adopt(_ findings: String)
}

/// A streaming writer of one object.
///
/// A writer that goes without having finished abandons what it wrote. After an error of any of its calls it is
/// closed: all but ``abandon()`` fail with ``StorageError/Code/closed``, and nothing appears.
public protocol ObjectWriter: Sendable {
  /// Appends bytes.
  ///
  /// - Throws: ``StorageError``; the writer is closed then.
  func write(_ bytes: [UInt8]) async throws(StorageError)

  /// Appends a range of an object of the same storage, without a way through this process where the storage
  /// can do that.
  ///
  /// - Parameters:
  ///   - range: The bytes.
  ///   - path: The object's path.
  ///   - tag: The version that is meant; nil for the one that is there.
  /// - Throws: ``StorageError``: `notFound`; `changed` where the object has another tag; `outOfRange` where the range
  ///   does not lie within it; `unsupported` for a writer that belongs to no storage. The writer is closed then.
  func copy(_ range: Range<Int>, of path: String, tag: ObjectTag?) async throws(StorageError)

  /// Tells that nothing follows but ``finish(if:)``, or ``abandon()``: over a network, what was written is on its way
  /// until this returns, so that finishing is little.
  ///
  /// Nothing appears. By default there is nothing to do.
  ///
  /// - Throws: ``StorageError``; the writer is closed then.
  func end() async throws(StorageError)

  /// Makes the object appear, whole and durable, if the condition holds by then.
  ///
  /// - Returns: The tag of what was written.
  /// - Throws: ``StorageError``, as ``Storage/put(_:at:if:)`` does; the writer is closed then.
  @discardableResult
  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag

  /// Gives up: nothing appears, and what was written is removed. Harmless after ``finish(if:)``.
  func abandon() async
}

/// Keeps what a storage has opened, until it ends or goes; see ``Storage/keepOpen()``.
public final class OpenScope: Sendable {
  private let onEnd: (@Sendable () -> Void)?

  /// Makes a scope.
  ///
  /// - Parameter onEnd: What closes what was opened; nil where nothing is.
  public init(onEnd: (@Sendable () -> Void)? = nil) { self.onEnd = onEnd }

  deinit { onEnd?() }
}

extension Storage {
  /// Moves the object.
  public func place(_ path: String, at target: String) async throws(StorageError) {
    try await move(path, to: target)
  }

  /// This storage, each of whose writes is durable when it returns.
  public func batch() -> any Storage { self }

  /// Does nothing.
  public func settle() async throws(StorageError) {}

  /// This storage, which waits for nobody.
  public func waiting(atMost patience: Duration) -> any Storage { self }

  /// Keeps nothing open.
  public func keepOpen() -> OpenScope { OpenScope() }

  /// Does nothing.
  public func removeUnfinished(before time: Int64) async throws(StorageError) {}

  /// Nothing: the clock is this machine's.
  public func currentTime() -> Int64? { nil }

  /// Nothing: what this storage can do need not be tried.
  public func findings() -> String? { nil }

  /// Does nothing.
  public func adopt(_ findings: String) {}
}
