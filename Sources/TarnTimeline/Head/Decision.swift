import TarnBytes

/// A decision whose files may not all stand on the timeline yet.
///
/// What it puts there was written before it under names of their own, its contents, and is moved once it is made: by its
/// writer, or by whoever finds it here.
package struct NamedDecision: Sendable, Hashable {
  /// What was decided.
  package enum Kind: Sendable, Hashable {
    /// A commit stands; what is to be its completed file lies at a path.
    case commit(content: String)
    /// An attempt does not stand; what the rollback puts on the timeline lies at paths.
    case rollback(of: Instant, ServiceContents)
    /// Old versions of files are removed; what the clean puts on the timeline lies at paths.
    case clean(ServiceContents)
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

  /// The contents that lie beside the timeline until they are moved.
  package var contents: [String] {
    switch kind {
    case .commit(let content): [content]
    case .rollback(_, let contents), .clean(let contents):
      [contents.plan, contents.inflight, contents.completed]
    case .archive(let archived): [archived.content]
    }
  }

  /// The file that stands once all of it is carried out; nil for what has no instant on the timeline.
  package var completed: TimelineEntry? {
    switch kind {
    case .commit: TimelineEntry(instant, .commit, .completed)
    case .rollback: TimelineEntry(instant, .rollback, .completed)
    case .clean: TimelineEntry(instant, .clean, .completed)
    case .archive: nil
    }
  }

  /// Whether all of it is carried out.
  ///
  /// - Parameter timeline: All of it: part of one does not tell that something has left it.
  package func isCarriedOut(on timeline: Timeline) -> Bool {
    switch kind {
    case .archive(let archived): archived.entries.allSatisfy { !timeline.entries.contains($0) }
    default: completed.map { timeline.entries.contains($0) } ?? false
    }
  }
}

/// What leaves the timeline for the archive.
package struct ArchivedInstants: Sendable, Hashable {
  /// Where the file lies before it is in the archive.
  package var content: String
  /// The path of the archive's file.
  package var file: String
  /// The completed actions, the oldest first.
  package var entries: [TimelineEntry]

  /// Names files and actions.
  package init(content: String, file: String, entries: [TimelineEntry]) {
    self.content = content
    self.file = file
    self.entries = entries
  }
}

/// Where the files of a service lie before they are on the timeline.
package struct ServiceContents: Sendable, Hashable {
  /// What says what is done.
  package var plan: String
  /// The file of the service under way.
  package var inflight: String
  /// What says what was done.
  package var completed: String

  /// Names the files.
  package init(plan: String, inflight: String, completed: String) {
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
  /// The ids of the file groups that it replaced.
  package var replaced: [String]
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
    self.replaced = replaced
    self.keepsDeletions = keepsDeletions
    self.schema = schema
    self.isForeign = isForeign
  }

  /// A short name of a schema, by which it is compared.
  package static func name(ofSchema text: String?) -> String? {
    text.map { String(XXH64.hash($0.utf8.span.bytes), radix: 16) }
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
