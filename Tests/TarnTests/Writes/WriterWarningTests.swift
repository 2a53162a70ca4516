import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// What a writer is told of a table that is dangerous to write, and writes all the same.
@Suite struct WriterWarningTests {
  @Test func aLatestInstantFarAheadIsToldAtEachWrite() async throws {
    let fixture = try await TableFixture()
    try await fixture.upsert(Trade("a", 1, "OKX", 1))
    #expect(fixture.warnings.all.isEmpty)
    // As another writer whose clock is a year ahead.
    let now = try #require(Instant("20270101000000000"))
    let files = InstantFiles(now)
    for path in [files.requested.path, files.inflight.path] {
      try await fixture.storage.put([], at: path, if: .always)
    }
    try await fixture.storage.put(
      CommitMetadata(operation: .upsert).bytes(), at: files.completed.path, if: .always)
    for number in 1...2 {
      let report = try await fixture.upsert(Trade("a", Int64(number + 1), "OKX", 1))
      #expect(try #require(report.instant) > now)
      #expect(fixture.warnings.all.count == number)
      #expect(fixture.warnings.all.last?.contains("lies more than a day ahead of the clock") == true)
    }
    #expect(try await fixture.rows().count == 1)
  }

  @Test(arguments: [
    ("hoodie.write.concurrency.mode", "single_writer", "OPTIMISTIC_CONCURRENCY_CONTROL"),
    ("hoodie.cleaner.policy.failed.writes", "EAGER", "LAZY"),
    ("hoodie.clean.failed.writes.policy", "EAGER", "LAZY"),
  ])
  func propertiesByWhichSparkWouldUndoAttemptsAreTold(key: String, bad: String, good: String) async throws {
    let fixture = try await TableFixture()
    for (value, isTold) in [(good, false), (bad, true)] {
      try await TableProperties.change(in: fixture.storage, now: 0) { properties in
        properties.entries[key] = value
        return true
      }
      try await fixture.upsert(Trade("a", 1, "OKX", 1))
      #expect(fixture.warnings.all.contains { $0.contains("\(key)=\(value)") } == isTold)
    }
  }
}
