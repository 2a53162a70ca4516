import TarnBytes
import TarnStorage
import TarnTestSupport
import Testing

@Suite("Contract of every storage")
struct ContractTests {
  /// In the order of their bytes: a blank, `-` and `.` come before the slash, `0` after it.
  static let ordered = [
    ".hidden", "a b", "a-", "a.b", "a/%2F", "a/b", "a/b.c", "a/b/c", "a/é", "a0", "b", "e\u{301}", "é", "日本",
  ]

  private func fill(_ storage: any Storage, _ paths: [String]) async throws {
    for path in paths.reversed() { try await storage.put(Array(path.utf8), at: path, if: .ifAbsent) }
  }

  /// Paths of all pages that are no temporaries, and how many pages there were.
  private func pages(
    _ storage: any Storage, _ prefix: String, stopping: Bool = false
  ) async throws -> (objects: [String], folders: [String], pages: Int) {
    var (objects, folders, pages): ([String], [String], Int) = ([], [], 0)
    var continuation: String?
    repeat {
      let page = try await storage.list(
        prefix: prefix, stoppingAtSlash: stopping, continuation: continuation)
      #expect(page.objects.count + page.folders.count <= 3)
      objects += page.paths
      folders += page.folders
      continuation = page.continuation
      pages += 1
    } while continuation != nil
    return (objects, folders.filter { $0 != "scratch/" && $0 != ".hoodie/" }, pages)
  }

  @Test(arguments: Subject.all)
  func listingIsOrderedByBytesOverPages(_ subject: Subject) async throws {
    try await subject.run { storage in
      // A path cannot be a file and a folder everywhere.
      let paths = Self.ordered.filter { $0 != "a/b" }
      try await fill(storage, paths)
      let listing = try await pages(storage, "")
      #expect(listing.objects.map { Array($0.utf8) } == paths.map { Array($0.utf8) })
      #expect(listing.folders.isEmpty)
      #expect(listing.pages == 5)
      #expect(try await storage.listAll(prefix: "").objects.count == paths.count)
    }
  }

  @Test(arguments: Subject.all)
  func prefixIsPlainTextAndNotAFolder(_ subject: Subject) async throws {
    try await subject.run { storage in
      try await fill(storage, ["a/b", "a/bc", "a/bd/e", "a/c", "ab", "b"])
      #expect(try await pages(storage, "a/b").objects == ["a/b", "a/bc", "a/bd/e"])
      #expect(try await pages(storage, "a/").objects == ["a/b", "a/bc", "a/bd/e", "a/c"])
      #expect(try await pages(storage, "a").objects == ["a/b", "a/bc", "a/bd/e", "a/c", "ab"])
      #expect(try await pages(storage, "b/").objects.isEmpty)
      #expect(try await pages(storage, "nothing/there").objects.isEmpty)
      #expect(try await pages(storage, "a/b/c/d").objects.isEmpty)
    }
  }

  @Test(arguments: Subject.all)
  func listingStopsAtTheNextSlash(_ subject: Subject) async throws {
    try await subject.run { storage in
      try await fill(
        storage, ["a-", "a/b/1", "a/b/2", "a/b/3", "a/b/4", "a/c", "a/d/5", "a/e", "a/f/6", "a0"])
      let below = try await pages(storage, "a/", stopping: true)
      #expect(below.objects == ["a/c", "a/e"])
      #expect(below.folders == ["a/b/", "a/d/", "a/f/"])
      #expect(below.pages == 2)
      let top = try await pages(storage, "a", stopping: true)
      #expect(top.objects == ["a-", "a0"])
      #expect(top.folders == ["a/"])
      #expect(try await pages(storage, "a/b", stopping: true).folders == ["a/b/"])
    }
  }

  @Test(arguments: Subject.all)
  func emptyStorageListsNothingAndKnowsNothing(_ subject: Subject) async throws {
    try await subject.run { storage in
      #expect(try await pages(storage, "").objects.isEmpty)
      #expect(await code { _ = try await storage.info(of: "a") } == .notFound)
      #expect(try await storage.exists("a") == false)
      try await storage.delete("a")
    }
  }

