import TarnTimeline
import Testing

@Suite struct InstantTests {
  @Test func timesBecomeDigitsAndComeBack() {
    // 2026-01-02T03:04:05.678Z
    let time: Int64 = 1_767_323_045_678_000
    #expect(Instant(microseconds: time).text == "20260102030405678")
    #expect(Instant(microseconds: time + 999).text == "20260102030405678")
    #expect(Instant("20260102030405678")?.microseconds == time)
    #expect(Instant("20260102030405")?.microseconds == time - 678_000)
    #expect(Instant(microseconds: -1).text == "19691231235959999")
    #expect(Instant(microseconds: .max).text == "99991231235959999")
    #expect(Instant(microseconds: .min).text == "00000101000000000")
  }

  @Test(arguments: [
    "", "2026", "2026010203040567", "202601020304056789", "2026010203040x", "２０２６０１０２０３０４０５",
    "+2026010203040",
  ])
  func otherTextIsNoInstant(_ text: String) {
    #expect(Instant(text) == nil)
  }

  @Test func instantsCompareAsTheirTexts() throws {
    let texts = [
      "00000000000000", "00000000000000000", "20251231235959999", "20260102030405", "20260102030405000",
      "20260102030405001", "20260102030406", "99999999999999999",
    ]
    let instants = try texts.map { try #require(Instant($0)) }
    for (left, a) in zip(texts, instants) {
      #expect(a.text == left)
      for (right, b) in zip(texts, instants) {
        #expect((a < b) == (left < right))
        #expect((a == b) == (left == right))
      }
    }
  }

  @Test(
    arguments: [
      ("20260102030405678", "20260102030405678"), ("20260102030405", "20260102030405"),
      ("2026-01-02T03:04:05.678901Z", "20260102030405678"), ("2026-01-02 03:04:05", "20260102030405000"),
      ("2026-01-02T03:04:05+02:00", "20260102010405000"), ("2026-01-02", "20260102000000000"),
    ]) func userTextIsTaken(_ text: String, _ digits: String)
  {
    #expect(Instant.parse(text)?.text == digits)
  }

  @Test func newInstantsAreAfterTheLatest() throws {
    let now: Int64 = 1_767_323_045_678_000
    #expect(Instant.after(latest: nil, now: now).text == "20260102030405678")
    #expect(Instant.after(latest: Instant("20260102030405677"), now: now).text == "20260102030405678")
    #expect(Instant.after(latest: Instant("20260102030405678"), now: now).text == "20260102030405679")
    #expect(Instant.after(latest: Instant("20261231235959999"), now: now).text == "20270101000000000")
    #expect(Instant.after(latest: Instant("20270101000000"), now: now).text == "20270101000000001")
    #expect(Instant.after(latest: Instant("20269999000000000"), now: now).text == "20269999000000001")
  }
}
