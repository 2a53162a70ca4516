import Tarn
import TarnTestSupport
import TarnTimeline
import Testing

/// Names that look alike, and names that are no text.
@Suite struct ExactPathTests {
  @Test func partitionsThatLookAlikeStayApart() async throws {
    let fixture = try await TableFixture()
    let composed = "caf\u{e9}"
    let combined = "cafe\u{301}"
    #expect(composed == combined)
    let trades = [Trade("1", 1, composed), Trade("2", 1, combined), Trade("1", 1, combined)]
    let first = try await fixture.table.upsert(try Trade.batch(trades))
    #expect(first.inserted == 3)
    let again = try await fixture.table.upsert(try Trade.batch(trades))
    #expect(again.duplicates == 3)
    #expect(again.instant == nil)
    let folders = try await fixture.table.snapshot().slices.map { Array($0.partitionPath.utf8) }
    #expect(Set(folders) == [Array("exchange=\(composed)".utf8), Array("exchange=\(combined)".utf8)])
  }

  @Test func keysAndPartitionsThatAreNotUTF8AreRefused() async throws {
    let fixture = try await TableFixture()
    for column in [0, 2] {
      var batch = try Trade.batch([Trade("1", 1, "OKX")])
      var strings = ByteStrings()
      try strings.appendBuilt { $0 += [0xff, 0xfe] }
      batch.columns[column] = try Column(type: .string, values: .bytes(strings))
      let rows = batch
      await #expect {
        try await fixture.table.upsert(rows)
      } throws: { ($0 as? TableError)?.code == .badRow && "\($0)".contains("UTF-8") }
    }
    #expect(try await fixture.rows().isEmpty)
  }

  @Test func columnsThatDifferOnlyInCaseAreRefused() async throws {
    let schema = Schema(Trade.schema.fields + [Field("ID", .string)])
    await #expect { _ = try await TableFixture(schema: schema) } throws: {
      ($0 as? TableError)?.code == .mismatch
    }
    let fixture = try await TableFixture()
    var batch = try Trade.batch([Trade("1", 1, "OKX")])
    batch.schema.fields[4].name = "NOTE"
    let rows = batch
    await #expect { try await fixture.table.upsert(rows) } throws: {
      ($0 as? TableError)?.code == .mismatch && "\($0)".contains("NOTE")
    }
  }
}
