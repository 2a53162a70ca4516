import TarnBytes
import TarnStorage

/// The small file by which other engines know a folder as a partition.
package enum PartitionMetadata {
  /// Its name; variants have an extension.
  package static let fileName = ".hoodie_partition_metadata"

  /// Its text.
  ///
  /// - Parameters:
  ///   - instant: The commit that first wrote into the partition.
  ///   - partition: The partition's path; empty where the table has none.
  ///   - now: The time in microseconds since 1970.
  package static func bytes(instant: Instant, partition: String, now: Int64) -> [UInt8] {
    let depth = partition.split(separator: "/").count
    let entries: OrderedMap<String> = ["commitTime": instant.text, "partitionDepth": String(depth)]
    return JavaProperties(entries).bytes(comments: [
      "partition metadata", JavaTime.date(microseconds: now),
    ])
  }

  /// Writes it where it is missing.
  ///
  /// It may be called for many partitions at once.
  ///
  /// - Returns: Whether it was missing.
  /// - Throws: ``TimelineError`` with code `storage`.
  @discardableResult
  package static func ensure(
    in storage: any Storage, partition: String, instant: Instant, now: Int64
  ) async throws(TimelineError) -> Bool {
    let path = TablePaths.join(partition, fileName)
    do {
      let page = try await storage.list(prefix: path, stoppingAtSlash: true, continuation: nil)
      guard page.objects.isEmpty else { return false }
      try await storage.put(
        bytes(instant: instant, partition: partition, now: now), at: path, if: .ifAbsent)
      return true
    } catch  where error.code == .preconditionFailed {
      return false
    } catch { throw TimelineError(error) }
  }

  /// Writes it where it is missing, for many partitions at once.
  ///
  /// It is never removed again: what is missing may be another writer's by then.
  ///
  /// - Parameter width: How many are written at once.
  /// - Throws: ``TimelineError`` with code `storage`.
  package static func ensure(
    in storage: any Storage, partitions: [String], instant: Instant, now: Int64, width: Int
  ) async throws {
    guard !partitions.isEmpty else { return }
    var seen: Set<ExactText> = []
    let distinct = partitions.filter { seen.insert(ExactText($0)).inserted }
    _ = try await concurrently(distinct, width: width) { partition in
      try await ensure(in: storage, partition: partition, instant: instant, now: now)
    }
  }
}
