import Foundation
import TarnStorage
import Testing

/// What symbolic links in a local storage mean.
@Suite("Symbolic links in a local storage")
struct LinkTests {
  private let folder: TemporaryFolder
  private let root: String
  private let outside: String
  private let storage: LocalStorage

  init() throws {
    folder = try TemporaryFolder()
    root = folder.path + "/table"
    outside = folder.path + "/outside"
    storage = LocalStorage(root: root)
    try makeFile(root + "/a/file", "1234")
    try makeFile(outside + "/x/deep", "12")
  }

  private func makeFile(_ path: String, _ text: String = "x") throws {
    let file = URL(fileURLWithPath: path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  private func link(_ name: String, to target: String) throws {
    let file = URL(fileURLWithPath: root + "/" + name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: file.path, withDestinationPath: target)
  }

  private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  @Test func foldersBehindLinksAreListedByWhoNamesThem() async throws {
    try link("a/there", to: outside)
    try link("a/inside", to: "../a2")
    try makeFile(root + "/a2/file")
    let all = try await storage.listAll(prefix: "")
    #expect(all.paths == ["a/file", "a2/file"])
    #expect(all.folders == ["a/inside/", "a/there/"])
    #expect(try await storage.listAll(prefix: "a/there/").paths == ["a/there/x/deep"])
    let top = try await storage.listAll(prefix: "a/", stoppingAtSlash: true)
    #expect(top.folders == ["a/inside/", "a/there/"] && top.paths == ["a/file"])
    #expect(try await storage.listAll(prefix: "a/inside/").paths == ["a/inside/file"])
    #expect(try await storage.readAll("a/there/x/deep") == Array("12".utf8))
    let small = LocalStorage(root: root, pageSize: 1)
    #expect(try await small.listAll(prefix: "").folders == ["a/inside/", "a/there/"])
    #expect(try await small.listAll(prefix: "").paths == ["a/file", "a2/file"])
  }

  @Test func linksToFilesAreReadAsThoseFiles() async throws {
    try link("a/link", to: outside + "/x/deep")
    #expect(try await storage.listAll(prefix: "").paths == ["a/file", "a/link"])
    #expect(try await storage.info(of: "a/link").size == 2)
  }

  @Test func nothingLiesBelowALinkToAFolderThatHoldsTheRootOrItself() async throws {
    let links = ["/", "..", "../..", ".", folder.path, root, root + "/a"]
    for (number, target) in links.enumerated() { try link("a/up\(number)", to: target) }
    try link("self", to: "self")
    try link("nowhere", to: "missing")
    for number in links.indices {
      #expect(try await storage.listAll(prefix: "a/up\(number)/").paths == [])
      #expect(try await storage.listAll(prefix: "a/up\(number)/", stoppingAtSlash: true).folders == [])
    }
    #expect(try await storage.listAll(prefix: "a/up0/tmp/").paths == [])
    #expect(try await storage.listAll(prefix: "").paths == ["a/file"])
    #expect(try await storage.listAll(prefix: "self/").paths == [])
    #expect(try await storage.listAll(prefix: "nowhere/").paths == [])
  }

  @Test func secondLinkOnAWayIsAnErrorThatNamesIt() async throws {
    try link("a/there", to: outside)
    try FileManager.default.createSymbolicLink(atPath: outside + "/round", withDestinationPath: "..")
    try FileManager.default.createSymbolicLink(atPath: outside + "/on", withDestinationPath: "x")
    #expect(try await storage.listAll(prefix: "a/there/").folders == ["a/there/on/", "a/there/round/"])
    #expect(try await storage.listAll(prefix: "a/there/round/").paths == [])
    do throws(StorageError) {
      _ = try await storage.listAll(prefix: "a/there/on/")
      Issue.record("two links were followed")
    } catch {
      #expect(error.code == .failed)
      #expect(error.message.hasPrefix("\(root)/a/there/on is a symbolic link below another one"))
    }
  }

  @Test func rootMayBeALinkAndBeReachedThroughLinks() async throws {
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/alias", withDestinationPath: "table")
    let alias = LocalStorage(root: folder.path + "/alias")
    try await alias.put([1], at: "p/b", if: .ifAbsent)
    try await alias.delete("a/file")
    try link("p/up", to: "..")
    #expect(try await alias.listAll(prefix: "").paths == ["p/b"])
    #expect(try await alias.listAll(prefix: "p/up/").paths == [])
    #expect(exists(root + "/p/b") && !exists(root + "/a"))
  }

  @Test func nothingIsWrittenMadeLockedOrDeletedThroughALink() async throws {
    try link("p", to: outside)
    try link("q/p", to: outside)
    try link("in", to: "a")
    try link("gone", to: folder.path + "/new")
    let before = try FileTree(outside)
    for path in ["p/x/deep", "p/new", "p/x/new", "q/p/x/deep", "in/file", "gone/new", "gone/x/new"] {
      let link = path.hasPrefix("q") ? "q/p" : String(path.prefix { $0 != "/" })
      let verbs: [@Sendable () async throws -> Void] = [
        { [storage] in try await storage.put([1], at: path, if: .always) },
        { [storage] in
          try await storage.put(
            [1], at: path, if: (try? await storage.info(of: path)).map { .ifMatches($0.tag) } ?? .ifAbsent)
        },
        { [storage] in _ = try await storage.writer(at: path) },
        { [storage] in _ = try await storage.beginSign([1], at: path) },
        { [storage] in try await storage.move("a/file", to: path) },
        { [storage] in
          try await storage.delete(path)
          // Deleting what is not there succeeds.
          if try await !storage.exists(path) {
            throw StorageError(.failed, path: path, "\(self.root)/\(link) is a symbolic link")
          }
        },
      ]
      for verb in verbs {
        do {
          try await verb()
          Issue.record("\(path) was written through a link")
        } catch let error as StorageError {
          #expect(error.code == .failed)
          #expect(error.message.hasPrefix("\(root)/\(link) is a symbolic link"), "\(error)")
        }
      }
    }
    #expect(try FileTree(outside) == before)
    #expect(!exists(folder.path + "/new"))
    #expect(try await storage.readAll("a/file") == Array("1234".utf8))
  }

  @Test func linkInTheScratchFoldersPlaceStopsWritesAndIsNamed() async throws {
    try makeFile(outside + "/tarn-1")
    try link(".hoodie/.temp", to: outside)
    let before = try FileTree(outside)
    let failures = [
      await code { try await storage.put([1], at: "b", if: .ifAbsent) },
      await code { _ = try await storage.writer(at: "b") },
      await code { try await storage.delete("a/file") },
      await code { try await storage.delete(".hoodie/.temp/tarn-1") },
    ]
    #expect(failures == [.failed, .failed, .failed, .failed])
    #expect(try FileTree(outside) == before)
    #expect(exists(root + "/a/file") && !exists(root + "/b"))
  }

  @Test func linkInAFilesPlaceIsItselfReplacedAndRemoved() async throws {
    for name in ["a/1", "a/2", "a/3", "a/4"] { try link(name, to: outside + "/x/deep") }
    try link("a/.1.crc", to: outside + "/x/deep")
    try link("a/nowhere", to: "missing")
    try link("a/folder", to: outside)
    let before = try FileTree(outside)
    try await storage.put([9], at: "a/1", if: .always)
    try await storage.put([9], at: "a/2", if: .ifMatches(try await storage.info(of: "a/2").tag))
    #expect(await code { try await storage.put([9], at: "a/3", if: .ifAbsent) } == .preconditionFailed)
    let writer = try await storage.writer(at: "a/3")
    try await writer.finish()
    try await storage.delete("a/4")
    // A folder is no object.
    try await storage.delete("a/folder")
    #expect(await code { try await storage.put([9], at: "a/folder", if: .ifAbsent) } == .failed)
    do throws(StorageError) {
      try await storage.put([9], at: "a/nowhere", if: .ifAbsent)
      Issue.record("a file was made where a link leads")
    } catch {
      #expect(error.message.contains("\(root)/a/nowhere is a symbolic link that leads nowhere"))
    }
    #expect(try FileTree(outside) == before)
    #expect(try await storage.listAll(prefix: "a/").paths == ["a/1", "a/2", "a/3", "a/file"])
    #expect(try await storage.readAll("a/1") == [9])
  }

  @Test func whatIsInTheWayIsNamed() async throws {
    try makeFile(root + "/a/file2")
    let cases: [(String, @Sendable () async throws -> Void)] = [
      (
        "\(root)/a/file is a file, where a folder is needed for \(root)/a/file/b/c",
        { [storage] in
          try await storage.put([1], at: "a/file/b/c", if: .ifAbsent)
        }
      ),
      (
        "\(root)/a/file is a file, where a folder is needed",
        { [storage] in
          _ = try await storage.writer(at: "a/file/b")
        }
      ),
      (
        "\(root)/a/file is a file, where a folder is needed",
        { [storage] in
          _ = try await storage.beginSign([1], at: "a/file/sign")
        }
      ),
      (
        "\(root)/a: Is a directory; a folder is in the file's place",
        { [storage] in
          try await storage.put([1], at: "a", if: .always)
        }
      ),
      (
        "\(root)/a: Is a directory; a folder is in the file's place",
        { [storage] in
          try await storage.put([1], at: "a", if: .ifAbsent)
        }
      ),
      ("\(root)/a: Directory not empty", { [storage] in try await storage.move("a/file", to: "a") }),
    ]
    for (text, verb) in cases {
      do {
        try await verb()
        Issue.record("nothing was in the way")
      } catch let error as StorageError {
        #expect(error.message.contains(text), "\(error)")
      }
    }
  }
}

/// A folder's files and folders with their bytes and times, and what links say.
struct FileTree: Equatable {
  private var entries: [String: String] = [:]

  init(_ root: String) throws {
    for path in try FileManager.default.subpathsOfDirectory(atPath: root) + [""] {
      var status = stat()
      try #require(lstat(root + "/" + path, &status) == 0)
      let times = "\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_mode)"
      let bytes = FileManager.default.contents(atPath: root + "/" + path) ?? Data()
      entries[path] = times + " " + bytes.base64EncodedString()
    }
  }
}
