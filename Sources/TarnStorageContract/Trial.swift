import Synchronization
import TarnStorage

/// A part of the contract, which is run over a new storage.
struct Clause: Sendable {
  let rule: String
  let run: @Sendable (Trial) async throws -> Void

  init(_ rule: String, _ run: @escaping @Sendable (Trial) async throws -> Void) {
    self.rule = rule
    self.run = run
  }
}

/// Ends a clause after a call on which the rest of it stands; it has been reported.
struct Stop: Error {}

/// A clause under way: the storage, and what it violated so far.
final class Trial: Sendable {
  typealias Verb = ContractViolation.Verb

  let storage: any Storage
  let many: Int
  private let rule: String
  private let found = Mutex<[ContractViolation]>([])

  init(_ storage: any Storage, _ rule: String, many: Int) {
    self.storage = storage
    self.rule = rule
    self.many = many
  }

  var violations: [ContractViolation] { found.withLock { $0 } }

  func report(_ verb: Verb, expected: String, seen: String) {
    let violation = ContractViolation(verb, rule: rule, expected: expected, seen: seen)
    found.withLock { $0.append(violation) }
  }

  /// Reports a value that is not the one expected.
  func check<Value: Equatable>(_ verb: Verb, _ what: String, _ seen: Value, is expected: Value) {
    guard seen != expected else { return }
    report(verb, expected: "\(what) \(Self.short(expected))", seen: Self.short(seen))
  }

  /// Reports what does not hold.
  func check(_ verb: Verb, _ holds: Bool, _ expected: String, seen: @autoclosure () -> String) {
    if !holds { report(verb, expected: expected, seen: seen()) }
  }

  /// Calls what must succeed.
  ///
  /// - Throws: ``Stop`` where it does not.
  @discardableResult
  func need<Value>(_ verb: Verb, _ what: String, _ call: () async throws -> Value) async throws -> Value {
    do { return try await call() } catch is Stop { throw Stop() } catch {
      report(verb, expected: "\(what) to succeed", seen: Self.text(of: error))
      throw Stop()
    }
  }

  /// Calls what must fail.
  ///
  /// - Parameter path: The path that the error must name; nil where it may name any.
  func refuse(
    _ verb: Verb, _ code: StorageError.Code, _ what: String, path: String? = nil,
    _ call: () async throws -> Void
  ) async {
    let expected = "\(what) to fail with \(code)"
    do {
      try await call()
      report(verb, expected: expected, seen: "success")
    } catch let error as StorageError {
      guard error.code == code else {
        return report(verb, expected: expected, seen: Self.text(of: error))
      }
      guard let path else { return }
      check(
        verb, isSame(error.path, path), "\(expected), naming \(path)",
        seen: "an error that names \(error.path)")
    } catch is Stop {} catch {
      report(verb, expected: expected, seen: Self.text(of: error))
    }
  }

  // MARK: - Calls that many clauses make

  @discardableResult
  func put(
    _ bytes: [UInt8], _ path: String, if condition: PutCondition = .always
  ) async throws -> ObjectTag {
    try await need(.put, "put of \(path)") { try await storage.put(bytes, at: path, if: condition) }
  }

  /// Puts objects that hold their own paths.
  func fill(_ paths: [String]) async throws {
    for path in paths.reversed() { try await put(Array(path.utf8), path, if: .ifAbsent) }
  }

  /// The bytes at a path; nil where nothing is there.
  func bytes(_ path: String) async throws -> [UInt8]? {
    do throws(StorageError) { return try await storage.get(path, limit: 1 << 30).bytes } catch {
      if error.code == .notFound { return nil }
      report(.get, expected: "\(path), or notFound", seen: Self.text(of: error))
      throw Stop()
    }
  }

  /// Compares what is at a path.
  func check(_ verb: Verb, at path: String, holds expected: [UInt8]?) async throws {
    let seen = try await bytes(path)
    check(verb, "\(path) to be", seen, is: expected)
  }

  /// Compares the paths that a listing without folders gives.
  func check(_ verb: Verb, paths expected: [String]) async throws {
    let seen = try await list("").paths
    check(verb, isSame(seen, expected), "the objects \(expected)", seen: "\(seen)")
  }

  func open(_ path: String) async throws -> any ObjectWriter {
    try await need(.writer, "writer at \(path)") { try await storage.writer(at: path) }
  }

  /// All pages of a listing, each of which is checked.
  func list(
    _ prefix: String, after: String? = nil, stopping: Bool = false
  ) async throws -> (paths: [String], folders: [String], objects: [ObjectInfo]) {
    var (objects, folders): ([ObjectInfo], [String]) = ([], [])
    var last: String?
    var continuation: String?
    var pages = 0
    repeat {
      let page = try await need(.list, "listing of \"\(prefix)\"") {
        try await storage.list(
          prefix: prefix, after: after, stoppingAtSlash: stopping, continuation: continuation)
      }
      let names = (page.objects.map(\.path) + page.folders).sorted(by: StoragePath.precedes)
      check(
        .list, isAscending(page.objects.map(\.path)) && isAscending(page.folders),
        "paths of a page in ascending order of their UTF-8",
        seen: "\(page.objects.map(\.path)), \(page.folders)")
      if let last, let first = names.first {
        check(
          .list, StoragePath.precedes(last, first), "a page that comes after \(last)",
          seen: "one from \(first) on")
      }
      last = names.last ?? last
      objects += page.objects
      folders += page.folders
      continuation = page.continuation
      pages += 1
      guard pages < 100_000 else {
        report(.list, expected: "a last page", seen: "\(pages) pages")
        throw Stop()
      }
    } while continuation != nil
    return (objects.map(\.path), folders, objects)
  }

  // MARK: - Texts

  /// Whether two paths are the same to the byte.
  func isSame(_ path: String, _ other: String) -> Bool { path.utf8.elementsEqual(other.utf8) }

  func isSame(_ paths: [String], _ others: [String]) -> Bool {
    paths.count == others.count && zip(paths, others).allSatisfy { isSame($0, $1) }
  }

  private func isAscending(_ paths: [String]) -> Bool {
    zip(paths, paths.dropFirst()).allSatisfy { StoragePath.precedes($0, $1) }
  }

  static func text(of error: any Error) -> String {
    guard let error = error as? StorageError else { return "\(error)" }
    return "\(error.code) (\(error))"
  }

  /// A value, without its middle where it is long.
  private static func short(_ value: some Any) -> String {
    if let bytes = value as? [UInt8]?, let bytes, bytes.count > 24 {
      return "\(bytes.count) bytes (\(bytes.prefix(4)) to \(bytes.suffix(4)))"
    }
    let text = "\(value)"
    return text.utf8.count > 300 ? "\(text.prefix(140))…\(text.suffix(140))" : text
  }
}
