import TarnBytes
import TarnFileGroups
import TarnIndex
import TarnTimeline

/// What a write stands on: it stays right for as long as nobody else changes this.
struct WriteClaim: Sendable {
  /// The file groups that get a new version, or are replaced.
  let groups: Set<String>
  /// The partitions in which was looked for keys or rows; nil for all.
  let partitions: Set<ExactText>?
  /// The buckets for which file groups are made.
  let buckets: [FileGroupCreation]
  /// Whether deletions of keys count that no file group is known to keep.
  let looksAtDeletions: Bool
  /// Names the table's schema that the write found.
  let schema: String?
  /// Whether the write leaves another schema.
  let changesSchema: Bool

  /// What somebody else's decisions mean for a write.
  enum Verdict: Sendable {
    /// Nothing that it stands on changed.
    case clear
    /// Something came where it looked: it must look again.
    case look
    /// It cannot stand beside a commit.
    case conflict(String, with: Instant)
  }

  /// Judges decisions that were made since the write looked at the table.
  ///
  /// - Parameters:
  ///   - decisions: Those of others; nil where they are not known any more.
  ///   - instant: The write's own.
  func verdict(on decisions: [RecentDecision]?, at instant: Instant) -> Verdict {
    guard let decisions else { return .look }
    var verdict = Verdict.clear
    for decision in decisions {
      switch self.verdict(on: decision, at: instant) {
      case .clear: break
      case .look: verdict = .look
      case .conflict(let what, let other): return .conflict(what, with: other)
      }
    }
    return verdict
  }

  private func verdict(on decision: RecentDecision, at instant: Instant) -> Verdict {
    if changesSchema, decision.instant > instant {
      // The schema is read from the greatest instant, so that this one's would not be seen.
      return .conflict(
        "completed with a later instant than this write, which changes columns", with: decision.instant)
    }
    guard let replaced = decision.replaced else { return .look }
    if let group = replaced.first(where: groups.contains) {
      return .conflict("replaced file group \(group)", with: decision.instant)
    }
    guard let files = decision.files else { return .look }
    var verdict = Verdict.clear
    // Rows may have gone that this write found, in whatever partition.
    if !replaced.isEmpty, partitions.map({ !$0.isEmpty }) ?? true { verdict = .look }
    if let written = decision.schema, written != schema { verdict = .look }
    if looksAtDeletions, decision.keepsDeletions { verdict = .look }
    for path in files {
      guard let file = BaseFileName(path: path) else { return .look }
      let partition = Self.partition(of: path)
      if groups.contains(file.fileID) {
        return .conflict("changed file group \(file.fileID)", with: decision.instant)
      }
      if let bucket = BucketIndex.bucket(ofFileID: file.fileID),
        buckets.contains(where: { $0.bucket == bucket && ExactText($0.partitionPath) == partition })
      {
        return .conflict("made file group \(file.fileID) of a bucket", with: decision.instant)
      }
      if partitions?.contains(partition) ?? true { verdict = .look }
    }
    return verdict
  }

  private static func partition(of path: String) -> ExactText {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    return ExactText(slash.map { String(path[..<$0]) } ?? "")
  }
}
