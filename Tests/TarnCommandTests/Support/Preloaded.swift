import Foundation
import TarnTestSupport
import Testing

extension Tool {
  /// Builds a library of `Tests/Foreign` for processes to preload, and gives its path.
  ///
  /// - Throws: What ``TestWorld/require(_:_:sourceLocation:)`` does, where it cannot be built.
  func preloaded(_ name: String) throws -> String {
    let library = path("\(name).so")
    if !exists("\(name).so") {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = [
        "clang", "-shared", "-fPIC", "-o", library, TestWorld.root + "/Tests/Foreign/\(name).c",
      ]
      process.standardError = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
    }
    try TestWorld.require("clang, and a loader that preloads", exists("\(name).so"))
    return library
  }

  /// Runs the program, which must succeed, and gives its calls of the file system.
  func recorded(_ arguments: String...) async throws -> [RecordedCall] {
    let library = try preloaded("recorded_calls")
    let notes = path(".calls-\(UUID().uuidString)")
    let outcome = try await run(arguments, environment: ["LD_PRELOAD": library, "TARN_CALLS": notes])
    try #require(outcome.status == 0, "\(outcome.errors)")
    let calls = try TestWorld.lines(of: notes).map { try #require(RecordedCall($0), "\($0)") }
    try #require(!calls.isEmpty)
    return calls
  }
}

/// What a process asked of the file system, as `recorded_calls.c` notes it.
struct RecordedCall {
  /// The calls that are noted.
  enum Kind: String {
    case create, mkdir, sync, write, read
    /// A file gets a name, its first or its second.
    case name
  }

  let kind: Kind
  /// Whether it only begins here; such a line stands before that of its end.
  let begins: Bool
  /// The number of the file or folder, and of its device.
  let file: String
  /// Bytes that were read or written.
  let count: Int
  /// The path of what gets a name; empty of what is open.
  let path: String

  init?(_ line: String) {
    let parts = line.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 5, let kind = Kind(rawValue: parts[1]), let count = Int(parts[3]) else { return nil }
    self.kind = kind
    begins = parts[0] == "begin"
    file = parts[2]
    self.count = count
    path = parts[4]
  }

  /// The number of a file or folder, and of its device, as calls have it.
  static func file(at path: String) throws -> String {
    let found = try FileManager.default.attributesOfItem(atPath: path)
    let numbers = [FileAttributeKey.systemNumber, .systemFileNumber].map {
      (found[$0] as? NSNumber)?.uint64Value
    }
    return try numbers.map { String(try #require($0), radix: 16) }.joined(separator: ":")
  }
}
