import TarnAvro
import TarnBytes
import TarnStorage
import TarnTimeline

/// Finds out which commits are taken back, and whether what is left is whole.
struct RestorePlanner: Sendable {
  let storage: any Storage
  let properties: TableProperties
  let timeline: Timeline
  /// What other engines are about to remove.
  let cleans: PendingCleans

  /// What is taken back.
  enum Goal: Sendable {
    /// All commits behind one.
    case restore(to: Instant)
    /// The latest commit, which is this one.
    case rollback(of: Instant)

    /// As it is told of.
    var service: ServiceWork.Service { if case .restore = self { .restore } else { .rollback } }

    /// What is to be done, for people.
    var text: String {
      switch self {
      case .restore(let target): "a restore to \(target.text)"
      case .rollback(let commit): "a rollback of commit \(commit.text)"
      }
    }
  }

  /// The commits that are taken back, the newest first, with the base files of each; none where there is nothing to do.
  ///
  /// - Returns: The commit that is the latest then, the commits, and the bytes of their files.
  func plan(
    _ goal: Goal
  ) async throws(TableError) -> (target: Instant?, commits: [RetractedCommit], bytes: Int) {
    try PendingServices(timeline).check(goal.text, [.rollback, .restore])
    let target = try target(goal)
    let later = Array(timeline.commits(after: target).reversed())
    guard !later.isEmpty else { return (target, [], 0) }
    try check(later, goal)
    let (files, bytes) = try await files(of: Set(later.map(\.instant)), goal, leaving: target)
    return (target, later.map { RetractedCommit($0, files[$0.instant] ?? []) }, bytes)
  }

  /// The commit that is the latest then; nil where none is left.
  private func target(_ goal: Goal) throws(TableError) -> Instant? {
    let services = PendingServices(timeline)
    let target: Instant?
    switch goal {
    case .restore(let commit):
      try services.checkStands(commit, "a restore to the table as")
      target = commit
    case .rollback(let commit):
      try services.checkStands(commit, "a rollback")
      let later = timeline.commits(after: commit)
      if let next = later.first {
        throw TableError(
          .conflict,
          "commit \(commit.text) is not the latest: \(later.count) commits stand on it, the first of them \(next.instant.text); "
            + "roll those back before it, the newest first, or restore the table to a commit before it",
          path: next.path)
      }
      target = timeline.completedCommits.last { $0.instant < commit }?.instant
    }
    return target
  }

  /// Checks that commits may be taken back: no savepoint holds them, and they are such as Tarn knows.
  private func check(_ commits: [TimelineEntry], _ goal: Goal) throws(TableError) {
    let instants = Set(commits.map(\.instant))
    if let saved = timeline.entries.last(where: { $0.action == .savepoint && instants.contains($0.instant) })
    {
      throw TableError(
        .conflict,
        "\(goal.text) is refused: savepoint \(saved.instant.text) holds a commit that would be taken back; delete it before "
          + "(tarn savepoint --delete)", path: saved.path)
    }
    if let other = commits.first(where: { $0.action.completed == .deltacommit }) {
      throw TableError(
        .unsupported,
        "\(other.path): \(goal.text) would take back a \(other.action.rawValue), which Tarn does not do yet",
        path: other.path)
    }
  }

  /// The base files of commits, once it is found that what is left is whole.
  private func files(
    of commits: Set<Instant>, _ goal: Goal, leaving target: Instant?
  ) async throws(TableError) -> ([Instant: [String]], bytes: Int) {
    try await tableErrors {
      let view = try await cleans.view(properties, timeline)
      try checkBegin(view, commits, goal, leaving: target)
      if let target {
        let removed = RemovedVersions(properties, timeline, storage)
        let gone = try await removed.missing(asOf: target, in: view, isExact: true) { _ in true }
        if let gone { throw removed.refusal(target, gone, goal.text) }
        try await checkSavepoint(target, view, removed, goal)
      }
      var files: [Instant: [String]] = [:]
      var bytes = 0
      for partition in view.partitions {
        for file in partition.baseFiles where commits.contains(file.name.instant) {
          files[file.name.instant, default: []].append(file.path)
          bytes += file.size
        }
      }
      return (files, bytes)
    }
  }

  /// Checks that what belongs to commits that were archived is behind none that is left, and is seen without those that go:
  /// the older files are, where they lie before the timeline's begin.
  private func checkBegin(
    _ view: FileSystemView, _ commits: Set<Instant>, _ goal: Goal, leaving target: Instant?
  ) throws(TableError) {
    let left = Timeline(timeline.entries.filter { !commits.contains($0.instant) })
    for file in view.partitions.flatMap(\.baseFiles)
    where timeline.isVisible(file.name.instant) && !commits.contains(file.name.instant) {
      let isLater = target.map { file.name.instant > $0 } ?? true
      guard isLater || !left.isVisible(file.name.instant) else { continue }
      throw TableError(
        .unsupported,
        "\(goal.text) is refused: \(file.path) is of a commit that was archived, and "
          + (isLater
            ? "would not go with those behind it"
            : "would be hidden, since only commits are left that savepoints hold: delete these before it"),
        path: file.path)
    }
  }

  /// Checks that the files are there which a savepoint says that it holds.
  private func checkSavepoint(
    _ target: Instant, _ view: FileSystemView, _ removed: RemovedVersions, _ goal: Goal
  ) async throws {
    guard
      let entry = timeline.entries.first(where: {
        $0.instant == target && $0.action == .savepoint && $0.state == .completed
      })
    else { return }
    let held: [String]
    let bytes = try await storage.readAll(entry.path)
    do throws(AvroError) { held = try SavepointMetadata(avro: bytes).paths } catch {
      throw TableError(
        .damaged,
        "\(entry.path): it does not tell what the savepoint holds, so that \(goal.text) is refused: "
          + error.description, path: entry.path)
    }
    let present = Set(view.partitions.flatMap { $0.baseFiles.map { ExactText($0.path) } })
    guard let gone = held.first(where: { BaseFileName(path: $0) != nil && !present.contains(ExactText($0)) })
    else { return }
    throw removed.refusal(target, gone, goal.text)
  }
}
