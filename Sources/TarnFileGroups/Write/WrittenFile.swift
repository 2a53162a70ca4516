import TarnParquet
import TarnTimeline

/// A base file that was written, and what that took.
package struct WrittenFile: Sendable {
  /// What the commit tells of it.
  package var statistics: WriteStatistics
  /// Pages and bytes copied, encoded and read.
  package var counts: SpliceCounts
  /// Whether pages of its last version were copied, rather than all rows written anew.
  package var isSpliced: Bool
}
