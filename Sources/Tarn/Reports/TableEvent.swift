import TarnTimeline

/// Something that happened to a table, or in the work on it.
public struct TableEvent: Sendable, Hashable, CustomStringConvertible {
  /// What happened; more may come, so that a `switch` needs a `default`.
  public enum Kind: Sendable, Hashable {
    /// A write begins to write files for a commit.
    ///
    /// - Parameters:
    ///   - instant: The instant of the attempt.
    ///   - operation: What it does, as the commit's metadata calls it.
    ///   - number: 1 for the first attempt of a write.
    case attemptBegun(instant: Instant, operation: String, number: Int)
    /// An attempt lost against another writer, and was rolled back; ``writeBegunAgain(number:)`` follows, or the
    /// write's error.
    case attemptLost(reason: String)
    /// A write begins again from a new look at the table.
    ///
    /// - Parameter number: How many times it did.
    case writeBegunAgain(number: Int)
    /// A commit stands; the report has its rows, bytes, files, and how long each phase took.
    case committed(CommitReport)
    /// Another writer's attempt was rolled back.
    case attemptRolledBack(instant: Instant)
    /// What another writer decided, and had not done to its end, was done.
    ///
    /// - Parameters:
    ///   - instant: Its instant.
    ///   - work: What it was, as `commit` or `clean`.
    case rolledForward(instant: Instant, work: String)
    /// A service is about to be done; what it would do is known.
    case servicePlanned(ServiceWork)
    /// A service was done.
    case serviceRun(ServiceWork)
    /// A service that was due behind a commit failed; the commit stands.
    case serviceFailed(ServiceWork.Service, reason: String)
    /// How far long work is.
    case progress(WorkProgress)
    /// Something that a user should know and need not act on.
    case warning(String)
  }

  /// What happened.
  public let kind: Kind

  init(_ kind: Kind) { self.kind = kind }

  /// A line for people.
  public var description: String {
    switch kind {
    case .attemptBegun(let instant, let operation, let number):
      "attempt \(instant.text) begins: \(operation)" + (number == 1 ? "" : ", attempt \(number) of its write")
    case .attemptLost(let reason): "the attempt lost: \(reason)"
    case .writeBegunAgain(let number): "the write begins again (\(number))"
    case .committed(let report):
      "commit \(report.instant?.text ?? "") stands: \(report.inserted) inserted, \(report.updated) updated, "
        + "\(report.deleted) deleted, \(report.files) files, \(report.bytesWritten) bytes; looking up "
        + "\(report.lookUpDuration), writing \(report.writeDuration), deciding \(report.commitDuration), all \(report.duration)"
    case .attemptRolledBack(let instant): "removed the attempt \(instant.text) of another writer"
    case .rolledForward(let instant, let work):
      "brought \(work) \(instant.text) of another writer to its end"
    case .serviceFailed(let service, let reason): "\(service.rawValue) behind a commit failed: \(reason)"
    case .servicePlanned(let work): "\(work.service.rawValue) will change \(work.counts)"
    case .serviceRun(let work):
      "\(work.service.rawValue)\(work.instant.map { " \($0.text)" } ?? "") changed \(work.counts) in \(work.duration)"
    case .progress(let progress): progress.description
    case .warning(let text): text
    }
  }
}

/// What a service does to a table, or did.
public struct ServiceWork: Sendable, Hashable {
  /// The services; more may come, so that a `switch` needs a `default`.
  public enum Service: String, Sendable, Hashable, CaseIterable {
    /// Removes versions of files that nobody needs.
    case clean
    /// Moves the old part of the timeline to the archive.
    case archive
    /// Makes small files into full ones.
    case cluster
    /// Keeps what a commit needs from being cleaned, or lets it go.
    case savepoint
    /// Takes the table back to an earlier commit.
    case restore
    /// Takes a commit back.
    case rollback
    /// Removes the table.
    case drop
  }

  /// Which.
  public let service: Service
  /// Its instant; nil where it has none, or not yet.
  public var instant: Instant?
  /// Files that it removes or writes, or entries that it moves.
  public var files: Int
  /// Their bytes; 0 where they are not known.
  public var bytes: Int
  /// Wall time; zero for a plan.
  public var duration: Duration

  /// Describes a service.
  init(_ service: Service, instant: Instant? = nil, files: Int, bytes: Int = 0, duration: Duration = .zero) {
    self.service = service
    self.instant = instant
    self.files = files
    self.bytes = bytes
    self.duration = duration
  }

  fileprivate var counts: String {
    "\(files) \(files == 1 ? "file" : "files")" + (bytes == 0 ? "" : " of \(bytes) bytes")
  }
}

/// How far long work is.
public struct WorkProgress: Sendable, Hashable, CustomStringConvertible {
  /// The kinds of work that tell of it; more may come, so that a `switch` needs a `default`.
  public enum Work: String, Sendable, Hashable, CaseIterable {
    /// Rows are loaded.
    case load
    /// Files of a table are checked.
    case check
    /// Files are removed.
    case clean
    /// Rows are clustered.
    case cluster
  }

  /// Which work.
  public let work: Work
  /// How many are done.
  public let done: Int
  /// How many there are; nil where that is not known.
  public let total: Int?
  /// What is counted.
  public let unit: String

  /// Describes how far work is.
  init(_ work: Work, _ done: Int, of total: Int? = nil, _ unit: String) {
    self.work = work
    self.done = done
    self.total = total
    self.unit = unit
  }

  /// Such as `load: 20000 rows` or `check: 3 of 40 files`.
  public var description: String { "\(work.rawValue): \(done)\(total.map { " of \($0)" } ?? "") \(unit)" }
}
