import TarnFileGroups
import Testing

/// Which row groups of a file are read, and how many by one request, where its storage copies long ranges.
@Suite struct SpliceReadsTests {
  private static let mega = 1 << 20

  private static func windows(_ sizes: [Int], _ touched: Set<Int>) -> [Range<Int>] {
    SpliceReads.windows(
      sizes.map { $0 * mega }, sizes.indices.map { touched.contains($0) }, leastCopy: 5 * mega)
  }

  @Test func whatIsUntouchedAndLongIsCopied() {
    // Before what changes, 5 MiB are a part; in the middle, up to as much again fills up the part before.
    #expect(Self.windows([3, 3, 1], [2]) == [2..<3])
    #expect(Self.windows([2, 3, 1], [2]) == [0..<3])
    #expect(Self.windows([1, 5, 6, 1], [0, 3]) == [0..<1, 3..<4])
    #expect(Self.windows([1, 4, 6, 1], [0, 3]) == [0..<2, 2..<4])
    #expect(Self.windows([1, 11], [0]) == [0..<1])
  }

  @Test func whereEverythingChangesAFileIsReadInFewWindows() {
    let sizes = (0..<24).map { min(1 + $0 / 6, 3) }
    let windows = Self.windows(sizes, Set(stride(from: 0, to: 24, by: 2)))
    #expect(windows.first?.lowerBound == 0 && windows.last?.upperBound == 24)
    for (left, right) in zip(windows, windows.dropFirst()) {
      #expect(left.upperBound == right.lowerBound)
    }
    for window in windows { #expect(sizes[window].reduce(0, +) <= 8) }
    #expect(windows.count <= sizes.reduce(0, +) / 6)
  }

  @Test func whereNothingChangesNothingIsRead() {
    #expect(Self.windows([], []).isEmpty)
    #expect(Self.windows([1, 1], []).isEmpty)
  }
}
