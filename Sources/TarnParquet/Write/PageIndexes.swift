import TarnStorage

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

  /// Tells anew where the pages of a chunk lie.
  mutating func place(_ pages: OffsetIndex, group: Int, column: Int) {
    groups[group]?.offsets.replace(column, by: pages.encoded())
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

  /// Replaces one.
  mutating func replace(_ index: Int, by one: [UInt8]) {
    let range = (index == 0 ? 0 : ends[index - 1])..<ends[index]
    bytes.replaceSubrange(range, with: one)
    for later in index..<ends.count { ends[later] += one.count - range.count }
  }

  /// Where each lies, where the first lies at an offset.
  func ranges(from offset: Int) -> [Range<Int>] {
    zip([0] + ends, ends).map { offset + $0..<offset + $1 }
  }
}

/// Chunks whose row groups lie in the file already, and that follow at its end.
struct LateChunks {
  /// Bytes of one.
  enum Part: Sendable {
    /// A range of an older file.
    case copy(Range<Int>)
    case bytes([UInt8])
  }

  /// One of them.
  fileprivate struct Chunk {
    let parts: [Part]
    /// Where its pages lie, counted from its begin.
    let pages: OffsetIndex
    let group: Int
    /// The chunk's number in the row group.
    let column: Int
    /// The file that its copied parts are of.
    let source: (path: String, tag: ObjectTag?)
  }

  fileprivate var chunks: [Chunk] = []

  /// Takes a chunk.
  mutating func append(
    _ parts: [Part], _ pages: OffsetIndex, group: Int, column: Int, of source: String = "",
    _ tag: ObjectTag? = nil
  ) {
    chunks.append(Chunk(parts: parts, pages: pages, group: group, column: column, source: (source, tag)))
  }
}

extension ParquetWriter {
  /// Writes the chunks that come at the end, and lets row groups and page indexes know where they lie.
  mutating func writeLateChunks() async throws(ParquetError) {
    for chunk in late.chunks {
      let start = position
      for part in chunk.parts {
        switch part {
        case .bytes(let bytes): try await write(bytes)
        case .copy(let range): try await copy(range, of: chunk.source.path, chunk.source.tag)
        }
      }
      groups[chunk.group].columns[chunk.column].move(by: start)
      indexes.place(chunk.pages.moved(by: start), group: chunk.group, column: chunk.column)
    }
    late = LateChunks()
  }
}

extension ChunkMetadata {
  /// Lets the chunk lie further on in the file.
  fileprivate mutating func move(by distance: Int) {
    dataPageOffset += distance
    dictionaryPageOffset = dictionaryPageOffset.map { $0 + distance }
  }
}

extension OffsetIndex {
  /// The same, of pages that lie further on in the file.
  fileprivate func moved(by distance: Int) -> OffsetIndex {
    OffsetIndex(
      pages: pages.map {
        PageLocation(
          offset: $0.offset + distance, compressedSize: $0.compressedSize, firstRow: $0.firstRow)
      })
  }
}
