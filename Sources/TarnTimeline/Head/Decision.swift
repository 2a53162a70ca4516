import TarnBytes

/// A decision whose files may not all stand on the timeline yet.
///
/// What it puts there was written before it under names of their own, its contents, and is moved once it is made: by its
/// writer, or by whoever finds it here.
package struct NamedDecision: Sendable, Hashable {
  /// What was decided.
  package enum Kind: Sendable, Hashable {
    /// A commit stands; what is to be its completed file, of that action, lies at a path.
    case commit(content: String, action: Action = .commit)
    /// An attempt does not stand; what the rollback puts on the timeline lies at paths.
    case rollback(of: Instant, ServiceContents)
    /// Old versions of files are removed; what the clean puts on the timeline lies at paths.
    case clean(ServiceContents)
    /// The files of a commit are held; what the savepoint puts on the timeline, at the commit's instant, lies at paths.
    case savepoint(of: Instant, ServiceContents)
    /// The files of a commit are not held any more.
    case savepointDeletion(of: Instant)
    /// The table goes back to a commit, and those behind it do not stand any more; what the restore puts on the timeline
    /// lies at paths.
    case restore(to: Instant, ServiceContents)
    /// A completed commit, the latest, does not stand any more; what its rollback puts on the timeline lies at paths.
    case commitRollback(of: Instant, ServiceContents)
    /// Completed actions leave the timeline for the archive.
    case archive(ArchivedInstants)
  }

  /// Where it stands among the row-changing decisions; nil for one that changes no row.
  package var sequence: Int64?
  /// The instant of the commit, or of the service.
  package var instant: Instant
  /// What was decided.
  package var kind: Kind

  /// Makes a decision.
  package init(_ instant: Instant, sequence: Int64?, _ kind: Kind) {
    self.instant = instant
    self.sequence = sequence
    self.kind = kind
  }

  /// Whether it is a commit.
  package var isCommit: Bool { if case .commit = kind { true } else { false } }

  /// What it is, for people.
  package var name: String {
    switch kind {
    case .commit(_, let action): action.rawValue
    case .rollback, .commitRollback: "rollback"
    case .clean: "clean"
    case .savepoint: "savepoint"
    case .savepointDeletion: "deletion of a savepoint"
    case .restore: "restore"
    case .archive: "archive"
    }
  }

  /// The contents that lie beside the timeline until they are moved.
  package var contents: [String] {
    switch kind {
    case .commit(let content, _): [content]
    case .rollback(_, let contents), .clean(let contents), .savepoint(_, let contents),
      .restore(_, let contents), .commitRollback(_, let contents):
      [contents.plan, contents.inflight, contents.completed].compactMap(\.self)
    case .savepointDeletion: []
    case .archive(let archived): [archived.content]
    }
  }

  /// The file that stands once all of it is carried out; nil where it leaves none.
  package var completed: TimelineEntry? {
    switch kind {
    case .commit(_, let action): TimelineEntry(instant, action, .completed)
    case .rollback, .commitRollback: TimelineEntry(instant, .rollback, .completed)
    case .clean: TimelineEntry(instant, .clean, .completed)
    case .savepoint(let commit, _): TimelineEntry(commit, .savepoint, .completed)
    case .savepointDeletion, .archive: nil
    case .restore: TimelineEntry(instant, .restore, .completed)
    }
  }

  /// The completed commits of a timeline that it takes back, the newest first.
  package func takenBack(of timeline: Timeline) -> [Instant] {
    switch kind {
    case .restore(let target, _):
      // What was decided behind it has a greater instant.
      timeline.commits(after: target).map(\.instant).filter { $0 < instant }.reversed()
    case .commitRollback(let commit, _): timeline.contains(commit) ? [commit] : []
    default: []
    }
  }

  /// Whether all of it is carried out.
  ///
  /// - Parameter timeline: All of it: part of one does not tell that something has left it.
  package func isCarriedOut(on timeline: Timeline) -> Bool {
    switch kind {
    case .archive(let archived): archived.entries.allSatisfy { !timeline.entries.contains($0) }
    case .savepointDeletion(let commit):
      !timeline.entries.contains { $0.instant == commit && $0.action == .savepoint }
    default: completed.map { timeline.entries.contains($0) } ?? false
    }
  }
}

