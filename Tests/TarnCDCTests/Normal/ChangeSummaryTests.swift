import TarnBytes
import TarnCDC
import Testing

@Suite("What change records tell of a stream")
struct ChangeSummaryTests {
  private func summary(
    _ text: String, table: String? = nil, shape: ChangeShape? = nil
  ) async throws -> ChangeSummary {
    var summary = ChangeSummary(table: table, shape: shape)
    let rejected = try await readAll(text, into: &summary)
    #expect(summary.rejected == rejected.count)
    return summary
  }

  @Test("Kinds, times, attributes and their types are counted")
  func counts() async throws {
    let text = """
      \(change("INSERT", id: "1", new: #""n":{"N":"1"},"x\u0061":{"SS":["a"]}"#, time: 1_700_000_000_000_002))
      \(change("MODIFY", id: "1", new: #""n":{"S":"one"},"xa":{"NULL":true}"#, time: 1_700_000_000_000_001))
      \(change("REMOVE", id: "1", time: 1_700_000_000_000_003))
      {"eventName":"REMOVE","userIdentity":{"principalId":"dynamodb.amazonaws.com"},"dynamodb":{"Keys":{"id":{"S":"2"}},"OldImage":{"id":{"S":"2"},"m":{"M":{}},"l":{"L":[]}}}}
      {"Op":"I","id":"3","n":1.5,"m":{"a":1},"l":[true]}
      {"eventName":"INSERT","dynamodb":{}}
      """
    let found = try await summary(text)
    #expect(found.count == 5 && found.rejected == 1 && found.expiries == 1)
    #expect(found.kinds == [.insert: 2, .modify: 1, .remove: 2])
    #expect(found.shapes == [.dynamodb: 4, .dms: 1])
    #expect(found.times == 1_700_000_000_000_001...1_700_000_000_000_003)
    #expect(found.late == 1 && found.withoutTime == 2 && found.precisions == [.microsecond: 3])
    #expect(found.withoutTable == 5 && found.tables.isEmpty)
    let told = found.attributes.map { attribute in
      let types = AttributeTag.allCases.filter { attribute.types[$0.rawValue] > 0 }
        .map { "\($0.name)\(attribute.types[$0.rawValue])" }
      return
        "\(attribute.name)\(attribute.isKey ? "!" : "") \(attribute.count) \(types.joined(separator: " "))"
    }
    #expect(told == ["id! 5 S5", "n 3 S1 N2", "xa 2 NULL1 SS1", "m 2 M2", "l 2 L2"])
  }

  @Test("Tables are counted, and one alone can be chosen")
  func tables() async throws {
    let records = ["A", "B", "A"].enumerated().map { index, table in
      #"{"eventName":"REMOVE","tableName":"\#(table)","dynamodb":{"Keys":{"id":{"N":"\#(index)"}}}}"#
    }
    let all = try await summary(records.joined())
    #expect(all.tables.map(\.name) == ["A", "B"] && all.tables.map(\.count) == [2, 1])
    let one = try await summary(records.joined(), table: "B")
    #expect(one.count == 1 && one.otherTables == 2 && one.rejected == 0)
    // What does not say its table cannot be told from others.
    let mixed = try await summary(records[0] + change("REMOVE"), table: "A")
    #expect(mixed.count == 1 && mixed.rejected == 1)
  }

  @Test("The same change again is a duplicate, whatever carried it; another one of the same second is not")
  func duplicates() async throws {
    let again = change("MODIFY", new: #""n":{"N":"1"}"#)
    let other = again.replacing("\"eventID\":\"e1\"", with: "\"eventID\":\"other\"")
    let carried = """
      {"kinesis":{"data":"\(Base64.encode(Array(again.utf8)))","sequenceNumber":"123"}}
      """
    let found = try await summary([again, other, change("MODIFY", new: #""n":{"N":"2"}"#), carried].joined())
    #expect(found.count == 4 && found.duplicates == 2 && found.comparedAll)
    func second(_ number: Int) -> String {
      #"{"eventName":"MODIFY","dynamodb":{"ApproximateCreationDateTime":1700000000,"SequenceNumber":"\#(number)","Keys":{"id":{"S":"a"}},"NewImage":{"id":{"S":"a"}}}}"#
    }
    #expect(try await summary(second(1) + second(2) + second(1)).duplicates == 1)
  }

  @Test("Many duplicates are all found")
  func manyDuplicates() async throws {
    // More than the first tables hold, so that they grow.
    let texts = (0..<3_000).map { change("REMOVE", id: "\($0)") }
    let found = try await summary(texts.joined() + texts.joined())
    #expect(found.count == 6_000 && found.duplicates == 3_000 && found.comparedAll)
  }
}
