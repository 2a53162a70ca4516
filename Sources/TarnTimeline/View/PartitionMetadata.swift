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

  /// Removes it from a folder that holds nothing else, where a commit which was taken back had written it.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package static func remove(
    from partition: String, of instant: Instant, in storage: any Storage
  ) async throws(TimelineError) {
    let path = TablePaths.join(partition, fileName)
    guard let bytes = try await storage.readIfPresent(path),
      let entries = try? JavaProperties(parsing: bytes), entries["commitTime"] == instant.text
    else { return }
    do {
      let folder = partition.isEmpty ? "" : partition + "/"
      let page = try await storage.list(prefix: folder, stoppingAtSlash: true, continuation: nil)
      let others =
        page.objects.contains { $0.path != path } || page.folders.contains { $0 != TablePaths.folder }
      guard !others, page.continuation == nil else { return }
    } catch { throw TimelineError(error) }
    do { try await storage.delete(path) } catch { throw TimelineError(error) }
  }
}
