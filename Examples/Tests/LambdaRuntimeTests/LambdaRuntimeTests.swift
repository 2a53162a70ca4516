import Foundation
import LambdaRuntime
import RuntimeStandIn
import Testing

@Suite struct LambdaRuntimeTests {
  private struct Broken: Error, CustomStringConvertible {
    var description: String { "it is \"broken\"" }
  }

  // Of one task.
  private final class Lines: @unchecked Sendable {
    var lines: [String] = []
  }

  /// Runs a function against a stand-in, as long as the body asks for it.
  ///
  /// - Returns: What the function logged.
  private func running(
    _ handler: @escaping LambdaFunction.Handler,
    _ body: @escaping @Sendable (RuntimeStandIn) throws -> Void
  ) async throws -> [String] {
    let standIn = try RuntimeStandIn(patience: 30)
    let place = standIn.place
    let function = Task.detached {
      let lines = Lines()
      do throws(RuntimeError) {
        try await LambdaFunction.run(RuntimeAPI(place), log: { lines.lines.append($0) }, handler: handler)
      } catch { lines.lines.append("end: \(error)") }
      return lines.lines
    }
    // In a thread of its own: both sides block, and the pool may have one thread only.
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
      Thread.detachNewThread {
        done.resume(
          with: Result {
            // Who asks again behind the end finds nobody.
            defer { standIn.end() }
            try body(standIn)
            try standIn.stop()
          })
      }
    }
    return await function.value
  }

  @Test("Events are answered one after the other, and each has one line in the log")
  func answers() async throws {
    let log = try await running { invocation in
      var outcome = LambdaFunction.Outcome(invocation.event + invocation.event)
      outcome.log.add("note", "a\n\"b\"")
      return outcome
    } _: { (standIn) throws in
      let small = Array("{}".utf8)
      let large = [UInt8](repeating: 0x20, count: 3 << 20)
      #expect(try standIn.invoke(small) == .answer(small + small))
      #expect(try standIn.invoke(large) == .answer(large + large))
      standIn.drop()
      #expect(try standIn.invoke(small) == .answer(small + small))
    }
    #expect(log.count == 4)
    #expect(
      log[0].hasPrefix(
        "{\"requestId\":\"8476a536-e9f4-11e8-9739-1\",\"bytesIn\":2,\"note\":\"a\\n\\\"b\\\"\",\"bytesOut\":4,"
      ))
    #expect(log[3].hasPrefix("end: "))
  }

  @Test("What a handler throws fails the invocation alone")
  func failure() async throws {
    let log = try await running { invocation in
      guard invocation.event.count > 2 else { throw Broken() }
      return LambdaFunction.Outcome(invocation.event)
    } _: { (standIn) throws in
      #expect(
        try standIn.invoke(Array("{}".utf8))
          == .failure(
            type: "Function.Broken",
            body:
              "{\"errorMessage\":\"it is \\\"broken\\\"\",\"errorType\":\"Function.Broken\",\"stackTrace\":[]}"
          ))
      #expect(try standIn.invoke(Array("[1]".utf8)) == .answer(Array("[1]".utf8)))
    }
    #expect(log.count == 3)
    #expect(log[0].contains("\"error\":\"it is \\\"broken\\\"\""))
  }

  @Test(
    "A place that is none is an error",
    arguments: ["", "127.0.0.1", "127.0.0.1:x", "nowhere:1", "127.0.0.1:70000"])
  func noPlace(_ place: String) {
    #expect(throws: RuntimeError.self) { try RuntimeAPI(place).next() }
  }
}
