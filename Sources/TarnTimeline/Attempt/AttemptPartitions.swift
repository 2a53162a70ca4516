import Synchronization
import TarnBytes
import TarnStorage

/// The partitions that an attempt marks for other engines, so that it can take the marks back.
package final class AttemptPartitions: Sendable {
  private let instant: Instant
  /// Partitions that got their mark from this attempt, or may have.
  private let marked = Mutex<[String]>([])

  init(_ instant: Instant) { self.instant = instant }

  /// The partitions that got their mark from this attempt, or may have.
  var paths: [String] { marked.withLock { $0 } }

  /// Marks the folders of partitions as such, where they are not yet, many at once.
  ///
  /// - Parameters:
  ///   - paths: The partitions' paths.
  ///   - data: What writes the attempt's data, and so settles when it is durable.
  ///   - now: The time in microseconds since 1970.
  ///   - width: How many are marked at once.
  /// - Throws: ``TimelineError`` with code `storage`.
  package func mark(_ paths: [String], in data: any Storage, now: Int64, width: Int) async throws {
    guard !paths.isEmpty else { return }
    var seen: Set<ExactText> = []
    let distinct = paths.filter { seen.insert(ExactText($0)).inserted }
    _ = try await concurrently(distinct, width: width) { [self] path in
      try await mark(path, in: data, now: now)
    }
  }

  private func mark(_ path: String, in data: any Storage, now: Int64) async throws(TimelineError) {
    do throws(TimelineError) {
      let isNew = try await PartitionMetadata.ensure(in: data, partition: path, instant: instant, now: now)
      if isNew { marked.withLock { $0.append(path) } }
    } catch {
      // It may have arrived all the same.
      marked.withLock { $0.append(path) }
      throw error
    }
  }
}
