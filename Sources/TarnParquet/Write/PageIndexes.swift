/// The page indexes of the row groups of a file that is written, as they stand before its footer.
///
/// They are held encoded until then: of thousands of columns they would be many times as many bytes.
struct PageIndexes {
  /// The page index of one row group, made column by column.
  struct Group {
    fileprivate var bounds = EncodedSeries()
    fileprivate var offsets = EncodedSeries()
    fileprivate var places: [OffsetIndex] = []

    /// Adds what tells of the next column.
    mutating func append(_ places: OffsetIndex, _ bounds: ColumnIndex) {
      self.places.append(places)
      offsets.append(places.encoded())
      self.bounds.append(bounds.encoded())
    }
  }

  /// Nil for a row group without page index.
  private var groups: [(bounds: EncodedSeries, offsets: EncodedSeries)?] = []
  /// Rows of the slots of the row groups; see ``SpliceLayout``.
  private(set) var slotRows: [Int] = []
  /// Number of data pages.
  private(set) var pageCount = 0

  /// Takes the next row group's; nil where it is to have none.
  mutating func append(_ group: Group?, rows: Int) {
    guard let group else { return groups.append(nil) }
    slotRows += (OffsetIndex.commonSlots(group.places, rows: rows) ?? []).map(\.count)
    pageCount += group.places.reduce(0) { $0 + $1.pages.count }
    groups.append((group.bounds, group.offsets))
  }

  /// The bytes that stand in the file from an offset on, one series a row group: bounds of all columns' pages, then where
  /// they lie, as the format recommends.
  ///
  /// - Parameter metadata: The row groups, whose columns get to know where theirs lie.
  func encoded(at offset: Int, _ metadata: inout [RowGroupMetadata]) -> [[UInt8]] {
    var next = offset
    var all: [[UInt8]] = []
    func place(_ series: EncodedSeries, _ group: Int, _ path: WritableKeyPath<ChunkMetadata, Range<Int>?>) {
      for (column, range) in series.ranges(from: next).enumerated() {
        metadata[group].columns[column][keyPath: path] = range
      }
      next += series.bytes.count
      all.append(series.bytes)
    }
    for (number, group) in groups.enumerated() {
      if let bounds = group?.bounds { place(bounds, number, \.columnIndex) }
    }
    for (number, group) in groups.enumerated() {
      if let offsets = group?.offsets { place(offsets, number, \.offsetIndex) }
    }
    return all
  }
}

/// Encoded structures one after the other.
private struct EncodedSeries {
  var bytes: [UInt8] = []
  private var ends: [Int] = []

  mutating func append(_ one: [UInt8]) {
    bytes += one
    ends.append(bytes.count)
  }

  /// Where each lies, where the first lies at an offset.
  func ranges(from offset: Int) -> [Range<Int>] {
    zip([0] + ends, ends).map { offset + $0..<offset + $1 }
  }
}
