import TarnFileGroups
import TarnStorage
import TarnTimeline

/// Checks a table as a whole, without a change to it.
struct TableCheck: Sendable {
  let storage: any Storage
  let settings: TableSettings
  let reader: BaseFileReader

  /// How often a table is checked that changes while it is.
  private static let mostRuns = 5

  private var heads: HeadStore { HeadStore(storage, random: settings.random) }

  /// Checks the table, and again where it has changed meanwhile and something was found.
  ///
  /// - Throws: `conflict` where it changes each time.
  func run() async throws(TableError) -> [CheckFinding] {
    for _ in 0..<Self.mostRuns {
      let findings = try await tableErrors { try await look() }
      if let findings { return findings }
    }
    throw TableError(
      .conflict, "the table changes faster than it can be checked: check it again while less is written")
  }

  /// What one look finds; nil where something was found that a change meanwhile may explain.
  private func look() async throws -> [CheckFinding]? {
    let properties = try await TableProperties.load(from: storage)
    guard properties.type == .copyOnWrite else {
      throw TableError(
        .unsupported, "table \(properties.name) is merge-on-read: Tarn does not check such tables yet")
    }
    let head = try await heads.load()
    let listing = try await TimelineListing.load(from: storage)
    let timeline = listing.timeline
    let view = try await FileSystemView.load(from: storage, properties: properties, timeline: timeline)
    let survey = try await CommitSurvey(timeline, storage)
    let files = FileCheck(timeline: timeline, view: view, survey: survey, reader: reader)
    let wanted = files.archivedInstants.union(HeadCheck.absent(head, timeline))
    let archive = try await ArchiveSurvey(
      timeline, wanted: wanted, sequencesOf: epochWithGaps(head, survey), in: storage,
      folder: properties.archiveFolder)
    let (inFiles, readable) = try await files.slices(width: settings.parallelism)
    var findings: [CheckFinding] = survey.findings
    findings += archive.findings
    findings += HeadCheck(head, listing, survey, archive).findings
    if archive.isWhole { findings += SequenceGaps(head, survey, besides: archive.sequences).findings }
    findings += inFiles
    findings += files.orphans(archive)
    findings += try await DuplicateKeys.findings(
      in: readable, properties, timeline, reader, settings)
    let leftovers = LeftoverSearch(storage: storage, heads: heads, now: settings.now())
    findings += try await leftovers.findings(listing, head)
    let isSettled = try await isStill(head, timeline)
    return isSettled || findings.allSatisfy(\.isNote) ? findings : nil
  }

  /// The epoch of a head, where the timeline does not tell all of its sequences; nil where it does.
  private func epochWithGaps(_ head: FoundHead, _ survey: CommitSurvey) -> String? {
    guard case .head(let loaded) = head, !SequenceGaps(head, survey).ranges.isEmpty else { return nil }
    return loaded.head.epoch
  }

  /// Whether nothing was decided or done since.
  private func isStill(_ before: FoundHead, _ timeline: Timeline) async throws -> Bool {
    guard try await Timeline.load(from: storage) == timeline else { return false }
    switch (before, try await heads.load()) {
    case (.head(let one), .head(let two)): return one.tag == two.tag
    case (.none, .none): return true
    case (.damaged(_, let one), .damaged(_, let two)): return one == two
    default: return false
    }
  }
}
