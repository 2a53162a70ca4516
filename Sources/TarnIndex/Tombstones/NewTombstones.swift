import TarnBytes
import TarnColumns

/// Keys that a commit deletes and whose deletions are kept, each with the bytes of its ordering value.
package struct NewTombstones: Sendable {
  private var keys = ByteStrings()
  private var orderings = ByteStrings()

  /// Begins with none.
  package init() {}

  /// Whether there are none.
  package var isEmpty: Bool { keys.count == 0 }

  /// Adds a key, unless its ordering value is null.
  ///
  /// - Parameters:
  ///   - key: The key's UTF-8 bytes.
  ///   - column: Has the ordering value.
  ///   - row: Where in it.
  ///   - partition: The partition in which the key was deleted; nil in a base file, which has its own, and for a
  ///     deletion from the whole table.
  package mutating func append(
    _ key: RawSpan, orderedBy column: Column, _ row: Int, partition: String? = nil
  ) throws(ColumnError) {
    guard let ordering = TombstoneOrdering.encode(column, row, partition: partition) else { return }
    try keys.append(key)
    try orderings.append(ordering.span.bytes)
  }

  /// The tombstones.
  ///
  /// - Parameter time: The commit's time in milliseconds since 1970-01-01T00:00:00Z.
  package func tombstones(at time: Int64) -> [KeyTombstone] {
    (0..<keys.count).map {
      KeyTombstone(key: keys[$0].copied(), ordering: orderings[$0].copied(), time: time)
    }
  }
}

extension KeyTombstone {
  /// Of the tombstones of each key the one that orders last; those that do not order are left out.
  ///
  /// - Parameters:
  ///   - tombstones: Older ones before newer ones.
  ///   - type: The ordering column's type; nil for a table without one, where all are kept.
  package static func latest(of tombstones: [KeyTombstone], orderedAs type: DataType?) -> [KeyTombstone] {
    guard let type else { return tombstones }
    var values = ColumnBuilder(type)
    var known: [KeyTombstone] = []
    for tombstone in tombstones {
      guard let ordering = tombstone.ordering, TombstoneOrdering.decode(ordering, into: &values) != nil
      else { continue }
      known.append(tombstone)
    }
    let orderings = values.finish()
    var last: [[UInt8]: Int] = [:]
    for (index, tombstone) in known.enumerated() {
      if let other = last[tombstone.key], orderings.compare(index, to: orderings, other) < 0 { continue }
      last[tombstone.key] = index
    }
    return last.values.sorted().map { known[$0] }
  }
}
