import Testing

/// Random operations against a dictionary in memory; a failure names its seed, which `ModelRun` repeats.
@Suite struct ModelTests {
  @Test(arguments: 0..<4)
  func aFewRandomHistoriesAreAsTheModelHasThem(block: UInt64) async throws {
    try await runSeeds(block * 10..<(block + 1) * 10, steps: 6)
  }
}

@Suite struct ModelHeavyTests {
  @Test(arguments: 1..<11)
  func twoThousandRandomHistoriesAreAsTheModelHasThem(block: UInt64) async throws {
    try await runSeeds(block * 200..<(block + 1) * 200, steps: 10)
  }
}

private func runSeeds(_ seeds: Range<UInt64>, steps: Int) async throws {
  var spliced = 0
  var written = 0
  for seed in seeds {
    var run = try await ModelRun(seed: seed)
    try await run.run(steps: steps)
    spliced += run.fileCounts.spliced
    written += run.fileCounts.written
  }
  // Both ways are taken, so that a rule which always chooses one of them is noticed.
  #expect(
    spliced > seeds.count / 2 && written > seeds.count / 2, "\(spliced) spliced, \(written) written anew")
}
