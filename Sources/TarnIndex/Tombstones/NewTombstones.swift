import TarnBytes
import TarnColumns

/// Keys that a commit deletes and whose deletions are kept, each with the bytes of its ordering values.
package struct NewTombstones: Sendable {
  private var keys = ByteStrings()
  private var orderings = ByteStrings()

  /// Begins with none.
  package init() {}

  /// Whether there are none.
  package var isEmpty: Bool { keys.count == 0 }

  /// Adds a key, unless all of its ordering values are null.
  ///
  /// - Parameters:
  ///   - key: The key's UTF-8 bytes.
  ///   - columns: Have the ordering values: that of the ordering column, and behind it those that break ties.
  ///   - row: Where in them.
  ///   - partition: The partition in which the key was deleted; nil in a base file, which has its own, and for a
  ///     deletion from the whole table.
  package mutating func append(
    _ key: RawSpan, orderedBy columns: [Column], _ row: Int, partition: String? = nil
  ) throws(ColumnError) {
    guard let ordering = TombstoneOrdering.encode(columns, row, partition: partition) else { return }
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
  ///   - types: The types of the ordering column and of those that break ties; none for a table without an ordering
  ///     column, where all are kept.
  package static func latest(of tombstones: [KeyTombstone], orderedAs types: [DataType]) -> [KeyTombstone] {
    guard !types.isEmpty else { return tombstones }
    var values = types.map { ColumnBuilder($0) }
    var known: [KeyTombstone] = []
    for tombstone in tombstones {
      guard let ordering = tombstone.ordering, TombstoneOrdering.decode(ordering, into: &values) != nil
      else { continue }
      known.append(tombstone)
    }
    let orderings = DeletionOrders(values.map { $0.finish() })
    var last: [[UInt8]: Int] = [:]
    for (index, tombstone) in known.enumerated() {
      if let other = last[tombstone.key], orderings.order(index, other) < 0 { continue }
      last[tombstone.key] = index
    }
    return last.values.sorted().map { known[$0] }
  }
}
