import Foundation
import Tarn
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// What dead writers leave that is no commit: requests and temporaries.
@Suite struct LeftoverTests {
  private static let day: Int64 = 24 * 3_600 * 1_000_000
  /// The begin of the tests' clock.
  private static let start: Int64 = 1_767_225_600_000_000

  @Test(arguments: [(age: day / 2, stays: true), (age: day * 2, stays: false)])
  func aRequestWithoutInflightHindersNothingAndGoesAfterADay(age: Int64, stays: Bool) async throws {
    let clock = StillClock(at: Self.start - age)
    let storage = InMemoryStorage(clock: { clock.now() })
    let workload = Workload(storage: storage)
    try await workload.take(0)
    try await workload.take(1)
    // Of a process killed between the two files, or of another engine; it may lie ahead of the clock.
    let request = ".hoodie/20260101000500000.commit.requested"
    try await storage.put([], at: request, if: .ifAbsent)
    clock.advance(seconds: age / 1_000_000)
    for step in 2..<Workload.allSteps { try await workload.take(step) }
    #expect(try await storage.exists(request) == stays)
    #expect(try await workload.objection(after: Workload.allSteps, leavesNothing: true) == nil)
    let commits = try await workload.open().timeline().completedCommits
    #expect(commits.map(\.instant) == commits.map(\.instant).sorted())
  }

  @Test func temporariesOfAKilledProcessGoWhenTheyAreOldAndOtherFilesStay() async throws {
    try await TestWorld.withTemporaryFolder { folder in
      let storage = LocalStorage(root: folder, synchronizes: false)
      let workload = Workload(storage: storage)
      try await workload.take(0)
      let temporaries = folder + "/" + storage.scratch
      let old = temporaries + "/" + LocalStorage.temporaryPrefix + "1"
      let young = temporaries + "/" + LocalStorage.temporaryPrefix + "2"
      let foreign = temporaries + "/20250101000000000"
      for file in [old, young, foreign] { try Data([1]).write(to: URL(fileURLWithPath: file)) }
      // By the tests' clock one is an hour old, the other a minute.
      for (file, seconds) in [(old, -3_600.0), (foreign, -3_600), (young, -60)] {
        let time = Date(timeIntervalSince1970: Double(Self.start / 1_000_000) + seconds)
        try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: file)
      }
      try await workload.take(1)
      #expect(!FileManager.default.fileExists(atPath: old))
      #expect(FileManager.default.fileExists(atPath: young))
      #expect(FileManager.default.fileExists(atPath: foreign))
      #expect(try await workload.objection(after: 2, leavesNothing: true) == nil)
    }
  }
}
