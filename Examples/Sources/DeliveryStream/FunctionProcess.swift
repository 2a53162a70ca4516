import Foundation
import LambdaRuntime
import RuntimeStandIn

/// A function that runs as a process of its own, as Lambda runs it: what is deployed is what is tried here.
final class FunctionProcess {
  private let standIn: RuntimeStandIn
  private let process = Process()

  /// Starts a `bootstrap`; its log goes to standard error.
  init(_ bootstrap: String) throws {
    standIn = try RuntimeStandIn()
    process.executableURL = URL(fileURLWithPath: bootstrap)
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["AWS_LAMBDA_RUNTIME_API": standIn.place]
    ) { $1 }
    process.standardOutput = FileHandle.standardError
    try process.run()
  }

  /// Hands it an event.
  func invoke(_ event: [UInt8]) throws -> RuntimeStandIn.Outcome { try standIn.invoke(event) }

  /// Ends the process.
  func end() {
    process.terminate()
    process.waitUntilExit()
  }
}
