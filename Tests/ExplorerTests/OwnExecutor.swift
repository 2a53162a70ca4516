import Foundation
import Synchronization

/// Runs tasks on a thread of its own, one piece after the other, so that their order is the same each time.
///
/// All that a task of the thread begins stays there: the runtime asks a hook where a piece is to run. Only what sleeps
/// wakes elsewhere, and comes back when it is resumed from here.
final class OwnExecutor: @unchecked Sendable {
  // What follows is the thread's alone.
  private var ready: [UnownedJob] = []
  private var first = 0

  /// Runs a body on a fresh thread.
  static func run<Result: Sendable>(
    _ body: @escaping @Sendable (OwnExecutor) throws -> Result
  ) async throws -> Result {
    Runtime.install()
    return try await withCheckedThrowingContinuation { continuation in
      let thread = Thread {
        let executor = OwnExecutor()
        Runtime.set(executor)
        let result = Swift.Result { try body(executor) }
        Runtime.set(nil)
        continuation.resume(with: result)
      }
      thread.stackSize = 16 << 20
      thread.start()
    }
  }

  /// Runs what can run, until nothing can.
  func drain() {
    // As the pool's threads run them: on no executor in particular.
    let none = unsafeBitCast((UInt(0), UInt(0)), to: UnownedSerialExecutor.self)
    while first < ready.count {
      let job = ready[first]
      first += 1
      job.runSynchronously(on: none)
    }
    ready.removeAll(keepingCapacity: true)
    first = 0
  }

  /// Runs a body to its end.
  ///
  /// - Parameter idle: Called where nothing can run; lets something go on, or waits a little.
  func finish<Result: Sendable>(
    _ body: @escaping @Sendable () async throws -> Result, idle: () -> Void = { usleep(20) }
  ) throws -> Result {
    let result = Mutex<Swift.Result<Result, any Error>?>(nil)
    let box = Box(result)
    Task {
      do {
        let value = try await body()
        box.value.withLock { $0 = .success(value) }
      } catch { box.value.withLock { $0 = .failure(error) } }
    }
    while true {
      drain()
      if let result = box.value.withLock({ $0 }) { return try result.get() }
      idle()
    }
  }

  fileprivate func add(_ job: UnownedJob) { ready.append(job) }
}

/// Holds what cannot be copied.
private final class Box<Value: ~Copyable & Sendable>: Sendable {
  let value: Value

  init(_ value: consuming Value) { self.value = value }
}

/// The runtime's hook, which is asked where each piece of a task is to run.
private enum Runtime {
  private typealias Original = @convention(thin) (UnownedJob) -> Void
  private typealias Hook = @convention(thin) (UnownedJob, Original) -> Void

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    return key
  }()

  private static let isInstalled: Bool = {
    _ = key
    guard let hook = dlsym(dlopen(nil, RTLD_NOW), "swift_task_enqueueGlobal_hook") else { return false }
    hook.assumingMemoryBound(to: Hook?.self).pointee = { job, original in
      if let executor = current { executor.add(job) } else { original(job) }
    }
    return true
  }()

  static func install() { precondition(isInstalled, "this runtime has no hook for tasks") }

  private static var current: OwnExecutor? {
    pthread_getspecific(key).map { Unmanaged<OwnExecutor>.fromOpaque($0).takeUnretainedValue() }
  }

  static func set(_ executor: OwnExecutor?) {
    pthread_setspecific(key, executor.map { UnsafeRawPointer(Unmanaged.passUnretained($0).toOpaque()) })
  }
}
