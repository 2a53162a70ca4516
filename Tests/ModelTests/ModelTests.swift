import TarnTestSupport
import Testing

/// Random operations against a dictionary in memory; a failure names its seed, which `ModelRun` repeats.
@Suite struct ModelTests {
  @Test(arguments: 0..<4)
  func aFewRandomHistoriesAreAsTheModelHasThem(block: UInt64) async throws {
    var counts = FileCounts()
    for seed in block * 10..<(block + 1) * 10 {
      var run = try await ModelRun(seed: seed)
      try await run.run(steps: 6)
      counts.add(run)
    }
    counts.check()
  }
}

@Suite struct ModelHeavyTests {
  /// Histories of a block: 3,000 of all of them in a long run, else 300.
  private static let histories: UInt64 = TestWorld.isLong ? 100 : 10

  /// A third of the tables is on the disk; what those in memory hold is written there for the engines.
  @Test(arguments: 1...30)
  func randomHistoriesAreAsTheModelHasThemAndReadAlikeInHudiRsDaftPyarrowAndDuckDB(
    block: UInt64
  ) async throws {
    var counts = FileCounts()
    // All blocks run side by side: few tables of each are there at once.
    for first in stride(from: block * 100, to: block * 100 + Self.histories, by: 10) {
      try await TestWorld.withTemporaryFolder { folder in
        var tables: [ExpectedTable] = []
        for seed in first..<first + 10 {
          let path = folder + "/\(seed)"
          let isOnDisk = block % 3 == 0
          var run = try await ModelRun(seed: seed, folder: isOnDisk ? path : nil)
          try await run.run(steps: 10)
          counts.add(run)
          guard ForeignReader.isThere else { continue }
          if !isOnDisk { try await run.copyObjects(to: path) }
          tables.append(try await run.expected(in: path))
        }
        guard !tables.isEmpty else { return }
        let differences = try await ForeignReader.differences(tables)
        #expect(differences.isEmpty, "\(differences.prefix(3))")
      }
    }
    counts.check()
    // Without the engines the rest is shown all the same.
    try ForeignReader.require()
  }
}

/// How the files of some histories came to be.
private struct FileCounts {
  private var histories = 0
  private var spliced = 0
  private var written = 0

  mutating func add(_ run: ModelRun) {
    histories += 1
    spliced += run.fileCounts.spliced
    written += run.fileCounts.written
  }

  /// Both ways are taken, so that a rule which always chooses one of them is noticed.
  func check() {
    #expect(
      spliced > histories / 2 && written > histories / 2, "\(spliced) spliced, \(written) written anew")
  }
}
