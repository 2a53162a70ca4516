import Testing

/// The values that go from stage to stage of a write.
@Suite("Values of the stages") struct StageHeavyTests {
  /// The values of each stage, in the order in which a write makes them.
  private static let stages: [(folder: String, values: [String])] = [
    ("Tarn/Incoming", ["KeyedBatch", "IncomingBatch"]),
    ("Tarn/Lookup", ["CandidateSlices", "FileMatches", "LookupResult", "KnownDeletions", "FoundRows"]),
    ("Tarn/Decide", ["FileDecision", "MergedRows", "RowChanges", "ChosenFile"]),
    ("Tarn/Plan", ["WritePlan"]),
    ("TarnFileGroups/Format", ["FileGroupUpdate", "FileGroupCreation", "StoredRowChanges", "ChosenRows"]),
    ("TarnFileGroups/Write", ["WrittenFile"]),
    ("Tarn/Swap", ["WriteClaim", "CommitCandidate", "DecidedCommit"]),
  ]

  /// What no value holds: storages, caches, and what reads.
  private static let banned: Set = [
    "Storage", "FooterCache", "BaseFileReader", "ParquetFile", "LifeSigns", "LifeSign",
  ]

  /// The stored properties of a type, as their lines.
  private static func fields(of type: String, in files: [SourceFile]) throws -> [String] {
    let head = try Regex("^(package |public )?struct \(type)\\b.*\\{$")
    for file in files {
      guard let start = file.code.firstIndex(where: { $0.contains(head) }) else { continue }
      let body = file.code[(start + 1)...].prefix { $0 != "}" }
      return body.filter {
        $0.contains(
          /^  (package |private |public )?(private\(set\) |package private\(set\) )?(let|var) \w+[:= ]/)
          && !$0.contains(/\{/)
      }
    }
    return []
  }

  @Test("A value has eight fields at most, and holds no storage, no cache and no other stage's value")
  func valuesAreSmallAndPure() throws {
    let files = try TidyHeavyTests.sources()
    for (number, stage) in Self.stages.enumerated() {
      let here = files.filter { $0.path.hasPrefix("Sources/" + stage.folder + "/") }
      let others = Set(
        Self.stages.enumerated().filter { $0.offset != number && $0.element.folder.hasPrefix("Tarn/") }
          .flatMap(\.element.values))
      for value in stage.values {
        let fields = try Self.fields(of: value, in: here)
        #expect((1...8).contains(fields.count), "\(value): \(fields)")
        for field in fields {
          let names = Set(field.matches(of: /\b[A-Z]\w*/).map { String($0.output) })
          #expect(names.isDisjoint(with: Self.banned), "\(value): \(field)")
          #expect(names.isDisjoint(with: others), "\(value): \(field)")
        }
      }
    }
  }

  @Test("Each stage returns what it counted: no report and no counts are handed down")
  func countsAreReturned() throws {
    #expect(try TidyHeavyTests.matches(/inout (?:CommitReport|RowCounts)\b/) == [])
  }
}
