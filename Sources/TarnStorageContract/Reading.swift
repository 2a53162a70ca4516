import Synchronization
import TarnStorage

extension StorageContract {
  static let reading = [
    Clause("a range is read into a buffer that is used again") { trial in
      let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
      try await trial.put(bytes, "a/b")
      var buffer = ReadBuffer()
      buffer.append([1, 2, 3])
      for range in [0..<1000, 10..<20, 999..<1000, 1000..<1000, 0..<0, 3..<700] {
        do throws(StorageError) {
          try await trial.storage.read("a/b", range: range, into: &buffer)
          let seen = buffer.copied()
          trial.check(.read, "the bytes \(range) to be", seen, is: Array(bytes[range]))
        } catch { trial.report(.read, expected: "bytes \(range) of 1000", seen: Trial.text(of: error)) }
      }
    },
    Clause("a range that does not lie within the object is refused, however long") { trial in
      try await trial.put([UInt8](repeating: 7, count: 1000), "a/b")
      for range in [0..<1001, 1001..<1001, 990..<Int.max, 0..<1 << 50, -1..<3] {
        await trial.refuse(.read, .outOfRange, "reading bytes \(range) of 1000", path: "a/b") {
          _ = try await trial.storage.read("a/b", range: range)
        }
      }
      try await trial.put([], "empty")
      await trial.refuse(.read, .outOfRange, "reading a byte of an empty object") {
        _ = try await trial.storage.read("empty", range: 0..<1)
      }
    },
    Clause("a whole object comes with the tag of its content") { trial in
      for bytes in [[1, 2, 3], [], [UInt8](repeating: 9, count: 100_000)] {
        let tag = try await trial.put(bytes, "a/b")
        let object = try await trial.need(.get, "get") {
          try await trial.storage.get("a/b", limit: bytes.count)
        }
        trial.check(.get, "the bytes to be", object.bytes, is: bytes)
        trial.check(.get, "the tag to be", object.tag, is: tag)
      }
      await trial.refuse(.get, .tooLarge, "get of 100000 bytes, where 99999 are wanted at most", path: "a/b")
      {
        _ = try await trial.storage.get("a/b", limit: 99_999)
      }
    },
    Clause("what is not there is not found, and a folder is no object") { trial in
      try await trial.put([1], "a/b")
      for path in ["a", "a/c", "a/b/c", "b"] {
        await trial.refuse(.get, .notFound, "get of \(path)", path: path) {
          _ = try await trial.storage.get(path, limit: 10)
        }
        await trial.refuse(.info, .notFound, "info of \(path)", path: path) {
          _ = try await trial.storage.info(of: path)
        }
        await trial.refuse(.read, .notFound, "reading \(path)", path: path) {
          _ = try await trial.storage.read(path, range: 0..<0)
        }
      }
    },
    Clause("a whole object is as it was at one moment, with the tag of then") { trial in
      let versions = Versions(trial)
      try await versions.put(0)
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await versions.putMany() }
        group.addTask { await versions.getMany() }
      }
    },
    Clause("equal tags mean equal content") { trial in
      var contents: [ObjectTag: [UInt8]] = [:]
      for bytes in [[1], [2], [1, 2], [], [3, 3], [1]] as [[UInt8]] {
        let tag = try await trial.put(bytes, "a")
        trial.check(
          .put, contents[tag] ?? bytes == bytes, "a tag of its own for \(bytes)", seen: "that of others")
        contents[tag] = bytes
        let info = try await trial.need(.info, "info") { try await trial.storage.info(of: "a") }
        trial.check(.info, "the tag to be", info.tag, is: tag)
        trial.check(.info, "the size to be", info.size, is: bytes.count)
      }
    },
  ]
}

/// An object that is replaced again and again while it is read.
private final class Versions: Sendable {
  private static let contents = [[UInt8](repeating: 1, count: 10), [UInt8](repeating: 2, count: 5_000), []]

  private let trial: Trial
  private let known = Mutex<[ObjectTag: [UInt8]]>([:])

  init(_ trial: Trial) { self.trial = trial }

  func put(_ round: Int) async throws {
    let bytes = Self.contents[round % 3]
    let tag = try await trial.put(bytes, "a/b")
    known.withLock { $0[tag] = bytes }
  }

  func putMany() async {
    for round in 1..<60 {
      // It has been reported.
      guard (try? await put(round)) != nil else { return }
      await Task.yield()
    }
  }

  func getMany() async {
    for _ in 0..<120 {
      do throws(StorageError) { check(try await trial.storage.get("a/b", limit: 10_000)) } catch {
        // Each of several attempts may have met a change.
        if error.code != .changed { trial.report(.get, expected: "a version", seen: Trial.text(of: error)) }
      }
      await Task.yield()
    }
  }

  private func check(_ object: StoredObject) {
    let isOne = Self.contents.contains(object.bytes)
    trial.check(.get, isOne, "one of the versions", seen: "\(object.bytes.count) other bytes")
    let bytes = known.withLock { $0[object.tag] }
    trial.check(.get, bytes ?? object.bytes == object.bytes, "the content of the tag", seen: "another's")
  }
}
