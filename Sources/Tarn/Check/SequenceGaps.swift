import TarnTimeline

/// Sequences of a head's epoch that no commit has of which anything is known, between those that are on the timeline.
struct SequenceGaps: Sendable {
  /// The sequences.
  let ranges: [ClosedRange<Int64>]

  /// Gaps that are told one by one.
  private static let mostTold = 10

  /// Looks for gaps.
  ///
  /// - Parameter archived: Sequences that archived commits tell.
  init(_ head: FoundHead, _ survey: CommitSurvey, besides archived: Set<Int64> = []) {
    // One of those that cannot be read may have it.
    guard case .head(let loaded) = head, survey.silent.isEmpty else {
      ranges = []
      return
    }
    let epoch = loaded.head.epoch
    let told = survey.sequences.filter { $0.epoch == epoch }.map(\.sequence)
    let remembered = loaded.head.recent.map(\.sequence)
    guard let first = (told + remembered).min() else {
      ranges = []
      return
    }
    let known = archived.union(told).union(remembered).filter { $0 >= first }.sorted()
    ranges = zip(known, known.dropFirst()).filter { $0.0 + 1 < $0.1 }.map { $0.0 + 1...$0.1 - 1 }
  }

  var findings: [CheckFinding] {
    var findings = ranges.prefix(Self.mostTold).map { range in
      let which =
        range.count == 1
        ? "decision \(range.lowerBound) is" : "decisions \(range.lowerBound) to \(range.upperBound) are"
      return CheckFinding(
        .head, HeadStore.path,
        "\(which) of no commit on the timeline or in the archive: its file was removed or changed")
    }
    if ranges.count > Self.mostTold {
      findings.append(
        CheckFinding(
          .head, HeadStore.path, "its sequence has \(ranges.count - Self.mostTold) more gaps"))
    }
    return findings
  }
}