extension NamedDecision {
  /// Where the files of a service lie; nil for what is none.
  var serviceContents: ServiceContents? {
    switch kind {
    case .rollback(_, let contents), .clean(let contents), .savepoint(_, let contents),
      .restore(_, let contents), .commitRollback(_, let contents):
      contents
    case .commit, .archive, .savepointDeletion: nil
    }
  }
}

/// What leaves the timeline for the archive.
package struct ArchivedInstants: Sendable, Hashable {
  /// Where the file lies before it is in the archive.
  package var content: String
  /// The path of the archive's file.
  package var file: String
  /// The file of the archive whose records this one has too, and which goes; nil for none.
  package var replaced: String?
  /// The completed actions, the oldest first.
  package var entries: [TimelineEntry]

  /// Names files and actions.
  package init(content: String, file: String, replaced: String? = nil, entries: [TimelineEntry]) {
    self.content = content
    self.file = file
    self.replaced = replaced
    self.entries = entries
  }
}

/// Where the files of a service lie before they are on the timeline.
package struct ServiceContents: Sendable, Hashable {
  /// What says what is done; nil for a service without a plan.
  package var plan: String?
  /// The file of the service under way.
  package var inflight: String?
  /// What says what was done.
  package var completed: String?

  /// Names the files.
  package init(plan: String?, inflight: String?, completed: String?) {
    self.plan = plan
    self.inflight = inflight
    self.completed = completed
  }
}

/// A decision that changed rows, as those who began before it must know it.
package struct RecentDecision: Sendable, Hashable {
  /// Files beyond which a commit's are not told.
  package static let mostFiles = 64

  /// Where it stands among the row-changing decisions.
  package var sequence: Int64
  /// The commit's instant.
  package var instant: Instant
  /// The paths of the base files that it wrote; nil where they are too many: its completed file tells them.
  package var files: [String]?
  /// The ids of the file groups that it replaced; nil where they are too many: its completed file tells them.
  package var replaced: [String]?
  /// Whether it kept deletions of keys that no file group is known to keep.
  package var keepsDeletions: Bool
  /// Names the schema that it wrote by; nil where it named none.
  package var schema: String?
  /// Whether another engine made it.
  package var isForeign: Bool

  /// Makes a decision.
  package init(
    sequence: Int64, _ instant: Instant, files: [String]?, replaced: [String] = [],
    keepsDeletions: Bool = false, schema: String?, isForeign: Bool = false
  ) {
    self.sequence = sequence
    self.instant = instant
    self.files = (files?.count ?? .max) <= Self.mostFiles ? files : nil
    self.replaced = replaced.count <= Self.mostFiles ? replaced : nil
    self.keepsDeletions = keepsDeletions
    self.schema = schema
    self.isForeign = isForeign
  }

  /// Tells only that there were files, and file groups that were replaced.
  mutating func forgetFiles() {
    files = nil
    if replaced?.isEmpty == false { replaced = nil }
  }

  /// A short name of a schema, by which it is compared.
  package static func name(ofSchema text: String?) -> String? {
    text.map { String(XXH64.hash($0.utf8.span.bytes), radix: 16) }
  }
}

/// A savepoint that was deleted: for a while its name is not used again, since who sleeps may still remove it.
package struct DeletedSavepoint: Sendable, Hashable {
  /// The commit that it held.
  package var commit: Instant
  /// When it was deleted, by the clocks of the table's zone.
  package var time: Instant

  /// Names one.
  package init(_ commit: Instant, at time: Instant) {
    self.commit = commit
    self.time = time
  }

  /// How long its name is not used, in microseconds.
  private static let patience: Int64 = 2 * 24 * 3_600 * 1_000_000

  /// Whether it was deleted lately.
  ///
  /// - Parameter now: The time in microseconds since 1970, by the clocks of the table's zone.
  package func isRecent(at now: Int64) -> Bool {
    guard let time = time.microseconds else { return true }
    return now - time < Self.patience
  }
}

/// How far an application has come that writes with transactions.
package struct ApplicationVersion: Sendable, Hashable {
  /// The application's name.
  package var application: String
  /// Its last version.
  package var version: Int64
  /// The commit with that version.
  package var instant: Instant

  /// Makes one.
  package init(_ application: String, _ version: Int64, _ instant: Instant) {
    self.application = application
    self.version = version
    self.instant = instant
  }
}
