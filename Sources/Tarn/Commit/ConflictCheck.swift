import TarnBytes
import TarnFileGroups
import TarnIndex
import TarnStorage
import TarnTimeline

/// Looks whether another writer has committed on the file groups of a plan since it was made.
struct ConflictCheck: Sendable {
  private let before: Timeline
  private let touched: Set<String>
  private let buckets: [FileGroupCreation]

  /// - Parameter before: The timeline by which the plan was made.
  init(_ plan: WritePlan, since before: Timeline) {
    self.before = before
    touched = Set(plan.updates.map(\.slice.fileID))
    buckets = plan.creations.filter { $0.bucket != nil }
  }

  /// Fails where there is a conflict.
  ///
  /// - Throws: ``TableError`` with code `conflict`, or what the storage throws.
  func run(_ storage: any Storage) async throws {
    let now = try await Timeline.load(from: storage)
    for entry in now.completedCommits where !before.contains(entry.instant) {
      let document = try await CommitLog(storage).document(of: entry)
      let files: [(partition: String, file: WriteStatistics)]
      let replaced: [(partition: String, groups: [String])]
      do throws(CommitMetadataError) {
        files = try document.files { _ in true }
        replaced = try document.replaced { _ in true }
      } catch {
        throw TimelineError(.damaged, path: entry.path, "no commit metadata: \(error.message)")
      }
      let groups = files.map(\.file.fileID) + replaced.flatMap(\.groups)
      if let fileID = groups.first(where: touched.contains) {
        throw TableError(
          .conflict,
          "commit \(entry.instant.text) of another writer changed file group \(fileID) meanwhile: try again")
      }
      if let file = files.first(where: { isInBucket($0.partition, $0.file.fileID) }) {
        throw TableError(
          .conflict,
          "commit \(entry.instant.text) of another writer made file group \(file.file.fileID) of a bucket meanwhile: "
            + "try again")
      }
    }
  }

  /// Whether a file group is that of a bucket for which the plan makes one.
  private func isInBucket(_ partition: String, _ fileID: String) -> Bool {
    guard !buckets.isEmpty, let bucket = BucketIndex.bucket(ofFileID: fileID) else { return false }
    return buckets.contains { $0.bucket == bucket && ExactText($0.partitionPath) == ExactText(partition) }
  }
}
