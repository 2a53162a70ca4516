import TarnBytes
import TarnFileGroups
import TarnParquet
import TarnTimeline

/// What a write did.
public struct CommitReport: Sendable, Hashable {
  /// The commit's instant; nil where there was nothing to write.
  public var instant: Instant?
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
  /// Wall time of finding what is stored, and of deciding what is to be written.
  public var lookUpDuration: Duration = .zero
  /// Wall time of writing base files and the commit.
  public var writeDuration: Duration = .zero
  /// Wall time.
  public var duration: Duration = .zero

  /// The key of the commit's extra metadata under which it keeps ``summary``.
  static let summaryKey = "tarn.report"

  /// The sum of what the stages of a write counted.
  init(_ counts: RowCounts, _ files: [WrittenFile] = []) {
    inserted = counts.inserted
    updated = counts.updated
    deleted = counts.deleted
    stale = counts.stale
    duplicates = counts.duplicates
    superseded = counts.superseded
    notFound = counts.notFound
    self.files = files.count
    splicedFiles = files.count { $0.isSpliced }
    for file in files {
      bytesWritten += Int(file.statistics.fileSize)
      pagesCopied += file.counts.pagesCopied
      pagesEncoded += file.counts.pagesEncoded
      bytesCopied += file.counts.bytesCopied
      bytesEncoded += file.counts.bytesEncoded
      bytesRead += file.counts.bytesRead
    }
  }

  /// What the commit's metadata keeps of it, as JSON: rows, pages and bytes, and milliseconds.
  var summary: String {
    func milliseconds(_ duration: Duration) -> Int64 {
      duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
    }
    let counts: KeyValuePairs = [
      "inserted": inserted, "updated": updated, "deleted": deleted, "stale": stale, "duplicates": duplicates,
      "superseded": superseded, "notFound": notFound, "splicedFiles": splicedFiles,
      "pagesCopied": pagesCopied, "pagesEncoded": pagesEncoded, "bytesCopied": bytesCopied,
      "bytesEncoded": bytesEncoded, "bytesRead": bytesRead,
    ]
    var members = counts.map { JSONValue.Member($0.key, .integer(Int64($0.value))) }
    members.append(JSONValue.Member("lookUpMilliseconds", .integer(milliseconds(lookUpDuration))))
    members.append(JSONValue.Member("writeMilliseconds", .integer(milliseconds(writeDuration))))
    return JSONValue.object(members).text()
  }

  /// A report of nothing.
  public init() {}
}
