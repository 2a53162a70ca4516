import Foundation
import Testing

/// What a run of `tarn` left behind.
public struct Outcome: Sendable {
  /// The exit status; the negative number of a signal that ended it.
  public let status: Int32
  /// Standard output.
  public let output: String
  /// Standard error.
  public let errors: String

  /// The lines of standard output.
  public var rows: [String] { output.split(separator: "\n").map(String.init) }

  /// The lines of standard error.
  public var complaints: [String] { errors.split(separator: "\n").map(String.init) }
}

/// The built `tarn`, run as a process in a folder of its own.
public struct Tool: Sendable {
  /// The folder, in which relative paths lie.
  public let folder: String
  /// Variables that every run has, besides those of the test.
  public var environment: [String: String] = [:]

  /// Runs a body with a fresh folder.
  public static func inFolder<Result>(_ body: (Tool) async throws -> Result) async throws -> Result {
    try await TestWorld.withTemporaryFolder { try await body(Tool(folder: $0)) }
  }

  /// The program, which is built beside the test bundle.
  private static let program: String = {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0])
    let candidates = [bundle, Bundle.main.bundleURL].map { $0.deletingLastPathComponent().path + "/tarn" }
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? candidates[0]
  }()

  /// Runs the program.
  public func run(_ arguments: String...) async throws -> Outcome { try await run(arguments) }

  /// Runs the program, which must succeed, with its output in a file of the folder.
  public func runToFile(_ name: String, _ arguments: [String]) async throws {
    let outcome = try await run(arguments, output: name)
    try #require(outcome.status == 0, "\(outcome.errors)")
  }

  /// Runs the program with an output that nobody reads.
  public func runIntoClosedPipe(_ arguments: [String]) async throws -> Outcome {
    let pipe = Pipe()
    try pipe.fileHandleForReading.close()
    return try await run(arguments, handle: pipe.fileHandleForWriting)
  }

  /// Runs the program, and gives `begun` the number of its process.
  public func run(
    _ arguments: [String], output name: String? = nil, handle: FileHandle? = nil,
    environment more: [String: String] = [:], begun: @escaping @Sendable (Int32) -> Void = { _ in }
  ) async throws -> Outcome {
    let id = UUID().uuidString
    let (output, errors) = (path(name ?? ".out-\(id)"), path(".err-\(id)"))
    for file in [output, errors] { try Data().write(to: URL(fileURLWithPath: file)) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }.merging(more) { $1 }
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.standardInput = FileHandle.nullDevice
    let handles = (
      output: handle ?? FileHandle(forWritingAtPath: output), errors: FileHandle(forWritingAtPath: errors)
    )
    // A process that has many files open is slow to start others, and Foundation may crash where it counts them.
    defer { for open in [handles.output, handles.errors] { try? open?.close() } }
    process.standardOutput = handles.output
    process.standardError = handles.errors
    let status: Int32 = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { ended in
        let crashed = ended.terminationReason == .uncaughtSignal
        continuation.resume(returning: crashed ? -ended.terminationStatus : ended.terminationStatus)
      }
      do {
        try process.run()
        begun(process.processIdentifier)
      } catch { continuation.resume(throwing: error) }
    }
    return Outcome(
      status: status, output: String(decoding: try bytes(of: output), as: UTF8.self),
      errors: String(decoding: try bytes(of: errors), as: UTF8.self))
  }

  /// Runs the program, which must succeed.
  @discardableResult
  public func succeed(_ arguments: String..., location: SourceLocation = #_sourceLocation) async throws
    -> Outcome
  {
    let outcome = try await run(arguments)
    try #require(outcome.status == 0, "\(outcome.errors)", sourceLocation: location)
    return outcome
  }

  /// Runs the program, which must fail with one line that holds the texts.
  public func fail(
    _ arguments: String..., saying texts: [String], location: SourceLocation = #_sourceLocation
  ) async throws {
    let outcome = try await run(arguments)
    #expect(outcome.status == 1, "\(outcome.errors)", sourceLocation: location)
    #expect(outcome.output.isEmpty, sourceLocation: location)
    #expect(outcome.complaints.count == 1, "\(outcome.errors)", sourceLocation: location)
    #expect(outcome.errors.hasPrefix("tarn: "), sourceLocation: location)
    for text in texts {
      #expect(outcome.errors.contains(text), "\(outcome.errors)", sourceLocation: location)
    }
  }

  /// The path of a name in the folder.
  public func path(_ name: String) -> String { folder + "/" + name }

  /// The bytes of a file.
  public func bytes(of path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  /// Writes a file into the folder.
  public func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

  /// Writes a file into the folder.
  public func write(_ name: String, _ bytes: [UInt8]) throws {
    let url = URL(fileURLWithPath: path(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  /// Whether a file or folder is there.
  public func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  /// The files of a table and their sizes, but for its lock.
  public func files(of table: String) throws -> [String] {
    guard let walk = FileManager.default.enumerator(atPath: path(table)) else { return [] }
    return walk.compactMap { $0 as? String }.filter { !$0.hasSuffix("tarn.lock") }.sorted()
  }
}
