import Foundation
import TarnStorage
import TarnTestSupport
import Testing

/// What happens while another program holds the folder by which replacing takes turns.
@Suite("Local storage whose turn is held")
struct TurnTests {
  private let folder: TemporaryFolder
  private let root: String
  private let scratch: String

  init() throws {
    folder = try TemporaryFolder()
    root = folder.path
    scratch = root + "/.hoodie/.temp"
    try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
  }

  /// Holds the lock until the descriptor is closed.
  private func hold() throws -> Int32 {
    let descriptor = open(root + "/.hoodie", O_RDONLY | O_CLOEXEC)
    try #require(descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    return descriptor
  }

  private func makeFile(_ path: String, _ text: String = "x") throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: root + "/" + path))
  }

  private func text(_ path: String) -> String? {
    FileManager.default.contents(atPath: root + "/" + path).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func replacingAndDeletingWaitForTheirPatienceAndThenSayWhatIsHeld() async throws {
    let storage = LocalStorage(root: root, patience: .milliseconds(60))
    let tag = try await storage.put([1], at: "a", if: .ifAbsent)
    let held = try hold()
    let verbs: [@Sendable () async throws -> Void] = [
      { try await storage.put([2], at: "a", if: .always) },
      { try await storage.put([2], at: "a", if: .ifMatches(tag)) },
      { try await storage.delete("a") },
      { _ = try await (try await storage.writer(at: "a")).finish() },
    ]
    for verb in verbs {
      let begun = ContinuousClock.now
      do {
        try await verb()
        Issue.record("the folder is held")
      } catch let error as StorageError {
        #expect(error.code == .locked)
        #expect(error.description.contains("\(root)/.hoodie: another program holds this folder"))
        #expect(!error.description.contains("\n"))
      }
      #expect(begun.duration(to: .now) < .seconds(500))
    }
    #expect(try await storage.readAll("a") == [1])
    close(held)
    for verb in verbs.reversed() { #expect(await code(verb) != .locked) }
    #expect((try FileManager.default.contentsOfDirectory(atPath: scratch)) == [])
  }

  @Test func whatIsNewDoesNotWait() async throws {
    let storage = LocalStorage(root: root, patience: .zero)
    let held = try hold()
    defer { close(held) }
    try await storage.put([1], at: "p/a", if: .ifAbsent)
    try await storage.put([2], at: "p/b", if: .always)
    let writer = try await storage.writer(at: "p/c")
    try await writer.write([3])
    try await writer.finish()
    try await storage.delete("p/none")
    #expect(try await storage.listAll(prefix: "p/").paths == ["p/a", "p/b", "p/c"])
  }

  @Test func allWaitsTogetherLastNoLongerThanAsked() async throws {
    // Of a patience that no busy machine comes near.
    let storage = LocalStorage(root: root, patience: .seconds(1_000))
    for name in ["a", "b", "c", "d"] { try await storage.put([1], at: name, if: .ifAbsent) }
    let held = try hold()
    defer { close(held) }
    let patient = storage.waiting(atMost: .milliseconds(300))
    let begun = ContinuousClock.now
    for name in ["a", "b", "c", "d"] { #expect(await code { try await patient.delete(name) } == .locked) }
    let waited = begun.duration(to: .now)
    #expect(waited >= .milliseconds(300) && waited < .seconds(500))
  }

  @Test func cancelledDeletionStillWaitsForItsTurn() async throws {
    let storage = LocalStorage(root: root)
    try await storage.put([1], at: "a", if: .ifAbsent)
    let held = try hold()
    let deletion = Task { await code { try await storage.delete("a") } }
    deletion.cancel()
    try await Task.sleep(for: .milliseconds(30))
    close(held)
    #expect(await deletion.value == nil)
    #expect(try await storage.exists("a") == false)
  }

  @Test func putThatLosesToAFileThatAppearsLeavesItsChecksumFile() async throws {
    let storage = LocalStorage(root: root)
    // Of a file that is gone; whoever makes the file anew has to remove it, and waits for its turn.
    try makeFile(".a.crc", "old")
    let held = try hold()
    let put = Task { await code { try await storage.put([1], at: "a", if: .ifAbsent) } }
    try await Task.sleep(for: .milliseconds(30))
    try makeFile("a", "another's")
    try makeFile(".a.crc", "another's")
    close(held)
    #expect(await put.value == .preconditionFailed)
    #expect(text("a") == "another's" && text(".a.crc") == "another's")
  }

  @Test func checksumFileStaysWhereItsFileDoes() async throws {
    let storage = LocalStorage(root: root, patience: .milliseconds(5))
    try makeFile("a")
    try makeFile(".a.crc", "of a")
    let held = try hold()
    let tag = try await storage.info(of: "a").tag
    #expect(await code { try await storage.delete("a") } == .locked)
    #expect(await code { try await storage.put([1], at: "a", if: .always) } == .locked)
    #expect(await code { try await storage.put([1], at: "a", if: .ifMatches(tag)) } == .locked)
    #expect(await code { try await storage.put([1], at: "a", if: .ifAbsent) } == .preconditionFailed)
    #expect(text(".a.crc") == "of a")
    close(held)
    try await storage.delete("a")
    #expect(text(".a.crc") == nil)
    // A folder is no file to replace.
    try FileManager.default.createDirectory(atPath: root + "/f/g", withIntermediateDirectories: true)
    try makeFile(".f.crc", "of f")
    #expect(await code { try await storage.put([1], at: "f", if: .always) } == .failed)
    #expect(await code { try await storage.put([1], at: "f", if: .ifAbsent) } == .failed)
    try await storage.delete("f")
    #expect(text(".f.crc") == "of f")
  }
}
