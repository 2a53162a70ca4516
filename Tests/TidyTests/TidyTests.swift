import Foundation
import TarnTestSupport
import Testing

/// Fails with each place that was found.
private func expectNone(_ places: [String], sourceLocation: SourceLocation = #_sourceLocation) {
  for place in places { Issue.record("\(place)", sourceLocation: sourceLocation) }
}

/// Walks the sources for what no compiler checks.
@Suite("Tidiness of the sources") struct TidyHeavyTests {
  private static let found = Result {
    try SourceFile.all(below: ["Sources"], suffixes: [".swift"], withCode: true)
  }

  /// The Swift files of the library and of the command line.
  static func sources() throws -> [SourceFile] { try found.get() }

  /// Swift of the whole package, scripts and documents.
  static func everything() throws -> [SourceFile] {
    let top = ["Package.swift", "README.md", "CHANGELOG.md", ".ci/run"].map { try? SourceFile(path: $0) }
    let below = try SourceFile.all(
      below: ["Sources", "Tests", "Examples", "Benchmarks"],
      suffixes: [".swift", ".md", ".py", ".sh", ".txt", ".h", ".modulemap", "/run"])
    return top.compactMap { $0 } + below
  }

  static func matches(_ pattern: Regex<Substring>, except allowed: Set<String> = []) throws -> [String] {
    try sources().filter { !allowed.contains($0.path) }.flatMap { $0.matches(pattern) }
  }

  @Test("Only code is searched: comments and literals are not, interpolations are")
  func onlyCodeIsSearched() throws {
    let file = try SourceFile(path: "Tests/TidyTests/Samples.swift", withCode: true)
    let found = file.code.indices.filter { file.code[$0].contains("banned") }
    #expect(found == file.lines.indices.filter { file.lines[$0].contains("// found") })
    #expect(!found.isEmpty)
  }

