import TarnTimeline
import Testing

/// Heads as bytes, which may come from anywhere.
@Suite struct HeadTests {
  private static let instant = TimelineTests.instant(10)

  private static func head(content: String) -> Head {
    var head = Head(epoch: "ab", sequence: 3, mark: "00")
    head.append(RecentDecision(sequence: 4, instant, files: ["p/a"], schema: "1f"))
    head.named = [NamedDecision(instant, sequence: 4, .commit(content: content))]
    return head
  }

  @Test func itComesBack() throws {
    let head = Self.head(content: DecisionContent(Self.instant, mark: "7f").path)
    let read = try Head(parsing: head.bytes)
    #expect(read.named == head.named && read.recent == head.recent && read.position == head.position)
  }

  @Test func eachKindOfDecisionComesBack() throws {
    func content(_ mark: String) -> String { DecisionContent(Self.instant, mark: mark).path }
    let contents = ServiceContents(plan: content("1"), inflight: content("2"), completed: content("3"))
    var plain = contents
    plain.plan = nil
    let other = TimelineTests.instant(5)
    let kinds: [NamedDecision.Kind] = [
      .rollback(of: other, contents), .clean(contents), .savepoint(of: other, plain),
      .savepointDeletion(of: other), .restore(to: other, contents), .commitRollback(of: other, contents),
    ]
    var head = Self.head(content: content("7f"))
    head.named += kinds.map { NamedDecision(Self.instant, sequence: nil, $0) }
    head.note(DeletedSavepoint(other, at: Self.instant))
    let notes = [
      head.note("gone", RetainedReader("gone", from: other, expiry: 5), at: 4),
      head.note("job", RetainedReader("job", from: other, expiry: 9), at: 5),
      head.note("r\"", RetainedReader("r\"", from: Self.instant, expiry: nil), at: 5),
    ]
    #expect(notes == [true, true, true])
    #expect(head.earliestReader(at: 8)?.name == "job" && head.earliestReader(at: 9)?.name == "r\"")
    let read = try Head(parsing: head.bytes)
    #expect(read.named == head.named && read.deletedSavepoints == head.deletedSavepoints)
    #expect(read.readers == head.readers && read.readers.count == 2)
    // A build that does not know of readers would forget them.
    #expect(String(decoding: head.bytes, as: UTF8.self).contains(#""format":2"#))
    #expect(String(decoding: Self.head(content: content("7f")).bytes, as: UTF8.self).contains(#""format":1"#))
    #expect(read.named.map(\.contents) == head.named.map(\.contents))
    // Without a plan there is nothing that could be carried out.
    head.named = [NamedDecision(Self.instant, sequence: nil, .restore(to: other, plain))]
    #expect(throws: HeadError.self) { try Head(parsing: head.bytes) }
  }

  @Test func whatIsKnownOfTheStorageComesBackWhereThereIsAny() throws {
    var head = Self.head(content: DecisionContent(Self.instant, mark: "7f").path)
    #expect(try Head(parsing: head.bytes).findings == nil)
    #expect(!String(decoding: head.bytes, as: UTF8.self).contains("storage"))
    head.findings = #"[{"a":"b\"c"}]"#
    #expect(try Head(parsing: head.bytes).findings == head.findings)
  }

  @Test(arguments: ["exchange=OKX/a.parquet", ".hoodie/hoodie.properties", "../x", ""])
  func itNamesNoOtherFileThanAContent(path: String) {
    #expect(throws: HeadError.self) { try Head(parsing: Self.head(content: path).bytes) }
  }

  @Test func noCutOrChangedByteTraps() throws {
    let bytes = Self.head(content: DecisionContent(Self.instant, mark: "7f").path).bytes
    for index in bytes.indices {
      _ = try? Head(parsing: Array(bytes[..<index]))
      var other = bytes
      other[index] ^= 0x15
      if var head = try? Head(parsing: other) {
        head.append(RecentDecision(sequence: head.sequence + 1, Self.instant, files: nil, schema: nil))
      }
    }
  }
}
