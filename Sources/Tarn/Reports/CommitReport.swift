import TarnBytes
import TarnFileGroups
import TarnParquet
import TarnTimeline

/// What a write did.
public struct CommitReport: Sendable, Hashable {
  /// The commit's instant; nil where there was nothing to write.
  public var instant: Instant?
  /// How far the table had come with it; nil where there was nothing to write.
  public var position: TablePosition?
  /// What its maker should know, though the commit stands.
  public var warnings: [CommitWarning] = []
  /// Rows that are new.
  public var inserted = 0
  /// Rows that replaced a stored one.
  public var updated = 0
  /// Stored rows that were deleted.
  public var deleted = 0
  /// Incoming rows older than what is stored, or not newer than their key's deletion, which were dropped.
  public var stale = 0
  /// Incoming rows equal to what is stored, which were dropped.
  public var duplicates = 0
  /// Incoming rows that lost to a newer one of the same batch.
  public var superseded = 0
  /// Deletions, and updates of stored rows only, whose keys are not stored.
  public var notFound = 0
  /// The files of file groups that were replaced, by their paths relative to the table.
  ///
  /// They are there until a clean removes them. None are told of a commit that stood already.
  public var replacedFiles: [String] = []
  /// How many these are.
  public var replaced = 0
  /// Base files written.
  public var files = 0
  /// Bytes of base files written.
  public var bytesWritten = 0
  /// Base files that were spliced: pages without touched rows are copied as they are.
  public var splicedFiles = 0
  /// Pages copied.
  public var pagesCopied = 0
  /// Pages encoded, in spliced files and in others.
  public var pagesEncoded = 0
  /// Bytes of pages copied.
  public var bytesCopied = 0
  /// Bytes of pages encoded.
  public var bytesEncoded = 0
  /// Bytes of stored pages read to be changed.
  public var bytesRead = 0
  /// Files that the clean removed which was due behind the commit.
  public internal(set) var cleanedFiles = 0
  /// Actions that the archive took off the timeline which was due behind the commit.
  public internal(set) var archivedActions = 0
  /// Small files that the clustering made into full ones which was due behind the commit.
  public internal(set) var packedFiles = 0
  /// Partitions in which it wrote new versions of file groups; nil where that is not known.
  var rewrittenPartitions: [String]?
  /// Partitions into which it wrote and that have more small files than the table's options want.
  var crowdedPartitions: [String] = []
  /// Requests that the write sent, each attempt counted; 0 where the storage counts none, as a local one.
  public var requests = 0
  /// Bytes that it sent with them.
  public var bytesSent = 0
  /// Bytes that came with their answers.
  public var bytesReceived = 0
  /// Wall time of finding what is stored, and of deciding what is to be written.
  public var lookUpDuration: Duration = .zero
  /// Wall time of writing base files.
  public var writeDuration: Duration = .zero
  /// Wall time of having the commit decided, and of completing it.
  public var commitDuration: Duration = .zero
  /// Wall time.
  public var duration: Duration = .zero

  /// The sum of what the stages of a write counted.
  ///
  /// - Parameter replacedSlices: What is replaced as a whole.
  init(_ counts: RowCounts, _ files: [WrittenFile] = [], replacing replacedSlices: [FileSlice]) {
    replacedFiles = replacedSlices.map(\.path)
    replaced = replacedSlices.count
    inserted = counts.inserted
    updated = counts.updated
    deleted = counts.deleted
    stale = counts.stale
    duplicates = counts.duplicates
    superseded = counts.superseded
    notFound = counts.notFound
    self.files = files.count
    splicedFiles = files.count { $0.isSpliced }
    let rewritten = files.filter { $0.statistics.previousCommit != nil }
    // What is replaced is old, too, wherever it lies.
    rewrittenPartitions =
      !replacedSlices.isEmpty
      ? nil : Set(rewritten.map { ExactText($0.statistics.partitionPath ?? "") }).map(\.text)
    for file in files {
      bytesWritten += Int(file.statistics.fileSize)
      pagesCopied += file.counts.pagesCopied
      pagesEncoded += file.counts.pagesEncoded
      bytesCopied += file.counts.bytesCopied
      bytesEncoded += file.counts.bytesEncoded
      bytesRead += file.counts.bytesRead
    }
  }

  /// The counts that the commit's metadata keeps, under their names there.
  private static var counts: [(name: String, count: WritableKeyPath<CommitReport, Int>)] {
    [
      ("inserted", \.inserted), ("updated", \.updated), ("deleted", \.deleted), ("stale", \.stale),
      ("duplicates", \.duplicates), ("superseded", \.superseded), ("notFound", \.notFound),
      ("replaced", \.replaced), ("splicedFiles", \.splicedFiles), ("pagesCopied", \.pagesCopied),
      ("pagesEncoded", \.pagesEncoded),
      ("bytesCopied", \.bytesCopied), ("bytesEncoded", \.bytesEncoded), ("bytesRead", \.bytesRead),
    ]
  }

  /// The durations that it keeps, in milliseconds.
  private static var durations: [(name: String, duration: WritableKeyPath<CommitReport, Duration>)] {
    [("lookUpMilliseconds", \.lookUpDuration), ("writeMilliseconds", \.writeDuration)]
  }

  /// What the commit's metadata keeps of it, as JSON: rows, pages and bytes, and milliseconds.
  var summary: String {
    var members = Self.counts.map { JSONValue.Member($0.name, .integer(Int64(self[keyPath: $0.count]))) }
    for (name, duration) in Self.durations {
      let (seconds, attoseconds) = self[keyPath: duration].components
      members.append(.init(name, .integer(seconds * 1_000 + attoseconds / 1_000_000_000_000_000)))
    }
    return JSONValue.object(members).text()
  }

  /// A report of nothing.
  public init() {}

  /// The report of a commit that stands, as its metadata keeps it.
  init(_ metadata: CommitMetadata, _ instant: Instant) {
    self.instant = instant
    position = metadata.extra[CommitMetadata.positionKey].flatMap { TablePosition($0) }
    files = metadata.files.count
    for file in metadata.files { bytesWritten += Int(clamping: file.fileSize) }
    guard let text = metadata.extra[CommitMetadata.reportKey],
      let json = try? JSONValue(parsing: Array(text.utf8))
    else { return }
    for (name, count) in Self.counts { self[keyPath: count] = json[name]?.integer ?? 0 }
    for (name, duration) in Self.durations {
      self[keyPath: duration] = .milliseconds(json[name]?.integer ?? 0)
    }
  }
}
