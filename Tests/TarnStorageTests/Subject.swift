import Foundation
import TarnStorage
import TarnTestSupport
import Testing

/// A folder of its own for one test, removed at the end.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/tarn-storage-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// An implementation that the contract is checked on.
struct Subject: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// Makes an empty storage with pages of three.
  private let make: @Sendable (_ folder: String) -> any Storage

  /// Calls a test with an empty storage.
  func run(_ test: (any Storage) async throws -> Void) async throws {
    let folder = try TemporaryFolder()
    try await test(make(folder.path))
    withExtendedLifetime(folder) {}
  }

  /// Every verb that names an object.
  static func verbs(_ storage: any Storage, _ path: String) -> [@Sendable () async throws -> Void] {
    [
      { _ = try await storage.info(of: path) },
      { _ = try await storage.readAll(path) },
      { try await storage.put([1], at: path, if: .always) },
      { _ = try await storage.writer(at: path) },
      { try await storage.delete(path) },
      { _ = try await storage.heldLock(path, patience: .zero) },
    ]
  }

  static let all = [
    Subject(testDescription: "local") { LocalStorage(root: $0 + "/not/yet/there", pageSize: 3) },
    Subject(testDescription: "local, not synchronized") {
      LocalStorage(root: $0, scratch: "scratch", synchronizes: false, pageSize: 3)
    },
    Subject(testDescription: "in memory") { _ in InMemoryStorage(pageSize: 3) },
    Subject(testDescription: "faultless") { _ in FaultStorage(wrapping: InMemoryStorage(pageSize: 3)) },
  ]
}

/// The code an operation fails with; nil where it succeeds.
func code(_ operation: () async throws -> Void) async -> StorageError.Code? {
  do {
    try await operation()
    return nil
  } catch let error as StorageError {
    return error.code
  } catch {
    Issue.record(error)
    return nil
  }
}

extension ListingPage {
  /// Paths of the objects.
  var paths: [String] { objects.map(\.path) }
}