  @Test("Nothing traps on what comes from outside")
  func nothingTrapsOnWhatComesFromOutside() throws {
    expectNone(try Self.matches(/\btry!|\bas!|\bfatalError\(|\bassertionFailure\(/))
    expectNone(try Self.matches(/[\w)\]}?]!(?!=)/))
  }

  @Test("Clocks and randomness are asked in few places, so that tests can hold them")
  func clocksAndRandomnessAreAskedInFewPlaces() throws {
    let allowed: Set = [
      // The defaults of a table's settings, which tests replace.
      "Sources/Tarn/Definition/SystemWorld.swift", "Sources/Tarn/Definition/TableSettings.swift",
      // Times of files, names of temporaries, and patience: no content depends on them.
      "Sources/TarnStorage/System/FileSystem.swift", "Sources/TarnStorage/Local/LocalPublishing.swift",
      "Sources/TarnStorage/Local/Patience.swift",
      // Clocks and randomness of a client, which tests replace, and the patience of its connections.
      "Sources/TarnAWS/System/SystemCalls.swift",
      // Times of the lines of a log.
      "Sources/TarnCommand/Output/StandardError.swift",
      // Asks a zone for its offset at a given time.
      "Sources/TarnCommand/Options/ZoneConversion.swift",
    ]
    let clock =
      /\bclock_gettime\b|\bgettimeofday\b|\bContinuousClock\b|\bSuspendingClock\b|\bDate\(|\btime\(nil/
    let random =
      /\bSystemRandomNumberGenerator\b|\.random\(in|\.shuffled\(\)|\bUUID\(|\barc4random|\bgetrandom\b/
    expectNone(try Self.matches(clock, except: allowed))
    expectNone(try Self.matches(random, except: allowed))
  }

  @Test("Unsafe code stays in the rooms and files that are made for it")
  func unsafeCodeStaysInItsPlaces() throws {
    let rooms: Set = ["TarnBytes", "TarnCompression", "TarnParquet", "TarnStorage"]
    let files: Set = [
      // Loops over the bytes of many values.
      "Sources/TarnColumns/Values/ByteStrings.swift", "Sources/TarnColumns/Types/CivilTime.swift",
      "Sources/TarnCDC/Types/NumberText.swift", "Sources/TarnCDC/Scan/ScannedValue.swift",
      "Sources/TarnIndex/Bloom/BloomFilter.swift", "Sources/TarnIndex/Hashing/MurmurHash.swift",
      // A system call.
      "Sources/TarnCommand/Output/StandardOutput.swift",
      // The memory that libcurl reads from and writes into.
      "Sources/TarnAWS/System/SystemFile.swift",
      "Sources/TarnAWS/System/ChildProcess.swift", "Sources/TarnAWS/HTTP/EasyHandle.swift",
      "Sources/TarnAWS/HTTP/CurlLibrary.swift",
      "Sources/TarnAWS/HTTP/ResponseMemory.swift", "Sources/TarnAWS/HTTP/Transfer.swift",
      "Sources/TarnAWS/HTTP/TransferLoop.swift", "Sources/TarnAWS/HTTP/TransferSetup.swift",
      "Sources/TarnAWS/Signing/Digest.swift",
      // Keys a dictionary by borrowed bytes.
      "Sources/TarnCDC/Names/NameTable.swift",
    ]
    // `withUnsafeBytes` lends bytes to a check or to a string, and is allowed everywhere.
    let pattern = /\bUnsafe\w+|\bunsafeLoad\w*|\b_unsafe\w+|\bunsafeBitCast\b|\bUnmanaged\b|\bOpaquePointer\b/
    let found = try Self.sources().filter { !rooms.contains($0.room) && !files.contains($0.path) }
      .flatMap { $0.matches(pattern) }
    expectNone(found)
  }

  @Test("Kinds of storages are named only where a location is made")
  func kindsOfStoragesAreNamedWhereALocationIsMade() throws {
    let places: Set = ["TableLocation.swift", "UserLocation.swift"]
    let found = try Self.sources().filter { file in
      !["TarnStorage", "TarnS3"].contains(file.room)
        && !places.contains(file.path.split(separator: "/").last.map(String.init) ?? "")
    }
    expectNone(found.flatMap { $0.matches(/\b(?:Local|InMemory|S3)Storage\b/) })
  }

  @Test("A promise that the compiler does not check has its reason beside it")
  func uncheckedPromisesHaveTheirReason() throws {
    var found: [String] = []
    for file in try Self.sources() {
      let code = file.code
      for line in code.indices where code[line].contains(/@unchecked\b|nonisolated\(unsafe\)|@preconcurrency/)
      {
        let near = file.lines[max(line - 3, 0)...line]
        if !near.contains(where: { $0.contains("//") }) { found.append(file.place(line)) }
      }
    }
    expectNone(found)
  }

  @Test("Wherever Glibc is imported, Musl is too")
  func whereverGlibcIsImportedMuslIsToo() throws {
    let files = try Self.everything().filter {
      $0.path.hasSuffix(".swift")
    }
    let found = files.filter { file in
      let imports = file.lines.map { $0.trimmingCharacters(in: .whitespaces) }
      return imports.contains("import " + "Glibc") && !imports.contains("import " + "Musl")
    }
    expectNone(found.map(\.path))
  }

  @Test("No file is longer than 600 lines")
  func noFileIsTooLong() throws {
    let long = try Self.everything().filter { $0.lines.count > 600 }
    #expect(long.map { "\($0.path): \($0.lines.count) lines" } == [])
  }

  @Test("Nothing is left for later, and no place of one machine is named")
  func nothingIsLeftForLater() throws {
    // Put together, so that this file does not find itself.
    let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "/wo" + "rk/", "/ho" + "me/", "/Us" + "ers/"]
    var found: [String] = []
    for file in try Self.everything() {
      for line in file.lines.indices where words.contains(where: file.lines[line].contains) {
        found.append(file.place(line))
      }
    }
    expectNone(found)
  }
}

/// Walks manifests and imports.
@Suite("Order of the rooms") struct RoomHeavyTests {
  @Test("The manifest gives each room what it may import, and no more")
  func theManifestFollowsTheTable() throws {
    let declared = try Rooms.declared()
    #expect(Set(declared.keys) == Set(Rooms.all.map(\.name)))
    for room in Rooms.all { #expect(declared[room.name] == Set(room.imports), "\(room.name)") }
  }

  @Test("A room imports only rooms below it")
  func aRoomImportsOnlyRoomsBelowIt() throws {
    var below: Set<String> = []
    for room in Rooms.all {
      #expect(below.isSuperset(of: room.imports), "\(room.name)")
      below.insert(room.name)
    }
    var found: [String] = []
    for file in try TidyHeavyTests.sources() {
      let allowed = Set(Rooms.all.first { $0.name == file.room }?.imports ?? []).union(Rooms.system)
      for (line, code) in file.code.enumerated() {
        guard let match = code.firstMatch(of: /^\s*(?:[@\w()]+\s+)*import\s+(?:\w+\s+)?(\w+)/) else {
          continue
        }
        let module = String(match.1)
        let isFoundation = module == "Foundation" && Rooms.foundation.contains(file.path)
        if !allowed.contains(module), !isFoundation { found.append(file.place(line)) }
      }
    }
    expectNone(found)
  }

  @Test("Every folder of the sources is a room, and the README says what it imports")
  func everyFolderIsARoomOfTheReadme() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: TestWorld.root + "/Sources")
    #expect(Set(folders) == Set(Rooms.all.map(\.name)))
    var rows: [String: Set<String>] = [:]
    for line in try SourceFile(path: "README.md").lines where line.hasPrefix("| `") {
      let cells = line.split(separator: "|", omittingEmptySubsequences: false)
      guard cells.count == 5 else { continue }
      for name in cells[1].matches(of: /`(\w+)`/) {
        rows[String(name.1)] = Set(cells[3].matches(of: /\w+/).map { String($0.output) })
      }
    }
    for room in Rooms.all {
      #expect(rows[room.name] == Set(room.imports).subtracting(["TarnBytes"]), "\(room.name)")
    }
  }

  @Test("Each suite that is run in release is compiled for it")
  func heavySuitesAreCompiledForRelease() throws {
    let parts = try Rooms.heavyTests()
    var missing: [String] = []
    for file in try SourceFile.all(below: ["Tests"], suffixes: [".swift"]) {
      let pieces = file.path.split(separator: "/").dropFirst()
      guard
        file.lines.contains(where: { $0.contains(/^\s*(@Suite.*)?struct \w+(HeavyTests|ForeignTests)\b/) }),
        let target = pieces.first.map(String.init)
      else { continue }
      let path = pieces.dropFirst().joined(separator: "/")
      let isThere = parts[target, default: []].contains {
        $0 == "." || path == $0 || path.hasPrefix($0 + "/")
      }
      if !isThere { missing.append(file.path) }
    }
    expectNone(missing)
  }

  @Test("No package is depended on but this one, and no flag is unsafe but of linking functions")
  func noPackageIsDependedOn() throws {
    for path in [
      "Package.swift", "Examples/Package.swift", "Benchmarks/Package.swift", "Tests/Products/Package.swift",
    ] {
      let file = try SourceFile(path: path, withCode: true)
      // How an executable of the examples is linked concerns nobody who depends on the package.
      let linking = #"linkerSettings: [.unsafeFlags(["-static-"#
      expectNone(
        file.matches(/unsafeFlags/).filter { path != "Examples/Package.swift" || !$0.contains(linking) })
      let packages = file.lines.filter { $0.contains(".package(") && !$0.contains(".product(") }
      if path == "Package.swift" {
        #expect(packages == [])
      } else {
        #expect(packages.allSatisfy { $0.contains("path: \"..") })
      }
    }
  }
}

/// The README against what it shows.
@Suite("README") struct ReadmeTextHeavyTests {
  @Test("The example is the one that a test runs")
  func theExampleIsTheOneThatATestRuns() throws {
    let readme = try SourceFile(path: "README.md").lines
    let begin = try #require(readme.firstIndex(of: "```swift"))
    let example = readme[(begin + 1)...].prefix { $0 != "```" }
    let test = try SourceFile(path: "Tests/TarnTests/Definition/ReadmeTests.swift").lines
    let first = try #require(test.firstIndex(of: "// README begins"))
    let last = try #require(test.firstIndex(of: "// README ends"))
    #expect(Array(example) == Array(test[(first + 1)..<last]))
  }

  @Test("The two commands come first")
  func theTwoCommandsComeFirst() throws {
    let lines = try SourceFile(path: "README.md").lines.prefix(12)
    let commands = lines.filter { $0.hasPrefix("Examples/run") || $0.hasPrefix("Tests/run") }
    #expect(commands.count == 2)
  }

  @Test("Every command of the command line is shown")
  func everyCommandIsShown() throws {
    let readme = try SourceFile(path: "README.md").lines.joined(separator: "\n")
    let folders = ["Sources/TarnCommand/Commands/", "Sources/TarnCommand/Upkeep/"]
    for file in try TidyHeavyTests.sources() where folders.contains(where: file.path.hasPrefix) {
      for line in file.lines {
        guard let match = line.firstMatch(of: /name: "(\w+)", summary:/) else { continue }
        #expect(readme.contains("tarn \(match.1)"), "\(match.1)")
      }
    }
  }
}
