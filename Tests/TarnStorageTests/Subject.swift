import Foundation
import TarnStorage
import TarnStorageContract
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

  /// The contract, each clause of which gets a folder of its own.
  func contract(in folder: TemporaryFolder) -> StorageContract {
    StorageContract { make("\(folder.path)/\(UUID().uuidString)") }
  }

  static let all = [
    Subject(testDescription: "local") { LocalStorage(root: $0 + "/not/yet/there", pageSize: 3) },
    Subject(testDescription: "local, not synchronized") {
      LocalStorage(root: $0, scratch: "scratch", synchronizes: false, pageSize: 3)
    },
    Subject(testDescription: "batch of local") { LocalStorage(root: $0, pageSize: 3).batch() },
    Subject(testDescription: "local that waits less") {
      LocalStorage(root: $0, synchronizes: false, pageSize: 3).waiting(atMost: .seconds(60))
    },
    Subject(testDescription: "in memory") { _ in InMemoryStorage(pageSize: 3) },
    Subject(testDescription: "counted") { _ in CountingStorage(yields: 1, pageSize: 3) },
    Subject(testDescription: "faultless") { _ in FaultStorage(wrapping: InMemoryStorage(pageSize: 3)) },
    Subject(testDescription: "faultless local") {
      FaultStorage(wrapping: LocalStorage(root: $0, synchronizes: false, pageSize: 3))
    },
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
