import TarnStorage
import TarnTimeline

/// What the archived timeline tells, read through once.
struct ArchiveSurvey: Sendable {
  /// Those of the instants that were asked for which were completed and archived.
  private(set) var found: Set<Instant> = []
  /// The greatest archived commit that is not on the timeline any more.
  private(set) var newestGone: Instant?
  /// The sequences that archived commits of the epoch tell which was asked for.
  private(set) var sequences: Set<Int64> = []
  /// Whether all of it could be read.
  private(set) var isWhole = true
  private(set) var findings: [CheckFinding] = []

  /// Reads the archive.
  ///
  /// - Parameters:
  ///   - folder: Where the table's properties say that it lies.
  ///   - wanted: The instants that are asked for.
  ///   - epoch: The epoch whose sequences are asked for; nil for none.
  init(
    _ timeline: Timeline, wanted: Set<Instant>, sequencesOf epoch: String?, in storage: any Storage,
    folder: String
  ) async throws(TimelineError) {
    let active = Set(timeline.entries.filter(\.action.writesData).map(\.instant))
    let archive = try await ArchivedTimeline.load(from: storage, folder: folder)
    do throws(TimelineError) { try await read(archive, active, wanted, epoch) } catch {
      guard error.code == .damaged || error.code == .unsupported else { throw error }
      isWhole = false
      findings.append(CheckFinding(.damaged, error.path, "the archive cannot be read: \(error.message)"))
    }
    guard let last = newestGone else { return }
    // What only a savepoint holds back does not count as the timeline's beginning.
    let held = Set(timeline.entries.filter { $0.action == .savepoint }.map(\.instant))
    for entry in timeline.entries where entry.action.writesData && entry.instant < last {
      if held.contains(entry.instant) { continue }
      findings.append(
        CheckFinding(
          .timeline, entry.path,
          "it lies before commit \(last.text), which is archived: the timeline would begin with it, and hide rows of "
            + "commits in between"))
    }
  }

  private mutating func read(
    _ archive: ArchivedTimeline, _ active: Set<Instant>, _ wanted: Set<Instant>, _ epoch: String?
  ) async throws(TimelineError) {
    var entries = archive.entries()
    while let entry = try await entries.next(where: { $0.state == .completed && $0.action.writesData }) {
      let instant = entry.entry.instant
      if wanted.contains(instant) || active.contains(instant) { found.insert(instant) }
      if !active.contains(instant) { newestGone = newestGone.map { max($0, instant) } ?? instant }
      guard let epoch, let extra = try entry.metadata()?.extra,
        let position = extra[CommitMetadata.positionKey].flatMap({ TablePosition($0) }),
        position.epoch == epoch
      else { continue }
      sequences.formUnion(CommitSurvey.sequences(position, extra).map(\.sequence))
    }
  }
}
