#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A thread that lives for one call, which would block one of the few that a process has for its tasks.
enum OwnThread {
  private final class Call {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Calls a function on a thread of its own, and waits for it.
  static func call<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
    await withCheckedContinuation { continuation in run { continuation.resume(returning: body()) } }
  }

  /// Calls a function on a thread of its own, or here where the system has no more.
  static func run(_ body: @escaping @Sendable () -> Void) {
    let call = Unmanaged.passRetained(Call(body))
    #if canImport(Darwin)
      var thread: pthread_t?
      let result = pthread_create(
        &thread, nil,
        { argument in
          Unmanaged<Call>.fromOpaque(argument).takeRetainedValue().body()
          return nil
        }, call.toOpaque())
      if result == 0, let thread { pthread_detach(thread) }
    #else
      var thread = pthread_t()
      let result = pthread_create(
        &thread, nil,
        { argument in
          if let argument { Unmanaged<Call>.fromOpaque(argument).takeRetainedValue().body() }
          return nil
        }, call.toOpaque())
      if result == 0 { pthread_detach(thread) }
    #endif
    if result != 0 { call.takeRetainedValue().body() }
  }
}
