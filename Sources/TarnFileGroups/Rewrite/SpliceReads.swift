import TarnParquet
import TarnStorage

/// Reads the file that is spliced in few long ranges, ahead of the row group at hand, where each request takes long.
///
/// What the storage does not copy goes through this process anyway, touched or not. So all row groups are read but those
/// that are untouched and lie together long enough to be copied: in windows, of which the one at hand and the next are
/// held. Where touched rows lie everywhere, the file is read once, and its next version is sent as it comes.
package struct SpliceReads {
  /// Row groups, and where their bytes lie.
  private struct Window {
    /// From the first to behind the last.
    var groups: Range<Int>
    var ranges: [Range<Int>]
  }

  private typealias Reading = Task<Result<Void, StorageError>, Never>

  /// Windows that are under way at once.
  private static let atOnce = 2

  private let kept: KeptReads
  private let path: String
  private let windows: [Window]
  private var readings: [Reading] = []
  private var reached = 0

  /// Plans the reads; nil where the storage keeps nothing of what is read.
  ///
  /// - Parameter touched: Whether rows of each row group change.
  init?(_ file: ParquetFile, touched: [Bool], in storage: any Storage) {
    guard let kept = storage as? KeptReads else { return nil }
    self.kept = kept
    path = file.path
    let sizes = touched.indices.map { min(max(file.encodedBytes(inGroup: $0), 0), file.size) }
    windows = Self.windows(sizes, touched, leastCopy: storage.costs.leastCopy).map { groups in
      var ranges = file.ranges(
        ofGroups: Array(groups), gap: storage.costs.widestGap, most: KeptReads.windowBytes)
      // The magic number is copied with what begins behind it.
      if let first = ranges.first, first.lowerBound <= 4 { ranges[0] = 0..<first.upperBound }
      return Window(groups: groups, ranges: ranges)
    }
  }

  /// The row groups that are read, in windows.
  ///
  /// - Parameters:
  ///   - sizes: Bytes of each row group.
  ///   - touched: Whether rows of it change.
  ///   - leastCopy: Bytes from which on the storage copies a range.
  package static func windows(_ sizes: [Int], _ touched: [Bool], leastCopy: Int) -> [Range<Int>] {
    var windows: [Range<Int>] = []
    var bytes = 0
    var group = 0
    while group < sizes.count {
      var end = group + 1
      if !touched[group] {
        while end < sizes.count, !touched[end] { end += 1 }
        // What was gathered before a copied range is filled up from it to the least size of a part.
        let least = group == 0 ? leastCopy : 2 * leastCopy
        if sizes[group..<end].reduce(0, +) > least || !touched.contains(true) {
          group = end
          continue
        }
      }
      for next in group..<end {
        if let last = windows.last, last.upperBound == next, bytes + sizes[next] <= KeptReads.windowBytes {
          windows[windows.count - 1] = last.lowerBound..<next + 1
          bytes += sizes[next]
        } else {
          windows.append(next..<next + 1)
          bytes = sizes[next]
        }
      }
      group = end
    }
    return windows
  }

  /// Waits until the bytes of a row group are there, and lets go of those of windows before it; groups ascend.
  mutating func reach(_ group: Int) async throws(StorageError) {
    while reached < windows.count, group >= windows[reached].groups.lowerBound {
      if let begin = windows[reached].ranges.first?.lowerBound { kept.release(path, before: begin) }
      while readings.count < min(reached + Self.atOnce, windows.count) {
        let (kept, path, ranges) = (kept, path, windows[readings.count].ranges)
        readings.append(
          Reading {
            do throws(StorageError) { return .success(try await kept.hold(ranges, of: path)) } catch {
              return .failure(error)
            }
          })
      }
      try await readings[reached].value.get()
      reached += 1
    }
  }

  /// Gives up what is still being read, and lets go of all.
  func end() async {
    for reading in readings { reading.cancel() }
    for reading in readings { _ = await reading.value }
    kept.release(path, before: .max)
  }
}
