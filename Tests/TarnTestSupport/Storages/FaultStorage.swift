import Synchronization
import TarnStorage

/// A storage that fails at a chosen call, and from then on is gone, as for a process that was killed.
///
/// It counts every call that can fail: the storage's verbs, each path of a deletion, each write, copy and finish of
/// its writers, and the making and ending of its signs of life. So a workload is run once to learn ``callCount``, and then
/// once for each number up to it. At the crash the signs made through it are let go, and what its writers had not finished
/// is lost; what it wraps lives on, and is opened again by the "next process".
public final class FaultStorage: Storage, LifeSigns {
  private struct State {
    var calls: [String] = []
    var hasFailed = false
    var signs: [Int: any LifeSign] = [:]
    var signCount = 0
  }

  private let inner: any Storage
  private let faultyCall: Int?
  private let completesFaultedCall: Bool
  private let code: StorageError.Code?
  private let staysDown: Bool
  private let state = Mutex(State())

  /// Wraps a storage.
  ///
  /// - Parameters:
  ///   - inner: What does the work.
  ///   - crashAtCall: Number of the call that fails, the first being 1; nil for none.
  ///   - completesFaultedCall: Whether the failing call takes effect before it fails: a put or finish whose
  ///     answer was lost.
  ///   - code: The failure's code; nil for what a storage says then: `unknown` of a change that may have taken effect,
  ///     else `failed`.
  ///   - staysDown: Whether all later calls fail too; otherwise only the one does.
  public init(
    wrapping inner: any Storage, crashAtCall: Int? = nil, completesFaultedCall: Bool = false,
    code: StorageError.Code? = nil, staysDown: Bool = true
  ) {
    self.inner = inner
    self.faultyCall = crashAtCall
    self.completesFaultedCall = completesFaultedCall
    self.code = code
    self.staysDown = staysDown
  }

  /// Number of calls so far, the failing one and those after it included.
  public var callCount: Int { state.withLock { $0.calls.count } }

  /// The calls so far, each as its verb and path, for a test's message.
  public var calls: [String] { state.withLock { $0.calls } }

  /// Whether the chosen call was reached.
  public var hasFailed: Bool { state.withLock { $0.hasFailed } }

  /// Lists, or fails.
  public func list(
    prefix: String, after: String?, stoppingAtSlash: Bool, continuation: String?
  ) async throws(StorageError) -> ListingPage {
    let fault = try await begin("list", prefix)
    let page = try await inner.list(
      prefix: prefix, after: after, stoppingAtSlash: stoppingAtSlash, continuation: continuation)
    if let fault { throw fault }
    return page
  }

  /// Tells what is known of an object, or fails.
  public func info(of path: String) async throws(StorageError) -> ObjectInfo {
    let fault = try await begin("info", path)
    let info = try await inner.info(of: path)
    if let fault { throw fault }
    return info
  }

  /// Reads a whole object, or fails.
  public func get(_ path: String, limit: Int) async throws(StorageError) -> StoredObject {
    let fault = try await begin("get", path)
    let object = try await inner.get(path, limit: limit)
    if let fault { throw fault }
    return object
  }

  /// Reads, or fails.
  public func read(
    _ path: String, range: Range<Int>, into buffer: inout ReadBuffer
  ) async throws(StorageError) {
    let fault = try await begin("read", path)
    try await inner.read(path, range: range, into: &buffer)
    if let fault { throw fault }
  }

  /// Puts, or fails before or after it.
  @discardableResult
  public func put(
    _ bytes: [UInt8], at path: String, if condition: PutCondition
  ) async throws(StorageError) -> ObjectTag {
    let fault = try await begin("put", path)
    let tag = try await inner.put(bytes, at: path, if: condition)
    if let fault { throw fault }
    return tag
  }

  /// Opens a writer that fails too, or fails.
  public func writer(at path: String) async throws(StorageError) -> any ObjectWriter {
    let fault = try await begin("writer", path)
    let writer = try await inner.writer(at: path)
    if let fault {
      await writer.abandon()
      throw fault
    }
    return FaultWriter(storage: self, inner: writer, path: path)
  }

  /// Deletes, or fails before or after one of them.
  public func delete(_ paths: [String]) async -> [StorageError] {
    var failures: [StorageError] = []
    for path in paths {
      do throws(StorageError) {
        let fault = try await begin("delete", path)
        try await inner.delete(path)
        if let fault { throw fault }
      } catch { failures.append(error) }
    }
    return failures
  }

  /// What its requests cost.
  public var costs: RequestCosts {
    // One at a time, so that the calls of a run have one order.
    RequestCosts(widestGap: inner.costs.widestGap, requestsAtOnce: 1)
  }

  /// The time by the storage's clock.
  public func currentTime() -> Int64? { inner.currentTime() }

  /// Removes what was left behind; not counted.
  public func removeUnfinished(before time: Int64) async throws(StorageError) {
    try await inner.removeUnfinished(before: time)
  }

