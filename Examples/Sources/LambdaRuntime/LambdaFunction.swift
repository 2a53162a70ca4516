#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A function of Lambda on a custom runtime: the loop of its `bootstrap`.
public enum LambdaFunction {
  /// What a handler makes of an event.
  public struct Outcome: Sendable {
    /// The answer, as JSON.
    public var answer: [UInt8]
    /// What the log line has beside the request's id, sizes and time.
    public var log = LogLine()
    /// Why Lambda is to be told that the invocation failed, rather than the answer; nil where it did not.
    public var failure: String?

    /// Makes an outcome of its answer.
    public init(_ answer: [UInt8]) { self.answer = answer }
  }

  /// Makes an outcome of an event.
  public typealias Handler = @Sendable (RuntimeAPI.Invocation) async throws -> Outcome

  /// Where the Runtime API is; nil outside of Lambda.
  public static var place: String? { getenv("AWS_LAMBDA_RUNTIME_API").map { String(cString: $0) } }

  /// Handles events, one after the other, and logs one line of JSON for each.
  ///
  /// What the handler throws fails the invocation, and the loop goes on.
  ///
  /// - Parameters:
  ///   - log: Takes a line; Lambda keeps what goes to standard output.
  /// - Throws: ``RuntimeError`` where the Runtime API is gone, which is the process's end.
  public static func run(
    _ api: RuntimeAPI, log: (String) -> Void = LambdaFunction.log,
    handler: Handler
  ) async throws(RuntimeError) {
    while true {
      let invocation = try api.next()
      let start = ContinuousClock.now
      var line = LogLine()
      line.add("requestId", invocation.requestID)
      line.add("bytesIn", invocation.event.count)
      do {
        let outcome = try await handler(invocation)
        line.add(outcome.log)
        if let failure = outcome.failure {
          line.add("error", failure)
          try api.fail(invocation.requestID, "Function.Failed", failure)
        } else {
          line.add("bytesOut", outcome.answer.count)
          try api.respond(invocation.requestID, outcome.answer)
        }
      } catch let error as RuntimeError {
        line.add("error", error.description)
        log(line.text)
        throw error
      } catch {
        line.add("error", "\(error)")
        try api.fail(invocation.requestID, "Function.\(Swift.type(of: error))", "\(error)")
      }
      let spent = (ContinuousClock.now - start).components
      line.add("microseconds", Int(spent.seconds) * 1_000_000 + Int(spent.attoseconds / 1_000_000_000_000))
      log(line.text)
    }
  }

  /// Runs a function until Lambda ends the process: what a `bootstrap` does.
  ///
  /// - Parameter begin: Makes the handler; what it throws is told as a failure to begin.
  public static func main(
    _ begin: @Sendable () async throws -> Handler
  ) async -> Never {
    guard let place else {
      fail("AWS_LAMBDA_RUNTIME_API is not set: this is a function of Lambda, which Lambda runs as bootstrap")
    }
    let api = RuntimeAPI(place)
    do {
      let handler: Handler
      do { handler = try await begin() } catch {
        try api.failInit("Function.Init", "\(error)")
        fail("\(error)")
      }
      try await run(api, handler: handler)
    } catch { fail("\(error)") }
    exit(1)
  }

  /// Writes a line to standard output at once: between events the process is frozen.
  public static func log(_ line: String) {
    var rest = Array("\(line)\n".utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  private static func fail(_ message: String) -> Never {
    var line = LogLine()
    line.add("error", message)
    log(line.text)
    exit(1)
  }
}
