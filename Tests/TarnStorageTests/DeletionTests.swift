import Foundation
import TarnStorage
import Testing

/// What is deleted together in a local storage, and what goes that nobody finished.
@Suite("Deletions of many in a local storage")
struct DeletionTests {
  private let folder: TemporaryFolder
  private let root: String
  private let storage: LocalStorage

  init() throws {
    folder = try TemporaryFolder()
    root = folder.path
    storage = LocalStorage(root: root, patience: .milliseconds(50))
  }

  private func fill(_ paths: [String]) async throws {
    for path in paths { try await storage.put(Array(path.utf8), at: path, if: .ifAbsent) }
  }

  private func names(_ path: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: root + "/" + path)) ?? []).sorted()
  }

  @Test func eachFolderIsForcedToTheDiskOnceAndEmptyOnesGo() async throws {
    let paths = (0..<300).map { "p\($0 % 3)/q/\($0)" }
    try await fill(paths + ["p0/kept"])
    let before = storage.synchronizer.count
    #expect(await storage.delete(paths).isEmpty)
    #expect(storage.synchronizer.count - before == 3)
    #expect(names("") == [".hoodie", "p0"] && names("p0") == ["kept"])
  }

  @Test func checksumFilesGoToo() async throws {
    try await fill(["p/a", "p/b", "p/c"])
    for name in [".a.crc", ".b.crc", ".gone.crc", ".c.crc"] {
      try Data("x".utf8).write(to: URL(fileURLWithPath: root + "/p/" + name))
    }
    #expect(await storage.delete(["p/a", "p/b", "p/gone"]).isEmpty)
    #expect(names("p") == [".c.crc", "c"])
  }

  @Test func whatIsHeldIsNamedForEachPathAndWaitedForOnce() async throws {
    let paths = (0..<300).map { "p/\($0)" }
    try await fill(paths)
    let descriptor = open(root + "/.hoodie", O_RDONLY | O_CLOEXEC)
    try #require(descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    let begun = ContinuousClock.now
    let failures = await storage.delete(paths + ["none", "../bad"])
    #expect(begun.duration(to: .now) < .seconds(20))
    close(descriptor)
    #expect(Set(failures.filter { $0.code == .locked }.map(\.path)) == Set(paths))
    #expect(failures.filter { $0.code != .locked }.map(\.path) == ["../bad"])
    #expect(failures.allSatisfy { $0.code != .locked || $0.message.contains("\(root)/.hoodie: ") })
    #expect(await storage.delete(paths).isEmpty)
  }

  @Test func whatCannotBeRemovedDoesNotKeepTheOthers() async throws {
    try await fill(["a/1", "b/1", "c/1"])
    try FileManager.default.createSymbolicLink(atPath: root + "/link", withDestinationPath: "b")
    let failures = await storage.delete(["a/1", "link/1", "c/1"])
    #expect(failures.map(\.path) == ["link/1"] && failures.map(\.code) == [.failed])
    #expect(try await storage.listAll(prefix: "").paths == ["b/1"])
  }

  @Test func oldTemporariesGoAndOthersStay() async throws {
    let writer = try await storage.writer(at: "p/a")
    let scratch = root + "/" + storage.scratch
    let now = Date()
    for (name, age) in [("tarn-old", 3_600.0), ("tarn-young", 5), ("other", 3_600)] {
      try Data("x".utf8).write(to: URL(fileURLWithPath: scratch + "/" + name))
      try FileManager.default.setAttributes(
        [.modificationDate: now.addingTimeInterval(-age)], ofItemAtPath: scratch + "/" + name)
    }
    try await storage.removeUnfinished(before: Int64((now.timeIntervalSince1970 - 600) * 1_000_000))
    #expect(names(storage.scratch).filter { !$0.hasPrefix("tarn-") } == ["other"])
    #expect(names(storage.scratch).count == 3 && !names(storage.scratch).contains("tarn-old"))
    try await writer.finish()
    // Nothing is made for it.
    try await LocalStorage(root: root + "/none").removeUnfinished(before: .max)
    #expect(!names("").contains("none"))
  }

  @Test func errorsKeepTheNumberThatTheSystemGave() async throws {
    try await fill(["a"])
    do throws(StorageError) {
      try await storage.put([1], at: "b/\(String(repeating: "n/", count: 2_500))n", if: .always)
      Issue.record("it was written")
    } catch {
      #expect(error.code == .invalidPath)
      #expect((error.cause as? SystemCallError)?.number == ENAMETOOLONG)
    }
    do throws(StorageError) { _ = try await storage.info(of: "none") } catch {
      #expect(error.code == .notFound && (error.cause as? SystemCallError)?.number == ENOENT)
      #expect("\(error.code)" == "notFound")
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may do everything"))
  func whatIsThereButPerhapsNotForGoodIsUnknown() async throws {
    try await fill(["p/a", "p/b"])
    // Names can be made and removed, but the folder cannot be opened to force it to the disk.
    chmod(root + "/p", 0o300)
    defer { chmod(root + "/p", 0o700) }
    do throws(StorageError) {
      try await storage.put([1], at: "p/new", if: .ifAbsent)
      Issue.record("it is durable")
    } catch { #expect(error.code == .unknown && error.message.contains("it is there")) }
    #expect(try await storage.readAll("p/new") == [1])
    let failures = await storage.delete(["p/a", "p/b"])
    #expect(failures.map(\.code) == [.unknown, .unknown] && Set(failures.map(\.path)) == ["p/a", "p/b"])
  }
}
