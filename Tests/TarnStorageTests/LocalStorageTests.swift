import Foundation
import TarnBytes
import TarnStorage
import TarnTestSupport
import Testing

@Suite("Local storage")
struct LocalStorageTests {
  private let folder: TemporaryFolder
  private let root: String
  private let storage: LocalStorage

  init() throws {
    folder = try TemporaryFolder()
    root = folder.path + "/table"
    storage = LocalStorage(root: root + "/")
  }

  private func names(_ path: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: root + "/" + path)) ?? []).sorted()
  }

  private func makeFile(_ path: String, _ text: String = "x") throws {
    let file = URL(fileURLWithPath: root + "/" + path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  /// A long range is copied by a thread of its own, behind what was written and before what comes.
  @Test func longRangesStandBetweenWhatWasWritten() async throws {
    var random = SeededGenerator(seed: 3)
    var bytes: [UInt8] = []
    for _ in 0..<1_250_000 { withUnsafeBytes(of: random.next()) { bytes.append(contentsOf: $0) } }
    try await storage.put(bytes, at: "source", if: .always)
    let tag = try await storage.info(of: "source").tag
    let range = 1_001..<9_500_003
    let writer = try await storage.writer(at: "target")
    try await writer.write([1, 2, 3])
    try await writer.copy(range, of: "source", tag: tag)
    try await writer.write([4])
    try await writer.copy(0..<9_000_000, of: "source", tag: nil)
    try await writer.finish(if: .ifAbsent)
    let found = try await storage.readAll("target")
    var expected: [UInt8] = [1, 2, 3]
    expected += bytes[range]
    expected.append(4)
    expected += bytes[..<9_000_000]
    #expect(found == expected)

    // One of another version closes the writer, and leaves nothing.
    let other = try await storage.writer(at: "other")
    #expect(await code { try await other.copy(range, of: "source", tag: ObjectTag("another")) } == .changed)
    #expect(await code { try await other.write([5]) } == .closed)
    #expect(try await storage.listAll(prefix: "").paths == ["source", "target"])
    #expect(names(".hoodie/.temp") == [])
  }

  @Test func nothingIsMadeBeforeTheFirstWrite() async throws {
    _ = try await storage.listAll(prefix: "")
    try await storage.delete("a/b")
    #expect(
      await code {
        _ = try await storage.put([], at: "a", if: .ifMatches(ObjectTag("1")))
      } == .preconditionFailed)
    #expect(!FileManager.default.fileExists(atPath: root))
  }

  @Test func temporariesStayInTheScratchFolderAndGo() async throws {
    let writer = try await storage.writer(at: "p/a")
    try await writer.write([UInt8](repeating: 1, count: 600_000))
    #expect(names("p") == [])
    let temporaries = names(".hoodie/.temp")
    #expect(temporaries.count == 1 && temporaries.allSatisfy { $0.hasPrefix("tarn-") })
    // They are no objects.
    for prefix in ["", ".hoodie/.temp/", ".hoodie/.temp/t"] {
      #expect(try await storage.listAll(prefix: prefix).paths == [])
    }
    try await writer.finish()
    let tag = try await storage.put([1], at: "p/b", if: .ifAbsent)
    _ = await code { _ = try await storage.put([1], at: "p/b", if: .ifAbsent) }
    try await storage.put([2], at: "p/b", if: .ifMatches(tag))
    _ = await code {
      _ = try await storage.put([3], at: "p/b", if: .ifMatches(tag))
    }
    try await storage.put([4], at: "p/c", if: .always)
    let abandoned = try await storage.writer(at: "p/d")
    await abandoned.abandon()
    try await storage.delete("p/c")
    // A writer that cannot finish, since a folder is in the way.
    let blocked = try await storage.writer(at: "p")
    #expect(await code { _ = try await blocked.finish() } == .failed)
    #expect(names("p") == ["a", "b"])
    #expect(names(".hoodie/.temp") == [])
  }

  @Test func filesThatStayOpenAreThoseAtTheirPaths() async throws {
    let files = storage.keepOpen()
    defer { withExtendedLifetime(files) {} }
    var buffer = ByteBuffer()
    for number in 0..<20 { try await storage.put([UInt8(number), 7], at: "a/\(number)", if: .always) }
    for number in Array(0..<20) + Array(0..<20) {
      try await storage.read("a/\(number)", range: 0..<1, into: &buffer)
      #expect(buffer.copied() == [UInt8(number)])
    }
    // Replaced, longer and gone.
    try await storage.put([5], at: "a/19", if: .always)
    #expect(await code { try await storage.read("a/19", range: 1..<2, into: &buffer) } == .outOfRange)
    try makeFile("a/18", "abc")
    try await storage.read("a/18", range: 0..<3, into: &buffer)
    #expect(buffer.copied() == Array("abc".utf8))
    try await storage.delete("a/17")
    #expect(await code { try await storage.read("a/17", range: 0..<1, into: &buffer) } == .notFound)
  }

  @Test func twoStoragesOfOneFolderExcludeEachOther() async throws {
    let other = LocalStorage(root: root, synchronizes: false)
    let tag = try await storage.put([1], at: "a", if: .ifAbsent)
    #expect(
      await code { _ = try await other.put([2], at: "a", if: .ifAbsent) }
        == .preconditionFailed)
    try await other.put([3], at: "a", if: .ifMatches(tag))
    #expect(
      await code { _ = try await storage.put([2], at: "a", if: .ifMatches(tag)) }
        == .preconditionFailed)
    let sign = try await storage.beginSign([1], at: ".hoodie/sign")
    #expect(try await other.isHeld(".hoodie/sign"))
    await sign.end()
    #expect(try await !other.isHeld(".hoodie/sign"))
  }

  @Test func signOfLifeIsOneAgainstAnotherProcess() async throws {
    let sign = try await storage.beginSign([1], at: "sign")
    let flock = Process()
    flock.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    flock.arguments = ["flock", "--nonblock", "--conflict-exit-code", "77", root + "/sign", "true"]
    flock.standardError = FileHandle.nullDevice
    try flock.run()
    flock.waitUntilExit()
    await sign.end()
    // 127: there is no such command here.
    #expect(flock.terminationStatus == 77 || flock.terminationStatus == 127)
  }

  @Test func aTagTellsContentsApartThatTheFileSystemDoesNot() async throws {
    let tag = try await storage.put([1, 2], at: "a", if: .ifAbsent)
    let stored = try await storage.info(of: "a").tag
    #expect(tag.contentHash != nil && tag == stored)
    // Written in place, with the time set back: inode, size and time are as they were.
    let path = root + "/a"
    let handle = try #require(FileHandle(forWritingAtPath: path))
    var status = stat()
    try #require(stat(path, &status) == 0)
    try handle.write(contentsOf: Data([3, 4]))
    let times = [status.st_atim, status.st_mtim]
    try #require(futimens(handle.fileDescriptor, times) == 0)
    try handle.close()
    #expect(try await storage.info(of: "a").tag == tag)
    #expect(
      await code { _ = try await storage.put([5], at: "a", if: .ifMatches(tag)) } == .preconditionFailed)
    let read = try await storage.get("a", limit: 10)
    #expect(read.bytes == [3, 4] && read.tag == tag && read.tag.contentHash != tag.contentHash)
    try await storage.put([6], at: "a", if: .ifMatches(read.tag))
  }

  @Test func fileSystemsOverANetworkAreKnownByTheirNumbers() {
    #expect(FileSystemKind.name(ofKind: 0x6969) == "NFS")
    #expect(FileSystemKind.name(ofKind: 0xff53_4d42) == "SMB")
    // ext4, XFS, btrfs, tmpfs, overlay.
    for kind: UInt32 in [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630] {
      #expect(FileSystemKind.name(ofKind: kind) == nil)
    }
  }

  @Test func checksumFileGoesWithItsFile() async throws {
    for path in ["p/a", "p/b", "p/c", "p/d", "p/e", "top"] {
      let parts = path.split(separator: "/")
      try makeFile(parts.dropLast().map { $0 + "/" }.joined() + "." + (parts.last ?? "") + ".crc")
      if path != "p/d" { try makeFile(path) }
    }
    #expect(names("p").count == 9)
    try await storage.put([1], at: "p/a", if: .always)
    let tag = try await storage.info(of: "p/b").tag
    try await storage.put([1], at: "p/b", if: .ifMatches(tag))
    try await storage.delete("p/c")
    try await storage.put([1], at: "p/d", if: .ifAbsent)
    let writer = try await storage.writer(at: "p/e")
    try await writer.finish()
    try await storage.delete("top")
    #expect(names("p") == ["a", "b", "d", "e"])
    #expect(names("") == [".hoodie", "p"])
  }

  @Test func failedConditionLeavesTheChecksumFile() async throws {
    try makeFile("a")
    try makeFile(".a.crc")
    for condition in [PutCondition.ifAbsent, .ifMatches(ObjectTag("1"))] {
      #expect(
        await code { _ = try await storage.put([1], at: "a", if: condition) }
          == .preconditionFailed)
    }
    #expect(names("").contains(".a.crc"))
  }

  @Test func pathsBelowAFileAreNotFound() async throws {
    try makeFile("a")
    #expect(await code { _ = try await storage.info(of: "a/b") } == .notFound)
    do throws(StorageError) {
      try await storage.put([1], at: "a/b", if: .always)
      Issue.record("a file is a folder")
    } catch {
      #expect(error.code == .notFound)
      #expect(error.message.contains(root + "/a/b"))
      #expect(error.message.contains("where a folder is needed"))
    }
  }

  @Test func tooLongPathsAreInvalid() async throws {
    let path = Array(repeating: String(repeating: "n", count: 200), count: 30).joined(separator: "/")
    do throws(StorageError) {
      try await storage.put([1], at: path, if: .always)
      Issue.record("it was written")
    } catch {
      #expect(error.code == .invalidPath)
      #expect(error.message.contains("a path 4,095"))
    }
    #expect(names(".hoodie/.temp") == [])
  }

  @Test(.enabled(if: geteuid() != 0, "root may do everything"))
  func lackOfPermissionIsToldAsSuch() async throws {
    try makeFile("closed/a")
    chmod(root + "/closed", 0)
    defer { chmod(root + "/closed", 0o700) }
    #expect(
      await code { _ = try await storage.info(of: "closed/a") }
        == .permissionDenied)
    #expect(
      await code { _ = try await storage.listAll(prefix: "") } == .permissionDenied
    )
  }

  #if os(Linux)
    @Test func unwritablePlaceGivesAnErrorWithTheFile() async throws {
      let system = LocalStorage(root: "/proc/self", scratch: "scratch")
      do throws(StorageError) {
        try await system.put([1], at: "a", if: .always)
        Issue.record("/proc was written to")
      } catch {
        #expect([.permissionDenied, .notFound].contains(error.code))
        #expect(error.message.contains("/proc/self/scratch"))
      }
    }
  #endif

  @Test func namesThatAreNotTextAreLeftOut() async throws {
    try makeFile("a/b")
    let bytes: [CChar] = Array((root + "/a/").utf8CString.dropLast()) + [CChar(bitPattern: 0xFF), 0]
    let descriptor = open(bytes, O_CREAT | O_WRONLY, 0o600)
    // Some file systems refuse such names themselves.
    if descriptor >= 0 { close(descriptor) }
    #expect(try await storage.listAll(prefix: "").paths == ["a/b"])
  }

  @Test func pipesAndFoldersAreNoObjects() async throws {
    try makeFile("a/b")
    #expect(mkfifo(root + "/a/pipe", 0o600) == 0)
    #expect(try await storage.listAll(prefix: "").paths == ["a/b"])
    for path in ["a", "a/pipe"] {
      var buffer = ByteBuffer()
      do throws(StorageError) {
        try await storage.read(path, range: 0..<0, into: &buffer)
        Issue.record("\(path) was read")
      } catch {
        #expect(error.code == .notFound)
      }
    }
    #expect(
      await code { try await storage.put([1], at: "a", if: .ifAbsent) } == .failed)
  }

  @Test func modificationTimeIsInMicroseconds() async throws {
    let before = Int64(Date().timeIntervalSince1970 * 1_000_000)
    try await storage.put([1], at: "a", if: .always)
    let after = Int64(Date().timeIntervalSince1970 * 1_000_000)
    let modified = try await storage.info(of: "a").modified
    #expect(modified >= before - 1000 && modified <= after + 1000)
  }

  @Test func newFilesGetTheUsualPermissions() async throws {
    try await storage.put([1], at: "a", if: .always)
    try makeFile("b")
    let modes = try ["a", "b"].map {
      try FileManager.default.attributesOfItem(atPath: root + "/" + $0)[.posixPermissions] as? Int
    }
    #expect(modes[0] == modes[1])
  }
}
