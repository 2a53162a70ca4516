import TarnBytes
import TarnStorage
import TarnTimeline

/// What commits after an instant did to file groups, as the timeline tells it, and the archive where it must be asked.
struct VersionHistory: Sendable {
  private let properties: TableProperties
  private let timeline: Timeline
  private let storage: any Storage
  private let instant: Instant
  /// What commits wrote in a partition: of each file group the version before.
  private var written: [PartitionVersion: [String: String?]] = [:]
  /// The file groups that commits began, by partition; nil where that was not asked yet.
  private var begun: [ExactText: Set<String>]?
  /// What the archive tells; nil where it was not asked yet.
  private var archived: Archived?

  private struct PartitionVersion: Hashable {
    let partition: ExactText
    let instant: Instant
  }

  private struct Archived {
    /// The file groups that archived commits began, by partition.
    var begun: [ExactText: Set<String>] = [:]
    /// The file groups that archived commits replaced.
    var replaced: [(partition: String, groups: [String])] = []
  }

  init(
    _ properties: TableProperties, _ timeline: Timeline, _ storage: any Storage, after instant: Instant
  ) {
    self.properties = properties
    self.timeline = timeline
    self.storage = storage
    self.instant = instant
  }

  /// Which version a file group had, as far as timeline and archive tell.
  enum Version {
    /// It began later.
    case none
    case at(Instant)
    case unknown
  }

  /// Which version a file group had as of the instant, by what commits say of the versions that came then.
  ///
  /// - Parameter file: One of its versions, which came after it.
  mutating func version(before file: BaseFileName, _ partition: String) async throws -> Version {
    var version = file.instant
    while version > instant {
      guard let entry = timeline.completedCommits.first(where: { $0.instant == version }) else {
        let isNew = try await fromArchive().begun[ExactText(partition)]?.contains(file.fileID) ?? false
        return isNew ? .none : .unknown
      }
      guard let before = try await files(of: entry, in: partition)[file.fileID] else { return .unknown }
      guard let text = before else { return .none }
      guard let previous = Instant(text), previous < version else { return .unknown }
      version = previous
    }
    return .at(version)
  }

  /// The last version that a file group got until the instant behind one of its versions, as far as timeline and archive tell;
  /// nil where there was none.
  mutating func version(behind file: BaseFileName, _ partition: String) async throws -> Instant? {
    for entry in timeline.commits(after: file.instant, through: instant).reversed()
    where try await files(of: entry, in: partition)[file.fileID] != nil {
      return entry.instant
    }
    guard !timeline.begins(before: file.instant) else { return nil }
    let archive = try await ArchivedTimeline.load(from: storage, folder: properties.archiveFolder)
    var walk = archive.walk(downTo: file.instant)
    let instants = (after: file.instant, through: instant)
    var last: Instant?
    while let entry = try await walk.next(where: {
      $0.instant > instants.after && $0.instant <= instants.through && $0.state == .completed
        && $0.action.writesData
    }) {
      let files = try entry.metadata()?.partitions.pairs.filter { ExactText($0.key) == ExactText(partition) }
      let isWritten = files?.contains { $0.value.contains { $0.fileID == file.fileID } } ?? false
      // A file of the archive is read from its oldest entry on.
      if isWritten { last = max(last ?? entry.entry.instant, entry.entry.instant) }
    }
    return last
  }

  /// What a commit on the timeline wrote in a partition: of each file group the version before.
  private mutating func files(
    of entry: TimelineEntry, in partition: String
  ) async throws -> [String: String?] {
    let key = PartitionVersion(partition: ExactText(partition), instant: entry.instant)
    if let known = written[key] { return known }
    let files = try await CommitLog(storage).document(of: entry).files { ExactText($0) == key.partition }
    let found = Dictionary(
      files.map { ($0.file.fileID, $0.file.previousCommit) }, uniquingKeysWith: { first, _ in first })
    written[key] = found
    return found
  }

  /// Whether a file group that is gone began after the instant.
  mutating func beganLater(_ group: String, _ partition: String) async throws -> Bool {
    if begun == nil {
      var found: [ExactText: Set<String>] = [:]
      for entry in timeline.commits(after: instant) {
        for (partition, files) in try await CommitLog(storage).metadata(of: entry).partitions.pairs {
          let new = files.filter { $0.previousCommit == nil }.map(\.fileID)
          if !new.isEmpty { found[ExactText(partition), default: []].formUnion(new) }
        }
      }
      if !timeline.begins(before: instant) {
        for (partition, groups) in try await fromArchive().begun {
          found[partition, default: []].formUnion(groups)
        }
      }
      begun = found
    }
    return begun?[ExactText(partition)]?.contains(group) ?? false
  }

  /// The file groups that were replaced since the instant, by partition.
  mutating func replaced() async throws -> [(partition: String, groups: [String])] {
    var found: [(partition: String, groups: [String])] = []
    for entry in timeline.commits(after: instant) where entry.action.completed == .replacecommit {
      found += (try await CommitLog(storage).metadata(of: entry).replaced?.pairs ?? []).map {
        ($0.key, $0.value)
      }
    }
    return timeline.begins(before: instant) ? found : try await fromArchive().replaced + found
  }

  /// What the archive tells of commits after the instant; it is read once, entry by entry.
  private mutating func fromArchive() async throws -> Archived {
    if let archived { return archived }
    var found = Archived()
    let instant = instant
    let archive = try await ArchivedTimeline.load(
      from: storage, folder: properties.archiveFolder)
    var walk = archive.walk(downTo: instant)
    while let entry = try await walk.next(where: {
      $0.instant > instant && $0.state == .completed && $0.action.writesData
    }) {
      guard let metadata = try entry.metadata() else { continue }
      for (partition, files) in metadata.partitions.pairs {
        let new = files.filter { $0.previousCommit == nil }.map(\.fileID)
        if !new.isEmpty { found.begun[ExactText(partition), default: []].formUnion(new) }
      }
      found.replaced += (metadata.replaced?.pairs ?? []).map { ($0.key, $0.value) }
    }
    archived = found
    return found
  }
}
