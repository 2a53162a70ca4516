import TarnColumns
import TarnIndex

/// Where a stored row is.
package enum StoredPlace: Sendable, Hashable {
  /// At a position in the base file.
  case baseFile(position: Int)

  /// The position in the base file.
  package var position: Int {
    switch self {
    case .baseFile(let position): position
    }
  }
}

/// A stored row and the row of the batch with the same key.
package struct StoredMatch: Sendable, Hashable {
  /// Where the stored row is.
  package let place: StoredPlace
  /// The row of the batch.
  package let row: Int

  /// Pairs rows.
  package init(_ place: StoredPlace, row: Int) {
    self.place = place
    self.row = row
  }
}

/// Rows of a batch by the hashes of their keys, as key indexes are asked.
package struct KeyQueries: Sendable {
  /// Shortened hashes, ascending.
  package let hashes: [UInt32]
  /// The rows, in that order.
  package let rows: [Int32]

  /// Sorts rows by their keys.
  package init(_ rows: [Int32], _ keys: RecordKeys) {
    var packed: [UInt64] = []
    packed.reserveCapacity(rows.count)
    for row in rows {
      packed.append(UInt64(KeyIndex.shortened(keys.hashes[Int(row)])) << 32 | UInt64(UInt32(row)))
    }
    packed.sort()
    hashes = packed.map { UInt32(truncatingIfNeeded: $0 >> 32) }
    self.rows = packed.map { Int32(truncatingIfNeeded: $0) }
  }
}

/// Stored keys that may be among those of a batch.
package struct KeyPage: Sendable {
  /// The keys of rows of a file.
  package let keys: ByteStrings
  /// The positions in the file of these rows.
  package let positions: [Range<Int>]
  /// The rows of the batch whose keys may be there; nil for all.
  package let asked: [Int32]?
}
