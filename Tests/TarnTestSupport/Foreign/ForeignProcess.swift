import Dispatch
import Foundation
import TarnBytes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What went wrong between a test and a foreign engine.
public struct ForeignError: Error, CustomStringConvertible {
  /// The engine's own words, or what happened to its process.
  public let description: String
}

/// A script of `Tests/Foreign` that answers JSON lines, started at the first question and kept for the run.
///
/// Questions of many tests wait their turn on a queue of its own, so that no thread of Swift's pool is
/// ever blocked. A process that dies or does not answer in time fails the question, and the next question
/// starts a new one.
final class ForeignProcess: Sendable {
  let name: String
  private let command: [String]
  private let patience: Double
  private let queue: DispatchQueue
  /// Touched on `queue` alone.
  private nonisolated(unsafe) var running: Running?

  private struct Running {
    let process: Process
    let questions: FileHandle
    let answers: FileHandle
    var rest: [UInt8] = []
  }

  /// - Parameters:
  ///   - name: Names the log, `.build/foreign-logs/NAME-PID.log`.
  ///   - command: The program and its arguments.
  ///   - patience: Seconds to wait for one answer, the start included.
  init(name: String, command: [String], patience: Double) {
    self.name = name
    self.command = command
    self.patience = patience
    queue = DispatchQueue(label: "tarn.foreign.\(name)")
  }

  /// Asks a question and waits for its answer.
  ///
  /// - Throws: ``ForeignError`` where the engine answers an error, dies, or takes too long.
  func ask(_ question: KeyValuePairs<String, JSONValue?>) async throws -> JSONValue {
    let members = question.compactMap { pair in pair.value.map { JSONValue.Member(pair.key, $0) } }
    let line = JSONValue.object(members).bytes() + [0x0a]
    let answer = try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try self.exchange(line) }) }
    }
    if let error = answer["error"]?.string { throw ForeignError(description: "\(name): \(error)") }
    return answer
  }

  /// Asks a question whose answer is rows, which go through a file.
  func rows(_ question: (_ out: JSONValue) -> KeyValuePairs<String, JSONValue?>) async throws -> [String] {
    let path = FileManager.default.temporaryDirectory.path + "/tarn-rows-\(UUID().uuidString).jsonl"
    defer { try? FileManager.default.removeItem(atPath: path) }
    _ = try await ask(question(.string(path)))
    return try TestWorld.lines(of: path)
  }

  // MARK: On the queue

  private func exchange(_ question: [UInt8]) throws -> JSONValue {
    do {
      if running == nil {
        running = try start()
        _ = try nextAnswer()
      }
      try running?.questions.write(contentsOf: Data(question))
      return try nextAnswer()
    } catch {
      if let process = running?.process, process.isRunning { process.terminate() }
      running = nil
      throw ForeignError(description: "\(name): \(error); \(logTail())")
    }
  }

  private var logPath: String {
    TestWorld.root + "/.build/foreign-logs/\(name)-\(ProcessInfo.processInfo.processIdentifier).log"
  }

  private func start() throws -> Running {
    // A write to a process that died shall throw, not end the test run.
    signal(SIGPIPE, SIG_IGN)
    let folder = TestWorld.root + "/.build/foreign-logs"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data().write(to: URL(fileURLWithPath: logPath))
    let process = Process()
    let (questions, answers) = (Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.standardInput = questions
    process.standardOutput = answers
    process.standardError = FileHandle(forWritingAtPath: logPath)
    try process.run()
    return Running(
      process: process, questions: questions.fileHandleForWriting, answers: answers.fileHandleForReading)
  }

  private func nextAnswer() throws -> JSONValue {
    let deadline = ContinuousClock.now + .seconds(patience)
    guard var state = running else { throw ForeignError(description: "is not running") }
    defer { running = state }
    while true {
      if let end = state.rest.firstIndex(of: 0x0a) {
        let line = Array(state.rest[..<end])
        state.rest.removeSubrange(...end)
        return try JSONValue(parsing: line)
      }
      let left = (deadline - .now).components
      guard left.seconds >= 0, left.attoseconds >= 0 else {
        throw ForeignError(description: "no answer within \(patience) s")
      }
      var wanted = pollfd(fd: state.answers.fileDescriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&wanted, 1, Int32(min(left.seconds + 1, 1000)) * 1000) > 0 else { continue }
      let bytes = state.answers.availableData
      guard !bytes.isEmpty else { throw ForeignError(description: "the process ended") }
      state.rest.append(contentsOf: bytes)
    }
  }

  private func logTail() -> String {
    let lines = (try? TestWorld.lines(of: logPath)) ?? []
    return "its log ends:\n" + lines.suffix(12).joined(separator: "\n")
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A number.
  public init(integerLiteral value: Int) { self = .integer(value) }
  /// A number.
  public init(floatLiteral value: Double) { self = .number("\(value)") }
  /// A truth.
  public init(booleanLiteral value: Bool) { self = .boolean(value) }
  /// The null.
  public init(nilLiteral: ()) { self = .null }
  /// An array.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// An object.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { Member($0.0, $0.1) })
  }
  /// An object of strings, in the order of its keys.
  init(strings: [String: String]) {
    self = .object(strings.sorted { $0.key < $1.key }.map { Member($0.key, .string($0.value)) })
  }
}
