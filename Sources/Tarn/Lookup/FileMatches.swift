import TarnFileGroups
import TarnIndex
import TarnTimeline

/// A file slice, and the rows of it that a batch touches: pure data, which holds as long as the file group has this
/// version.
struct FileMatches: Sendable {
  /// The version of the file group in which the rows were found.
  let slice: FileSlice
  /// What its footer tells.
  let facts: BaseFileFacts
  /// Its partition among those of the batch; nil for one that no row names.
  let partition: PartitionNumber?
  /// The touched rows, in ascending order of their positions in the file.
  let matches: [StoredMatch]
  /// Whether a part of its key index was found damaged, so that it must be made anew.
  let isIndexDamaged: Bool
}

/// What a lookup found: where the keys of a batch are stored, and what is known of those that are not.
struct LookupResult: Sendable {
  /// The slices that were looked through; those without a match too, since inserts may go into them.
  var files: [FileMatches]
  /// The bucket of each row; nil in a table without a bucket index.
  let buckets: RowBuckets?
  /// The deletions of keys that are not stored; nil where nothing is to be compared with them.
  var deletions: KnownDeletions?
}
