import TarnBytes
import TarnColumns
import TarnIndex

/// Rows in the table's schema, and the record key of each.
package struct KeyedRows: Sendable {
  /// The rows.
  package let rows: RecordBatch
  /// Their keys.
  package let keys: ByteStrings
  /// The XXH64 of each key.
  package let hashes: [UInt64]

  /// Takes rows and their keys.
  package init(_ rows: RecordBatch, _ keys: RecordKeys) {
    self.rows = rows
    self.keys = keys.texts
    hashes = keys.hashes
  }

  /// Chosen rows of others.
  package init(_ chosen: [Int32], of source: KeyedRows) throws(ColumnError) {
    rows = try source.rows.gather(chosen)
    var keys = ByteStrings()
    try keys.append(source.keys, rows: chosen.span)
    self.keys = keys
    var hashes: [UInt64] = []
    hashes.reserveCapacity(chosen.count)
    for row in chosen { hashes.append(source.hashes[Int(row)]) }
    self.hashes = hashes
  }

  /// The positions of all rows.
  package var all: [Int32] { Array(0..<Int32(rows.count)) }
}
