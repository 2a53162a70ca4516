import TarnStorage
import Testing

@Suite("Contract of every storage where things fail or change")
struct FailureContractTests {
  @Test(arguments: Subject.all)
  func writerIsClosedAfterAnyError(_ subject: Subject) async throws {
    try await subject.run { storage in
      let count = 300_000
      try await storage.put([UInt8](repeating: 7, count: count), at: "a/source", if: .always)
      // Small and large ranges go different ways; paths are refused before either.
      let failing = [
        (count - 10..<count + 10, "a/source"), (100..<count + 1, "a/source"), (-1..<3, "a/source"),
        (0..<1, "a/none"), (0..<100_000, "a/none"), (0..<1, "../a"), (0..<1, ""), (0..<1, "a"),
      ]
      for (range, path) in failing {
        let writer = try await storage.writer(at: "a/failed")
        try await writer.write([1, 2, 3])
        #expect(await code { try await writer.copy(range, of: path) } != nil, "\(range) of \(path)")
        #expect(await code { try await writer.write([4]) } == .closed, "\(range) of \(path)")
        #expect(await code { try await writer.copy(0..<1, of: "a/source") } == .closed)
        #expect(await code { _ = try await writer.finish() } == .closed, "\(range) of \(path)")
        await writer.abandon()
        #expect(try await storage.exists("a/failed") == false)
      }
      #expect(try await storage.listAll(prefix: "").paths == ["a/source"])
    }
  }

  @Test(arguments: Subject.all)
  func wholeObjectIsReadAsItIsAtOneMoment(_ subject: Subject) async throws {
    try await subject.run { storage in
      let versions = [[UInt8](repeating: 1, count: 10), [UInt8](repeating: 2, count: 5_000), []]
      try await storage.put(versions[0], at: "a/b", if: .always)
      let writer = Task {
        for round in 0... {
          if Task.isCancelled { break }
          try await storage.put(versions[round % 3], at: "a/b", if: .always)
          await Task.yield()
        }
      }
      for _ in 0..<200 {
        do throws(StorageError) {
          let bytes = try await storage.readAll("a/b")
          #expect(versions.contains(bytes), "\(bytes.count) bytes")
        } catch {
          // Only where it changed at each of several attempts.
          #expect(error.code == .changed)
        }
        await Task.yield()
      }
      writer.cancel()
      try await writer.value
    }
  }

  @Test(arguments: Subject.all)
  func longNamesAreRefusedByEveryVerbAndSaidInOneLine(_ subject: Subject) async throws {
    try await subject.run { storage in
      let longest = String(repeating: "n", count: 255)
      try await storage.put([1], at: longest + "/a", if: .ifAbsent)
      try await storage.put([1], at: "a/" + longest, if: .ifAbsent)
      #expect(try await storage.readAll("a/" + longest) == [1])
      try await storage.delete("a/" + longest)
      for path in ["n" + longest, "a/n\(longest)/b", "a/" + String(repeating: "é", count: 128)] {
        for verb in Subject.verbs(storage, path) { #expect(await code(verb) == .invalidPath) }
        for prefix in [path + "/", path] {
          #expect(await code { _ = try await storage.listAll(prefix: prefix) } == .invalidPath)
        }
        do throws(StorageError) { _ = try await storage.info(of: path) } catch {
          #expect(error.message.contains("has 256 bytes") && error.message.contains("255 at most"))
          #expect(!error.description.contains("\n") && error.description.utf8.count < 600)
        }
      }
    }
  }

  @Test(arguments: Subject.all)
  func batchIsTheSameStorageAndMayBeSettledTwice(_ subject: Subject) async throws {
    try await subject.run { storage in
      let batch = storage.batch()
      let tag = try await batch.put([1], at: "a/b", if: .ifAbsent)
      #expect(try await storage.info(of: "a/b").tag == tag)
      #expect(await code { try await batch.put([1], at: "a/b", if: .ifAbsent) } == .preconditionFailed)
      let writer = try await batch.writer(at: "a/c")
      try await writer.write([2])
      try await writer.finish()
      try await batch.settle()
      try await batch.put([3], at: "d", if: .always)
      try await batch.delete("a/b")
      try await batch.settle()
      try await batch.settle()
      #expect(try await storage.listAll(prefix: "").paths == ["a/c", "d"])
      #expect(try await storage.readAll("a/c") == [2])
      try await storage.settle()
    }
  }
}
