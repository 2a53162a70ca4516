import TarnStorage

/// The small file by which other engines know a folder as a partition.
public enum PartitionMetadata {
  /// Its name; variants have an extension.
  public static let fileName = ".hoodie_partition_metadata"

  /// Its text.
  ///
  /// - Parameters:
  ///   - instant: The commit that first wrote into the partition.
  ///   - partition: The partition's path; empty where the table has none.
  ///   - now: The time in microseconds since 1970.
  public static func bytes(instant: Instant, partition: String, now: Int64) -> [UInt8] {
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
  /// - Throws: ``TimelineError`` with code `storage`.
  public static func ensure(
    in storage: any Storage, partition: String, instant: Instant, now: Int64
  ) async throws(TimelineError) {
    let path = TablePaths.join(partition, fileName)
    do {
      let page = try await storage.list(prefix: path, stoppingAtSlash: true, continuation: nil)
      guard page.objects.isEmpty else { return }
      try await storage.put(
        bytes(instant: instant, partition: partition, now: now), at: path, if: .ifAbsent)
    } catch  where error.code == .preconditionFailed {
      return
    } catch { throw TimelineError(error) }
  }
}
