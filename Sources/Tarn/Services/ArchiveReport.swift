import TarnTimeline

/// What an archive took off the timeline, or would take.
public struct ArchiveReport: Sendable, Hashable {
  /// The actions, the oldest first.
  public internal(set) var actions: [TimelineEntry] = []
  /// The files of the archive that hold them; none for a plan.
  public internal(set) var files: [String] = []
  /// The actions that stay on the timeline.
  public internal(set) var kept = 0
  /// Files of attempts that were rolled back, which came later and are removed.
  public internal(set) var removed: [String] = []
  /// What keeps more actions on the timeline than ``TarnOptions/keptCommits`` commits would; nil where nothing does.
  public internal(set) var holder: Holder?

  /// Something that keeps actions on the timeline.
  public struct Holder: Sendable, Hashable, CustomStringConvertible {
    /// The kinds; more may come, so that a `switch` needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
      private let name: String

      private init(_ name: String) { self.name = name }

      /// The kind's name, as `savepoint`.
      public var description: String { name }

      /// An attempt or a service is under way, or its writer died.
      public static let pending = Code("pending")
      /// A savepoint.
      public static let savepoint = Code("savepoint")
      /// Versions of files are kept since then.
      public static let clean = Code("clean")
      /// An attempt was rolled back less than two days ago, of which files may come yet.
      public static let rollback = Code("rollback")
      /// File groups were replaced, whose files are not cleaned yet.
      public static let replaced = Code("replaced")
      /// A reader declared that it needs the table since then.
      public static let reader = Code("reader")
      /// It is the newest commit with the checkpoint of a stream.
      public static let checkpoint = Code("checkpoint")
    }

    /// The kind.
    public let code: Code
    /// The action that does it.
    public let instant: Instant
    /// The name of the reader; nil where it is none.
    public let reader: String?
    /// The first instant that stays.
    public let first: Instant

    /// What it is, for people.
    public var description: String {
      let what =
        switch code {
        case .pending:
          "action \(instant.text) is under way, or its writer died: roll it back, or let its engine go on"
        case .savepoint: "savepoint \(instant.text) keeps what follows it"
        case .clean: "what commits wrote from \(instant.text) on is kept (tarn.clean.retained)"
        case .rollback:
          "an attempt was rolled back by \(instant.text), and for two days files of it may come yet"
        case .reader:
          "reader \(reader ?? "") needs the table as of \(instant.text) (tarn show lists what readers declared)"
        case .replaced: "files that replacement \(instant.text) replaced are not cleaned yet"
        default: "commit \(instant.text) is the newest with the checkpoint of a stream"
        }
      return "\(what): instants from \(first.text) on stay on the timeline"
    }
  }
}
