import Tarn
import TarnAWS
import TarnS3
import TarnS3TestSupport
import TarnTestSupport
import Testing

/// Random histories in a bucket of a real server, behind a proxy that spoils some of the requests.
@Suite("Random histories over a faulty network") struct ModelFaultTests {
  @Test("They end as the model has them, and nothing is lost", arguments: 0..<(TestWorld.isLong ? 40 : 4))
  func historiesOverAFaultyNetwork(seed: UInt64) async throws {
    let server = try await RealServer()
    let port = try #require(server.endpoint.split(separator: ":").last.flatMap { Int($0) })
    let faults = RandomFaults(seed: seed, rarity: 15)
    let proxy = try FaultProxy(toPort: port) { faults.next($0) }
    defer { proxy.stop() }
    let client = try S3Client(
      server.options { options in
        options.endpoint = proxy.url
        options.http = HTTPClient()
        options.timeouts.stall = .seconds(5)
        // Nobody need wait long for a server that is made to fail.
        options.world.sleep = { try await Task.sleep(for: min($0, .milliseconds(20))) }
      })
    let location = try TableLocation.s3(try server.location().description, client: client)
    var run = try await ModelRun(seed: 1_000 + seed, at: location, isFaulty: true)
    try await run.run(steps: 5)
    #expect(try await run.table.check().isEmpty)
    #expect(faults.counts.values.reduce(0, +) > 10, "\(faults.counts)")
  }
}