  @Test(arguments: Subject.all)
  func rangesAreReadIntoAReusedBuffer(_ subject: Subject) async throws {
    try await subject.run { storage in
      let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
      try await storage.put(bytes, at: "a/b", if: .always)
      var buffer = ByteBuffer()
      buffer.append([1, 2, 3].span.bytes)
      for range in [0..<1000, 10..<20, 999..<1000, 1000..<1000, 0..<0] {
        try await storage.read("a/b", range: range, into: &buffer)
        #expect(buffer.copied() == Array(bytes[range]))
      }
      #expect(try await storage.readAll("a/b") == bytes)
      for range in [0..<1001, 1001..<1001, 990..<Int.max, -1..<3] {
        do throws(StorageError) {
          try await storage.read("a/b", range: range, into: &buffer)
          Issue.record("\(range) was read")
        } catch {
          #expect(error.code == .outOfRange)
          #expect(error.path == "a/b")
        }
      }
      for path in ["a", "a/c", "a/b/c"] {
        #expect(await code { _ = try await storage.readAll(path) } == .notFound)
      }
      #expect(
        await code { _ = try await storage.readAll("a/b", limit: 999) }
          == .tooLarge)
    }
  }

  @Test(arguments: Subject.all)
  func infoTellsSizeAndTagOfTheLatestPut(_ subject: Subject) async throws {
    try await subject.run { storage in
      var tags: Set<ObjectTag> = []
      for size in [3, 3, 3, 5, 0] {
        let tag = try await storage.put([UInt8](repeating: 7, count: size), at: "a/b", if: .always)
        let info = try await storage.info(of: "a/b")
        #expect(info.tag == tag)
        #expect(info.size == size)
        #expect(info.path == "a/b")
        #expect(
          try await storage.list(prefix: "a", stoppingAtSlash: false, continuation: nil).objects == [info])
        tags.insert(tag)
      }
      #expect(tags.count == 5)
    }
  }

  @Test(arguments: Subject.all)
  func conditionsAreKept(_ subject: Subject) async throws {
    try await subject.run { storage in
      let put = { (byte: UInt8, condition: PutCondition) async -> StorageError.Code? in
        await code { _ = try await storage.put([byte], at: "a", if: condition) }
      }
      #expect(await put(1, .ifMatches(ObjectTag("1"))) == .preconditionFailed)
      let first = try await storage.put([2], at: "a", if: .ifAbsent)
      #expect(await put(3, .ifAbsent) == .preconditionFailed)
      #expect(try await storage.readAll("a") == [2])
      let second = try await storage.put([4], at: "a", if: .ifMatches(first))
      #expect(await put(5, .ifMatches(first)) == .preconditionFailed)
      #expect(try await storage.readAll("a") == [4])
      try await storage.delete("a")
      #expect(await put(6, .ifMatches(second)) == .preconditionFailed)
      #expect(await put(7, .ifAbsent) == nil)
      #expect(try await storage.readAll("a") == [7])
    }
  }

  @Test(arguments: Subject.all)
  func ofManyRacingCreatorsOneWins(_ subject: Subject) async throws {
    try await subject.run { storage in
      for round in 0..<10 {
        let path = "folder\(round)/a"
        let winners = await race(8) { number in
          try await storage.put([number, number], at: path, if: .ifAbsent)
        }
        #expect(winners.count == 1)
        let content = try await storage.readAll(path)
        #expect(content == winners + winners)
      }
    }
  }

  @Test(arguments: Subject.all)
  func ofManyRacingReplacersOneWins(_ subject: Subject) async throws {
    try await subject.run { storage in
      var tag = try await storage.put([0], at: "a", if: .ifAbsent)
      for _ in 0..<10 {
        let present = tag
        let winners = await race(8) { number in
          try await storage.put([number], at: "a", if: .ifMatches(present))
        }
        #expect(winners.count == 1)
        #expect(try await storage.readAll("a") == winners)
        tag = try await storage.info(of: "a").tag
      }
    }
  }

  /// Numbers of the tasks that succeeded; the others must have failed their condition.
  private func race(
    _ count: UInt8, _ task: @escaping @Sendable (UInt8) async throws -> Void
  ) async -> [UInt8] {
    await withTaskGroup(of: UInt8?.self) { group in
      for number in 0..<count {
        group.addTask {
          let failure = await code { try await task(number) }
          #expect(failure == nil || failure == .preconditionFailed)
          return failure == nil ? number : nil
        }
      }
      return await group.reduce(into: []) { if let number = $1 { $0.append(number) } }
    }
  }

  @Test(arguments: Subject.all)
  func writtenObjectAppearsWhenItIsFinished(_ subject: Subject) async throws {
    try await subject.run { storage in
      let part = [UInt8](repeating: 9, count: 100_000)
      let writer = try await storage.writer(at: "a/b")
      for _ in 0..<7 { try await writer.write(part) }
      try await writer.write([UInt8](repeating: 8, count: 1_000_000))
      try await writer.write([1])
      #expect(try await storage.exists("a/b") == false)
      #expect(try await storage.listAll(prefix: "a").objects.isEmpty)
      let tag = try await writer.finish()
      await writer.abandon()
      #expect(try await storage.info(of: "a/b").tag == tag)
      let all = try await storage.readAll("a/b")
      #expect(all.count == 1_700_001)
      #expect(all[699_999] == 9 && all[700_000] == 8 && all.last == 1)
      #expect(await code { try await writer.write([1]) } == .closed)
      #expect(await code { _ = try await writer.finish() } == .closed)

      let other = try await storage.writer(at: "a/b")
      try await other.finish()
      #expect(try await storage.readAll("a/b").isEmpty)
    }
  }

  @Test(arguments: Subject.all)
  func writerTakesRangesOfAnObject(_ subject: Subject) async throws {
    try await subject.run { storage in
      let count = 2_700_000
      let source = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 251) }
      try await storage.put(source, at: "a/source", if: .always)
      let ranges = [0..<10, 5..<5, 100..<300_000, count - 1..<count, 0..<count]
      let writer = try await storage.writer(at: "a/copy")
      var expected: [UInt8] = []
      for range in ranges {
        try await writer.write([1, 2])
        try await writer.copy(range, of: "a/source")
        expected += [1, 2] + source[range]
      }
      try await writer.finish()
      #expect(try await storage.readAll("a/copy") == expected)

      for (range, path) in [
        (0..<count + 1, "a/source"), (count - 10..<count + 100_000, "a/source"), (0..<1, "a/none"),
      ] {
        let failing = try await storage.writer(at: "a/failed")
        let failure = await code { try await failing.copy(range, of: path) }
        #expect(failure == (path == "a/none" ? .notFound : .outOfRange))
        await failing.abandon()
        #expect(try await storage.exists("a/failed") == false)
      }
    }
  }

  @Test(arguments: Subject.all)
  func abandonedOrForgottenWriterLeavesNothing(_ subject: Subject) async throws {
    try await subject.run { storage in
      let writer = try await storage.writer(at: "a/b")
      try await writer.write([UInt8](repeating: 1, count: 300_000))
      await writer.abandon()
      await writer.abandon()
      #expect(await code { _ = try await writer.finish() } == .closed)
      do {
        let forgotten = try await storage.writer(at: "a/c")
        try await forgotten.write([1])
      }
      #expect(try await storage.listAll(prefix: "").objects.isEmpty)
    }
  }

  @Test(arguments: Subject.all)
  func deletingTwiceSucceedsAndFoldersAreNoObjects(_ subject: Subject) async throws {
    try await subject.run { storage in
      try await fill(storage, ["a/b", "a/c"])
      try await storage.delete("a")
      try await storage.delete("a/b/c")
      try await storage.delete("x/y/z")
      #expect(await code { _ = try await storage.info(of: "a") } == .notFound)
      #expect(try await storage.listAll(prefix: "a").paths == ["a/b", "a/c"])
      try await storage.delete("a/b")
      try await storage.delete("a/b")
      #expect(try await storage.listAll(prefix: "a").paths == ["a/c"])
    }
  }

  @Test(arguments: Subject.all)
  func invalidPathsAreRefusedByEveryVerb(_ subject: Subject) async throws {
    try await subject.run { storage in
      for path in ["", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\0b"] {
        for verb in Subject.verbs(storage, path) { #expect(await code(verb) == .invalidPath) }
      }
      for prefix in ["/", "../", "a//", "a/../b", "./a", "a\0"] {
        let failure = await code { _ = try await storage.listAll(prefix: prefix) }
        #expect(failure == .invalidPath)
      }
      try await fill(storage, ["...", ".a", "a/..b"])
      #expect(try await storage.listAll(prefix: "a/..").paths == ["a/..b"])
      #expect(try await storage.listAll(prefix: "..").paths == ["..."])
    }
  }

  @Test(arguments: Subject.all)
  func lockExcludesUntilReleased(_ subject: Subject) async throws {
    try await subject.run { storage in
      let lock = try await storage.heldLock("x/lock", patience: .zero)
      do throws(StorageError) {
        _ = try await storage.heldLock("x/lock", patience: .milliseconds(120))
        Issue.record("two hold the lock")
      } catch {
        #expect(error.code == .locked)
        #expect(error.message.contains("s of waiting"))
      }
      _ = try await storage.heldLock("x/other", patience: .zero)
      let waiter = Task { try await storage.heldLock("x/lock", patience: .seconds(30)) }
      try await Task.sleep(for: .milliseconds(80))
      await lock.release()
      let next = try await waiter.value
      // Releasing again does not free the next holder's lock.
      await lock.release()
      #expect(
        await code { _ = try await storage.heldLock("x/lock", patience: .zero) }
          == .locked)
      await next.release()
      do { _ = try await storage.heldLock("x/lock", patience: .zero) }
      // The one before went without being released.
      await (try await storage.heldLock("x/lock", patience: .zero)).release()
      #expect(try await storage.info(of: "x/lock").size == 0)
    }
  }

  @Test(arguments: Subject.all)
  func cancelledWaiterGivesUp(_ subject: Subject) async throws {
    try await subject.run { storage in
      let lock = try await storage.heldLock("lock", patience: .zero)
      let waiter = Task {
        await code { _ = try await storage.heldLock("lock", patience: .seconds(60)) }
      }
      waiter.cancel()
      #expect(await waiter.value == .cancelled)
      await lock.release()
    }
  }
}
