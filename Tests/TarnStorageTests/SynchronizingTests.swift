import Foundation
import TarnStorage
import Testing

/// What is forced to the disk, and how often.
@Suite("Local storage that forces to the disk")
struct SynchronizingTests {
  private let folder: TemporaryFolder
  private let storage: LocalStorage

  init() throws {
    folder = try TemporaryFolder()
    storage = LocalStorage(root: folder.path)
  }

  /// How often something was forced to the disk while a body ran.
  private func count(_ body: () async throws -> Void) async throws -> Int {
    let before = storage.synchronizer.count
    try await body()
    return storage.synchronizer.count - before
  }

  @Test func eachWriteAloneForcesItsBytesAndItsFolder() async throws {
    try await storage.put([1], at: "p/first", if: .ifAbsent)
    #expect(try await count { try await storage.put([1], at: "p/a", if: .ifAbsent) } == 2)
    #expect(try await count { try await storage.put([2], at: "p/a", if: .always) } == 2)
    #expect(try await count { _ = try await (try await storage.writer(at: "p/b")).finish() } == 2)
    // Whoever finds a folder made forces its name too, and so for the one above.
    #expect(try await count { try await storage.put([1], at: "q/a", if: .ifAbsent) } == 3)
    #expect(try await count { try await storage.delete("p/b") } == 1)
    let careless = LocalStorage(root: folder.path, synchronizes: false)
    try await careless.put([1], at: "r/a", if: .ifAbsent)
    try await careless.batch().settle()
    #expect(careless.synchronizer.count == 0)
  }

  @Test func batchForcesEachFolderOnceAndManyAtOnce() async throws {
    try await storage.put([1], at: "p0/first", if: .ifAbsent)
    let batch = storage.batch()
    let partitions = 40
    let written = try await count {
      for number in 0..<partitions {
        try await batch.put([1], at: "p\(number)/mark", if: .ifAbsent)
        let writer = try await batch.writer(at: "p\(number)/data")
        try await writer.write([2])
        try await writer.finish()
      }
    }
    #expect(written == 2 * partitions)
    // The folders of the partitions, and the one that they are in.
    #expect(try await count { try await batch.settle() } == partitions + 1)
    #expect(try await count { try await batch.settle() } == 0)
    #expect(storage.synchronizer.mostUnderWay > 8)
    // A deletion waits for nobody, as a deletion undone by a power failure would bring back what nobody expects.
    #expect(try await count { try await batch.delete("p1/data") } == 1)
  }

  @Test func batchWhoseFolderIsGoneFailsWhenItIsSettledAndEachTimeAfter() async throws {
    let batch = storage.batch()
    let writer = try await batch.writer(at: "p/data")
    try await writer.finish()
    try FileManager.default.removeItem(atPath: folder.path + "/p")
    for _ in 0..<2 {
      do throws(StorageError) {
        try await batch.settle()
        Issue.record("the folder is gone")
      } catch {
        #expect(error.message.contains("opening the folder \(folder.path)/p"))
      }
    }
  }

  @Test func manyWritersAtOnceOutlastFewThreads() async throws {
    let batch = storage.batch()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<200 {
        group.addTask {
          let writer = try await batch.writer(at: "p/\(number)")
          try await writer.write([UInt8](repeating: 1, count: 1_000))
          try await writer.finish()
        }
      }
      try await group.waitForAll()
    }
    try await batch.settle()
    #expect(try await storage.listAll(prefix: "p/").objects.count == 200)
    #expect(storage.synchronizer.mostUnderWay <= 32)
  }
}
