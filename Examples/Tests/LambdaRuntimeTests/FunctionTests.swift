import Foundation
import LambdaRuntime
import RuntimeStandIn
import Testing

/// The built functions, where `Examples/functions` has built them.
private enum Functions {
  static let folder = ProcessInfo.processInfo.environment["TARN_FUNCTIONS"]
  static var areThere: Bool { folder != nil }

  static func bootstrap(_ name: String) throws -> String { "\(try #require(folder))/\(name)/bootstrap" }
}

@Suite(.enabled(if: Functions.areThere)) struct FunctionTests {
  private func file(_ name: String) throws -> ExecutableFile {
    try ExecutableFile(Array(try Data(contentsOf: URL(fileURLWithPath: try Functions.bootstrap(name)))))
  }

  @Test("The transformer is static altogether")
  func staticTransformer() throws {
    let file = try file("FirehoseTransformer")
    #expect(!file.isDynamic)
    #expect(file.libraries == [])
    #expect(file.versions == [])
  }

  @Test("The stream handler needs no library of Swift's, and none that it loads itself")
  func streamHandler() throws {
    let system = [
      "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libgcc_s.so.1",
      "libstdc++.so.6", "libz.so.1", "libzstd.so.1",
    ]
    let file = try file("StreamHandler")
    #expect(file.isDynamic)
    #expect(file.libraries.contains("libc.so.6"))
    #expect(file.libraries.filter { !system.contains($0) } == [])
    #expect(file.versions.contains { $0.hasPrefix("GLIBC_") })
  }

  private static let record = #"""
    {"eventID":"e","eventName":"REMOVE","dynamodb":{"ApproximateCreationDateTime":1705312800,"Keys":{"id":{"S":"a"}}}}
    """#

  /// Runs a function's process against a stand-in of the Runtime API.
  private func running<Result>(
    _ name: String, _ environment: [String: String] = [:], _ body: (RuntimeStandIn) throws -> Result
  ) throws -> (result: Result, log: String) {
    let standIn = try RuntimeStandIn(patience: 30)
    let process = Process()
    let log = Pipe()
    process.executableURL = URL(fileURLWithPath: try Functions.bootstrap(name))
    process.environment = environment.merging(["AWS_LAMBDA_RUNTIME_API": standIn.place]) { $1 }
    process.standardOutput = log
    try process.run()
    let result = Swift.Result { try body(standIn) }
    process.terminate()
    process.waitUntilExit()
    let text = String(decoding: log.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    return (try result.get(), text)
  }

  @Test("The transformer answers events, and logs one line for each")
  func transformer() throws {
    let data = Data(Self.record.utf8).base64EncodedString()
    let event = #"{"records":[{"recordId":"1","data":"\#(data)"},{"recordId":"2","data":"eA=="}]}"#
    let (outcomes, log) = try running("FirehoseTransformer") { standIn in
      [try standIn.invoke(Array(event.utf8)), try standIn.invoke(Array("{}".utf8))]
    }
    guard case .answer(let answer) = outcomes[0] else {
      Issue.record("\(outcomes[0])")
      return
    }
    let text = String(decoding: answer, as: UTF8.self)
    #expect(text.contains(#"{"recordId":"1","result":"Ok","data":""#))
    #expect(text.contains(#"{"recordId":"2","result":"ProcessingFailed","data":"eA=="}"#))
    guard case .failure = outcomes[1] else {
      Issue.record("\(outcomes[1])")
      return
    }
    let lines = log.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.first?.contains(#""transformed":1,"dropped":0,"failed":1"#) ?? false)
  }

  @Test("A function that cannot begin says so")
  func noTable() throws {
    let (outcome, _) = try running("StreamHandler") { try $0.invoke(Array("{}".utf8)) }
    guard case .initFailure(let body) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(body.contains("TABLE is not set"))
  }
}
