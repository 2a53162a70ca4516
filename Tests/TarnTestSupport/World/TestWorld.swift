import Foundation
import Testing

/// Where tests find what lies outside the package, and what they do where it is absent.
public enum TestWorld {
  /// The package's root folder.
  public static let root: String = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { url.deleteLastPathComponent() }
    return url.path
  }()

  /// Whether a test that lacks something fails instead of skipping (`Tests/run --no-skip`).
  public static let noSkip = environment("TARN_NO_SKIP") != nil

  /// Whether the heaviest runs are done whole (`Tests/run --long`), and not a seeded part of them.
  public static let isLong = environment("TARN_LONG") != nil

  /// How many schedules of each kind the explorer goes through (`TARN_SCHEDULES`); nil where nobody says.
  public static let schedules = environment("TARN_SCHEDULES").flatMap { Int($0) }

  /// The path of a shared file or folder; nil where it is absent.
  ///
  /// Shared things lie in the folder named by `TARN_SHARED`, else in `../shared` beside the package,
  /// and are read-only: ``copyTree(from:to:)`` first what is to be written.
  public static func shared(_ subpath: String = "") -> String? {
    let folder = environment("TARN_SHARED") ?? root + "/../shared"
    let path = URL(fileURLWithPath: folder).appendingPathComponent(subpath).standardizedFileURL.path
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }

  /// The path of a shared file or folder; where it is absent, the test is skipped.
  ///
  /// - Throws: What ``require(_:_:sourceLocation:)`` throws.
  public static func requireShared(
    _ subpath: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let path = shared(subpath)
    try require("the shared \(subpath)", path != nil, sourceLocation: sourceLocation)
    return path ?? ""
  }

  /// Goes on where a thing is there; else skips the test, or fails it where nothing may be skipped.
  ///
  /// - Parameters:
  ///   - thing: What the test needs, as in "lacks \(thing)".
  ///   - isThere: Whether it is there.
  /// - Throws: The test's cancellation, or ``Lack`` under ``noSkip``.
  public static func require(
    _ thing: String, _ isThere: Bool, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    guard !isThere else { return }
    guard !noSkip else { throw Lack(thing: thing) }
    // Said here, since a cancelled case of a test with arguments is not reported. `Tests/run` counts these.
    print("➜ skipped: \(Test.current?.name ?? "a test") lacks \(thing)")
    try Test.cancel("lacks \(thing)", sourceLocation: sourceLocation)
  }

  /// What a test lacked that was not allowed to skip.
  public struct Lack: Error, CustomStringConvertible {
    /// What was absent.
    public let thing: String
    /// A line for people.
    public var description: String { "lacks \(thing), and nothing may be skipped (TARN_NO_SKIP)" }
  }

  /// Runs a body with a fresh folder, which is removed afterwards.
  public static func withTemporaryFolder<Result>(
    isolation: isolated (any Actor)? = #isolation, _ body: (_ path: String) async throws -> Result
  ) async throws -> Result {
    let path = try makeTemporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
  }

  static func makeTemporaryFolder() throws -> String {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("tarn-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url.path
  }

  /// Copies a file or folder, hidden files included, so that the copy can be written to.
  public static func copyTree(from source: String, to target: String) throws {
    let files = FileManager.default
    guard isFolder(source) else { return try copyFile(source, target) }
    try files.createDirectory(atPath: target, withIntermediateDirectories: true)
    for name in try files.contentsOfDirectory(atPath: source) {
      try copyTree(from: source + "/" + name, to: target + "/" + name)
    }
  }

  static func copyFile(_ source: String, _ target: String) throws {
    try FileManager.default.copyItem(atPath: source, toPath: target)
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: target)
  }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// The lines of a text file without their ends; the empty one after the last end is left out.
  public static func lines(of path: String) throws -> [String] {
    var lines = try Data(contentsOf: URL(fileURLWithPath: path))
      .split(separator: 0x0a, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    if lines.last == "" { lines.removeLast() }
    return lines
  }

  /// Lines in the order of their UTF-8 bytes: the order of the foreign engines' answers.
  public static func sortedAsText(_ lines: [String]) -> [String] {
    lines.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// A variable of the environment that is set to something.
  public static func environment(_ name: String) -> String? {
    guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else { return nil }
    return value
  }
}
