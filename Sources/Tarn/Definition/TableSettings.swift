import TarnStorage
import TarnTimeline

/// How this process works on a table; none of it is kept in the table.
public struct TableSettings: Sendable {
  /// How many files are worked on at once.
  public var parallelism: Int
  /// Bytes of memory that a process may take while it writes, its batch among them.
  ///
  /// As many files are written at once as fit; one always is, so that a budget below what that takes is passed. Looking
  /// keys up, which takes little but in files without key index, is not counted.
  public var memory = 256 << 20
  /// A folder of this machine, for rows that are sorted and do not fit into ``memory``: `TMPDIR`, or `/tmp`.
  ///
  /// They lie in a folder of its own there, which goes with them; what a killed process left may be removed.
  public var temporaryFolder: String
  /// The buckets of a table that does not say them, which other writers made; see <doc:BucketIndex>.
  ///
  /// For a table that says them, nil or the same.
  public var buckets: Buckets?
  /// Whether a write gives a column a type that holds more, where values of its batch need that; see
  /// ``Table/widen(_:)`` for which types become which.
  ///
  /// Otherwise a value that does not fit its column is an error.
  public var widensColumns = false
  /// Whether times in base files that are finer than microseconds are cut, by snapshots and by writes that change such
  /// files.
  ///
  /// They are an error otherwise. Only other writers than Hudi and Spark make such.
  public var cutsNanoseconds = false
  /// How often a write begins again that lost against another, before it fails with ``TableError/Code/conflict``.
  public var retries = 10
  /// How long a write waits, in all, for a process that was stopped while it replaced a file on a local disk; and, up to
  /// four seconds, for writers that lost often and none of which gets on.
  public var patience: Duration = .seconds(4)
  /// Whether commits are followed by a clean and an archive where these are due, as far as the table's options want that.
  public var runsServices = true
  /// Which lock is taken because of other engines' writers.
  public var lock = CommonLock.automatic
  /// How long a write waits for a lock that another engine's writer holds.
  public var lockPatience: Duration = .seconds(60)
  /// How long such a lock lasts.
  package var lockTerms = HudiLocking.Terms()
  /// How many small files are written at once; nil for as many as the storage likes.
  package var smallFilesAtOnce: Int?
  /// How often a sign of life is renewed.
  package var heartbeat = Liveness.interval
  /// Whether the storage copies long ranges of files itself.
  package var areFilesCopied = false
  /// The clock: microseconds since 1970-01-01T00:00:00Z.
  ///
  /// A storage that has one of its own goes before it.
  public var now: @Sendable () -> Int64
  /// How far local time is ahead of UTC at a time, both in microseconds; by default in the system's zone.
  ///
  /// It counts in tables whose instants are in local time, as Hudi's are where nothing else is said.
  public var localOffset: @Sendable (Int64) -> Int64
  /// Randomness for file ids, and for the mark of an attempt.
  public var random: @Sendable () -> UInt64
  /// Told of what happens; nil for nobody.
  public var observer: (any TableObserver)?
  /// The table's name, under which it is told.
  package var tableName = ""

  /// The defaults: the system's clock and randomness, as many files at once as there are cores.
  public init() {
    parallelism = SystemWorld.coreCount
    temporaryFolder = SystemWorld.temporaryFolder
    now = { SystemWorld.microseconds() }
    localOffset = { SystemWorld.localOffset(at: $0) }
    random = {
      var generator = SystemRandomNumberGenerator()
      return generator.next()
    }
  }
}

/// Which lock is taken while a commit is decided and completed, because of other engines' writers; Tarn's need none.
public enum CommonLock: String, Sendable, Hashable, CaseIterable {
  /// Hudi's storage-based lock where the table's properties name it, or its file is there and was held within a day; on a
  /// local disk none, since Hudi's writers refuse it there.
  case automatic
  /// Hudi's storage-based lock.
  case hudiStorage = "hudi-storage"
}

extension TableSettings {
  /// Files that are worked on at once where each waits for a storage over a network.
  private static let waitingFiles = 16

  /// How many files are looked through and spliced at once.
  var filesAtOnce: Int { areFilesCopied ? max(parallelism, Self.waitingFiles) : parallelism }

  /// Tells the observer of what happened.
  func tell(_ kind: @autoclosure () -> TableEvent.Kind) {
    guard let observer else { return }
    observer.observe(TableEvent(kind()), of: tableName)
  }

  /// Tells of something that a user should know and need not act on.
  @Sendable func warn(_ text: String) { tell(.warning(text)) }

  /// Counts work that is done in parts, by several tasks at once, and tells how far it is.
  func counting(_ work: WorkProgress.Work, of total: Int, _ unit: String) -> WorkCounter {
    WorkCounter(settings: self, work: work, total: total, unit: unit)
  }

  /// The same settings for a table of a name, on a storage: by its clock where it has one, as files are dated by.
  func following(_ storage: any Storage, named name: String) -> TableSettings {
    var settings = self
    settings.tableName = name
    let own = now
    settings.now = { storage.currentTime() ?? own() }
    settings.areFilesCopied = areFilesCopied || storage.costs.leastCopy > 0
    return settings
  }
}
