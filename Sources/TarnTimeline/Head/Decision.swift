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
    case .commit(let content, _): [content]
    case .rollback(_, let contents), .clean(let contents):
      [contents.plan, contents.inflight, contents.completed]
    }
  }

  /// The file that stands once all of it is carried out.
  package var completed: TimelineEntry {
    switch kind {
    case .commit(_, let action): TimelineEntry(instant, action, .completed)
    case .rollback: TimelineEntry(instant, .rollback, .completed)
    case .clean: TimelineEntry(instant, .clean, .completed)
    }
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
