import Tarn
import TarnStorage
import TarnTestSupport
import Testing

@Suite struct FullDiskTests {
  @Test func aFullDiskLeavesTheRowsAsTheyWereAndIsNamedWhereverItStrikes() async throws {
    var call = 0
    var hasFailed = true
    while hasFailed {
      call += 1
      let inner = InMemoryStorage()
      let fixture = try await TableFixture(storage: inner)
      try await fixture.upsert(Trade("a", 1, "OKX", 1, "first"), Trade("b", 1, "Kraken", 2, nil))
      let before = try await fixture.rows()
      let full = FaultStorage(wrapping: inner, crashAtCall: call, code: .noSpace, staysDown: false)
      do {
        let table = try await Table.open(
          at: .storage(full, name: "trades"), settings: TableFixture.settings(Collected()))
        _ = try await table.upsert(
          try Trade.batch([Trade("a", 2, "OKX", 3, "second"), Trade("c", 2, "OKX", 4, nil)]))
        #expect(try await fixture.rows().count == 3, "call \(call)")
      } catch {
        let text = "\(error)"
        #expect(!text.contains("\n"), "call \(call): \(text)")
        #expect(text.contains(".hoodie") || text.contains("exchange="), "call \(call): \(text)")
        #expect(try await fixture.rows() == before, "call \(call): \(text)")
      }
      hasFailed = full.hasFailed
    }
    #expect(call > 10)
  }
}