  /// Moves, or fails before or after it.
  public func move(_ path: String, to target: String) async throws(StorageError) {
    let fault = try await begin("move", path)
    try await inner.move(path, to: target)
    if let fault { throw fault }
  }

  /// Makes a sign of life that the crash lets go, or fails.
  public func beginSign(_ bytes: [UInt8], at path: String) async throws(StorageError) -> any LifeSign {
    let fault = try await begin("sign", path)
    let sign = try await inner.heldSign(bytes, at: path)
    let number = state.withLock { state -> Int? in
      if state.hasFailed && staysDown { return nil }
      state.signCount += 1
      state.signs[state.signCount] = sign
      return state.signCount
    }
    if let fault { throw fault }
    // Another task crashed the process while this one made it.
    guard let number else { throw failure("sign", path) }
    return FaultSign(storage: self, number: number, path: path)
  }

  /// Asks whether an object is held, or fails.
  public func isHeld(_ path: String) async throws(StorageError) -> Bool {
    let fault = try await begin("held", path)
    let isHeld = try await inner.lifeSigns?.isHeld(path) ?? false
    if let fault { throw fault }
    return isHeld
  }

  /// Counts a call.
  ///
  /// - Returns: What the call throws after it took effect; nil where nothing is wrong.
  /// - Throws: The failure, where the call takes no effect.
  fileprivate func begin(_ verb: String, _ path: String) async throws(StorageError) -> StorageError? {
    let (isFaulty, isDown) = state.withLock { state in
      let isDown = state.hasFailed && staysDown
      state.calls.append("\(verb) \(path)")
      let isFaulty = state.calls.count == faultyCall
      if isFaulty { state.hasFailed = true }
      return (isFaulty, isDown)
    }
    if isDown { throw failure(verb, path) }
    guard isFaulty else { return nil }
    if staysDown { state.withLock { $0.signs = [:] } }
    let isChange = ["put", "finish", "delete", "move", "sign"].contains(verb)
    let error = failure(verb, path, completesFaultedCall && isChange ? .unknown : .failed)
    if !completesFaultedCall { throw error }
    return error
  }

  private func failure(
    _ verb: String, _ path: String, _ usual: StorageError.Code = .failed
  ) -> StorageError {
    StorageError(
      code ?? usual, path: path, "\(verb) failed, as the test wants it from call \(faultyCall ?? 0) on")
  }

  /// A sign that is held; nil where the crash has let it go.
  fileprivate func held(_ number: Int) -> (any LifeSign)? { state.withLock { $0.signs[number] } }

  /// Forgets a sign that is ended or goes; nil where the crash has let it go.
  fileprivate func forget(_ number: Int) -> (any LifeSign)? {
    state.withLock { $0.signs.removeValue(forKey: number) }
  }
}

/// A writer whose calls are counted with its storage's.
private final class FaultWriter: ObjectWriter {
  private let storage: FaultStorage
  private let inner: any ObjectWriter
  private let path: String

  init(storage: FaultStorage, inner: any ObjectWriter, path: String) {
    self.storage = storage
    self.inner = inner
    self.path = path
  }

  func write(_ bytes: [UInt8]) async throws(StorageError) {
    do throws(StorageError) {
      let fault = try await storage.begin("write", path)
      try await inner.write(bytes)
      if let fault { throw fault }
    } catch {
      await inner.abandon()
      throw error
    }
  }

  func copy(_ range: Range<Int>, of source: String, tag: ObjectTag?) async throws(StorageError) {
    do throws(StorageError) {
      let fault = try await storage.begin("copy", path)
      try await inner.copy(range, of: source, tag: tag)
      if let fault { throw fault }
    } catch {
      await inner.abandon()
      throw error
    }
  }

  @discardableResult
  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag {
    do throws(StorageError) {
      let fault = try await storage.begin("finish", path)
      let tag = try await inner.finish(if: condition)
      if let fault { throw fault }
      return tag
    } catch {
      await inner.abandon()
      throw error
    }
  }

  func abandon() async { await inner.abandon() }
}

/// A sign of life that its storage knows of, to let it go at the crash.
private final class FaultSign: LifeSign {
  private let storage: FaultStorage
  private let number: Int
  private let path: String

  init(storage: FaultStorage, number: Int, path: String) {
    self.storage = storage
    self.number = number
    self.path = path
  }

  deinit { _ = storage.forget(number) }

  func renew() async throws(StorageError) {
    // Not counted: it comes as time passes, and calls must have one order.
    try await storage.held(number)?.renew()
  }

  func end() async {
    guard let sign = storage.forget(number) else { return }
    do throws(StorageError) {
      let fault = try await storage.begin("end", path)
      await sign.end()
      if let fault { throw fault }
    } catch {}
  }
}

extension Storage {
  /// Makes a sign of life where the storage knows of such.
  public func heldSign(_ bytes: [UInt8], at path: String) async throws(StorageError) -> any LifeSign {
    guard let lifeSigns else {
      throw StorageError(.unsupported, path: path, "the storage has no signs of life")
    }
    return try await lifeSigns.beginSign(bytes, at: path)
  }
}
