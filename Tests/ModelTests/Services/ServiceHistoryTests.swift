import TarnTestSupport
import Testing

/// Random histories of writes and services by several writers, some of which die, fail, or meet one another; a failure names
/// its seed, which `ServiceRun` repeats.
@Suite struct ServiceHistoryTests {
  @Test(arguments: 0..<4)
  func aFewHistoriesWithServicesAreAsTheModelHasThem(block: UInt64) async throws {
    for seed in block * 2..<(block + 1) * 2 {
      var run = try await ServiceRun(seed: 40_000 + seed)
      try await run.run(steps: 12)
    }
  }
}

@Suite struct ServiceHistoryHeavyTests {
  /// Histories of a block: 3,000 of all of them in a long run, else 4.
  private static let histories: UInt64 = TestWorld.isLong ? 750 : 1

  @Test(arguments: 0..<4)
  func randomHistoriesWithServicesAreAsTheModelHasThem(block: UInt64) async throws {
    var counts: [String: Int] = [:]
    for seed in block * 1_000..<block * 1_000 + Self.histories {
      var run = try await ServiceRun(seed: 50_000 + seed)
      try await run.run(steps: 60)
      counts.merge(run.counts, uniquingKeysWith: +)
    }
    // A choice that never comes is noticed; one history does not have all of them.
    let missing = Self.deeds.filter { counts[$0, default: 0] == 0 }
    #expect(missing.count <= (TestWorld.isLong ? 0 : Self.deeds.count / 2), "\(missing): \(counts)")
  }

  private static let deeds = [
    "write", "truncate", "delete partitions", "overwrite table", "overwrite partitions", "cluster",
    "cluster sorted", "cluster z-order", "cleaned", "archived", "savepoint", "delete savepoint", "restore",
    "rollback", "died", "failed", "met", "read back", "cleaned away",
  ]
}
