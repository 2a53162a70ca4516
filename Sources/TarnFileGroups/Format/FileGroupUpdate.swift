import TarnColumns
import TarnIndex
import TarnParquet
import TarnTimeline

/// What a base file's footer tells of it, as far as planning asks.
package struct BaseFileFacts: Sendable {
  /// Number of rows.
  package let rowCount: Int
  /// Bytes that its pages take.
  package let encodedBytes: Int
  /// Bytes that the pages of its largest row group take.
  package let largestGroup: Int
  /// About how many bytes its rows take once they are decoded, with strings in dictionaries as positions there.
  package let decodedBytes: Int
  /// Number of its columns.
  package let columnCount: Int
  /// Whether every column can be carried over to a new file.
  package let isRewritable: Bool
  /// Whether its key index has tombstones.
  package let hasTombstones: Bool

  /// Reads a footer, which may claim more than there is.
  package init(_ file: ParquetFile) {
    rowCount = file.rowCount
    encodedBytes = min(max(file.encodedBytes, 0), max(file.size, 0))
    largestGroup = (0..<file.rowGroupCount).reduce(0) {
      max($0, min(file.encodedBytes(inGroup: $1), max(file.size, 0)))
    }
    columnCount = file.schema.fields.count
    let values = min(max(file.rowCount, 0), 1 << 40) * max(columnCount, 1)
    decodedBytes = min(min(file.uncompressedBytes, 1 << 50) + 4 * values, 1 << 50)
    isRewritable = file.unreadable.isEmpty
    hasTombstones = file.hasTombstones
  }
}

/// A stored row of a base file and the row of the batch that takes its place.
package struct RowReplacement: Sendable {
  /// The stored row's position in the file.
  package var position: Int
  /// The row of the batch.
  package var row: Int

  /// Pairs rows.
  package init(position: Int, row: Int) {
    self.position = position
    self.row = row
  }
}

/// What becomes of stored rows of one file, row by row.
package struct StoredRowChanges: Sendable {
  /// Positions of rows that go, ascending.
  package var deleted: [Int] = []
  /// Rows that are replaced in place, by their positions, ascending.
  package var replaced: [RowReplacement] = []
  /// Deleted keys whose deletions are kept.
  package var tombstones = NewTombstones()

  /// Changes nothing.
  package init() {}

  /// Whether no stored row changes.
  package var isEmpty: Bool { deleted.isEmpty && replaced.isEmpty }
}

/// What stored rows become that a condition chose.
package enum StoredRowOutcome: Sendable {
  /// They are replaced by as many rows, in their order.
  case replaced(KeyedRows)
  /// They go, and these deletions are kept.
  case deleted(NewTombstones)
}

/// What a condition does to the rows that it chose: a pure function of the stored rows, which whoever writes their file
/// calls when it has read them.
package struct StoredRowEffect: Sendable {
  /// Whether rows go, rather than get other values.
  package let isDeletion: Bool
  /// The columns of stored rows that it looks at.
  package let columns: Schema
  /// Makes the outcome of stored rows, of the partition with this path.
  package let outcome: @Sendable (RecordBatch, String) throws -> StoredRowOutcome

  /// Wraps a function.
  package init(
    isDeletion: Bool, columns: Schema,
    outcome: @escaping @Sendable (_ stored: RecordBatch, _ partition: String) throws -> StoredRowOutcome
  ) {
    self.isDeletion = isDeletion
    self.columns = columns
    self.outcome = outcome
  }
}

/// The rows of one file that a condition chose, and what it does to them.
///
/// What they become is made when the file is written, so that of a change to a whole table no more rows are held than
/// those of the files under way.
package struct ChosenRows: Sendable {
  /// The chosen ones among the file's rows.
  private let rows: Bitmap
  /// How many they are.
  package let count: Int
  /// What becomes of them.
  package let effect: StoredRowEffect

  /// Chooses rows by their positions, which are ascending.
  package init(_ positions: [Int], _ effect: StoredRowEffect) {
    // Not by the footer's word: it may claim more rows than there are.
    var rows = Bitmap(count: (positions.last ?? -1) + 1)
    for position in positions { rows[position] = true }
    self.rows = rows
    count = positions.count
    self.effect = effect
  }

  /// The chosen ones of some rows, ascending.
  func positions(_ range: Range<Int>) -> [Int] { range.clamped(to: 0..<rows.count).filter { rows[$0] } }

  /// All chosen ones, ascending.
  package var positions: [Int] { positions(0..<rows.count) }
}

/// What changes in a file group, which gets a new base file.
package struct FileGroupUpdate: Sendable {
  /// Which stored rows change, and how.
  package enum Changes: Sendable {
    /// They are known.
    case rows(StoredRowChanges)
    /// A condition chose them.
    case condition(ChosenRows)
  }

  /// The version that is read.
  package let slice: FileSlice
  /// What its footer tells.
  package let facts: BaseFileFacts
  /// Whether a part of its key index was found damaged, so that it must be made anew.
  package let isIndexDamaged: Bool
  /// What becomes of stored rows.
  package let changes: Changes
  /// Rows of the batch that are appended.
  package var inserts: [Int32]
  /// Keys of inserts, as UTF-8 bytes, whose tombstones end.
  package var revivedKeys: [[UInt8]] = []

  /// Plans a new version of a file group.
  package init(
    _ slice: FileSlice, _ facts: BaseFileFacts, isIndexDamaged: Bool = false, _ changes: Changes,
    inserts: [Int32] = []
  ) {
    self.slice = slice
    self.facts = facts
    self.isIndexDamaged = isIndexDamaged
    self.changes = changes
    self.inserts = inserts
  }

  /// How many stored rows are replaced.
  package var updatedCount: Int {
    switch changes {
    case .rows(let rows): rows.replaced.count
    case .condition(let chosen): chosen.effect.isDeletion ? 0 : chosen.count
    }
  }

  /// How many stored rows go.
  package var deletedCount: Int {
    switch changes {
    case .rows(let rows): rows.deleted.count
    case .condition(let chosen): chosen.effect.isDeletion ? chosen.count : 0
    }
  }

  /// About how many bytes of the file lie from the first row that changes to the last.
  package var touchedBytes: Int {
    guard case .rows(let rows) = changes else { return facts.encodedBytes }
    let firsts = [rows.deleted.first, rows.replaced.first?.position].compactMap(\.self)
    let lasts = [rows.deleted.last, rows.replaced.last?.position].compactMap(\.self)
    guard let first = firsts.min(), let last = lasts.max(), last < facts.rowCount else { return 0 }
    return Int(Double(facts.encodedBytes) * Double(last - first + 1) / Double(facts.rowCount))
  }
}

/// Rows of one partition for new file groups.
package struct FileGroupCreation: Sendable {
  /// The partition.
  package let partitionPath: String
  /// The bucket whose one file group takes them; nil where as many as they fill do.
  package let bucket: Int?
  /// Rows of the batch.
  package let inserts: [Int32]

  /// Plans new file groups.
  package init(partitionPath: String, bucket: Int? = nil, inserts: [Int32]) {
    self.partitionPath = partitionPath
    self.bucket = bucket
    self.inserts = inserts
  }
}
