import TarnBytes
import TarnColumns

/// A file cut into slots: runs of rows that begin with a page in every column.
///
/// A splice copies or encodes whole slots. Tarn's own files have a slot of ``ParquetWriteOptions/pageRows``
/// rows for each page; where a column has long values, several of its pages make one slot. Other writers end
/// pages by bytes, so that their columns have few boundaries in common, if any.
package struct SpliceLayout: Sendable {
  /// The row groups' slots, as rows counted from the begin of their group.
  package let groups: [[Range<Int>]]
  /// The pages of each chunk, by row group and column.
  let chunks: [[ChunkLayout]]

  /// Rows of each slot, over all row groups.
  package var slotRows: [Int] { groups.flatMap { $0.map(\.count) } }
}

/// The pages of one column chunk, and which of them lie in each slot.
struct ChunkLayout: Sendable {
  var leaf: LeafColumn
  /// Where the chunk lies in the file.
  var range: Range<Int>
  /// Where its dictionary page lies; nil where it has none.
  var dictionary: Range<Int>?
  var codec: Codec
  var uncompressedSize: Int
  var pages: [WrittenPage]
  /// Where each page begins in the file, and the end of the last.
  var offsets: [Int]
  /// The pages of each slot.
  var slots: [Range<Int>]
  /// Whether the pages' bounds leave no NaN out; where that is not known, pages are looked at before they are copied.
  var mindsNaN = true

  func bytes(ofPages pages: Range<Int>) -> Range<Int> {
    offsets[pages.lowerBound]..<offsets[pages.upperBound]
  }
}

/// What pages must have in common with those beside which they are copied.
struct ChunkForm: Hashable {
  private let physical: PhysicalType
  private let byteLength: Int
  private let codec: Codec
  private let greatestDefinition: Int
  private let greatestRepetition: Int

  /// The form of a file's chunk.
  init(_ leaf: LeafColumn, _ codec: Codec) {
    physical = leaf.physical
    byteLength = leaf.physical == .fixedByteArray ? leaf.byteLength : 0
    self.codec = codec
    greatestDefinition = leaf.greatestDefinition
    greatestRepetition = leaf.greatestRepetition
  }

  /// The form in which a chunk is written.
  init(_ leaf: WrittenLeaf, _ codec: Codec) {
    physical = leaf.element.physical ?? .byteArray
    byteLength = leaf.element.byteLength ?? 0
    self.codec = codec
    greatestDefinition = leaf.greatestDefinition
    greatestRepetition = leaf.greatestRepetition
  }
}

extension ParquetFile {
  /// How the file can be spliced into one of the given columns; nil where its rows must be encoded anew.
  ///
  /// That is so where it has other columns, another codec or physical types, no page index or one that is damaged or
  /// contradicts itself, gaps between pages, or pages whose encodings its footer does not count.
  ///
  /// - Throws: ``ParquetError`` where the storage fails.
  package func spliceLayout(
    for schema: Schema, options: ParquetWriteOptions
  ) async throws(ParquetError) -> SpliceLayout? {
    guard unreadable.isEmpty, self.schema.fields == schema.fields else { return nil }
    let leaves = nodes.compactMap(\.flatLeaf)
    // Bounds go over to the new file, which says of all of them that they follow the order of the type.
    guard leaves.count == nodes.count, leaves.allSatisfy(\.hasOrderOfType) else { return nil }
    for (leaf, field) in zip(leaves, schema.fields) {
      guard let written = WrittenField(field)?.leaves.first, leaf.isFlat else { return nil }
      for group in metadata.groups {
        let codec = group.columns[leaf.chunk].codec
        guard codec == options.codec, ChunkForm(leaf, codec) == ChunkForm(written, codec)
        else { return nil }
      }
    }
    guard let indexes = try await pageIndexes(leaves) else { return nil }
    var groups: [[Range<Int>]] = []
    var chunks: [[ChunkLayout]] = []
    for (group, columns) in indexes.enumerated() {
      let rows = metadata.groups[group].rowCount
      // More rows are not read, and no writer makes as many.
      guard rows <= Int(Int32.max) else { return nil }
      guard let slots = OffsetIndex.commonSlots(columns.map(\.offsets), rows: rows) else { return nil }
      var layouts: [ChunkLayout] = []
      for (leaf, index) in zip(leaves, columns) {
        guard let layout = try await layout(group, leaf, index.offsets, index.bounds, slots) else {
          return nil
        }
        layouts.append(layout)
      }
      groups.append(slots)
      chunks.append(layouts)
    }
    return SpliceLayout(groups: groups, chunks: chunks)
  }

  /// The page index of all chunks, in one request where it lies together; nil where a part is missing.
  private func pageIndexes(
    _ leaves: [LeafColumn]
  ) async throws(ParquetError) -> [[(offsets: OffsetIndex, bounds: ColumnIndex)]]? {
    var requests: [RangeRequest<(group: Int, leaf: Int, isOffsets: Bool)>] = []
    for (group, metadata) in metadata.groups.enumerated() {
      for (number, leaf) in leaves.enumerated() {
        let chunk = metadata.columns[leaf.chunk]
        guard let offsets = chunk.offsetIndex, let bounds = chunk.columnIndex else { return nil }
        requests.append(RangeRequest(range: offsets, parts: [(group, number, true)]))
        requests.append(RangeRequest(range: bounds, parts: [(group, number, false)]))
      }
    }
    var result = metadata.groups.map { _ in
      leaves.map { _ in (offsets: OffsetIndex(), bounds: ColumnIndex()) }
    }
    var buffer = ByteBuffer()
    for request in RangeRequest.joined(requests, gap: widestGap, most: Self.greatestRequest) {
      guard request.range.upperBound <= size else { return nil }
      try await fetch(request.range, into: &buffer)
      for part in request.parts {
        let chunk = metadata.groups[part.group].columns[leaves[part.leaf].chunk]
        guard let place = part.isOffsets ? chunk.offsetIndex : chunk.columnIndex else { return nil }
        let start = place.lowerBound - request.range.lowerBound
        do throws(FormatError) {
          var reader = ThriftReader(buffer.bytes.extracting(start..<start + place.count))
          if part.isOffsets {
            result[part.group][part.leaf].offsets = try reader.offsetIndex()
          } else {
            result[part.group][part.leaf].bounds = try reader.columnIndex()
          }
        } catch {
          // A damaged index is made anew with the pages.
          return nil
        }
      }
    }
    return result
  }

  /// A chunk's pages, once they are known to be gapless and countable by encoding.
  private func layout(
    _ group: Int, _ leaf: LeafColumn, _ offsets: OffsetIndex, _ index: ColumnIndex, _ slots: [Range<Int>]
  ) async throws(ParquetError) -> ChunkLayout? {
    let chunk = metadata.groups[group].columns[leaf.chunk]
    let rows = metadata.groups[group].rowCount
    let range = try chunkRange(group, leaf)
    let pages = offsets.pages
    let statistics = chunk.statistics.map { Self.statistics($0, leaf, values: chunk.valueCount) }
    guard let first = pages.first, first.firstRow == 0, let nulls = index.nullCounts,
      first.offset >= range.lowerBound,
      index.contradiction(offsets.pageRows(of: rows), leaf, statistics) == nil,
      let kinds = try await kinds(group, leaf, pages)
    else { return nil }
    var layout = ChunkLayout(
      leaf: leaf, range: range, dictionary: nil, codec: chunk.codec, uncompressedSize: chunk.uncompressedSize,
      pages: [],
      offsets: [first.offset], slots: [])
    if first.offset > range.lowerBound { layout.dictionary = range.lowerBound..<first.offset }
    let order = BoundComparison(leaf.type)
    layout.mindsNaN = order.everything == nil || boundsMindNaN
    for (number, page) in pages.enumerated() {
      let end = number + 1 < pages.count ? pages[number + 1].firstRow : rows
      guard page.offset == layout.offsets[number], page.compressedSize > 0,
        page.compressedSize <= range.upperBound - page.offset, end > page.firstRow, nulls[number] >= 0,
        nulls[number] <= end - page.firstRow
      else { return nil }
      layout.offsets.append(page.offset + page.compressedSize)
      let bounds =
        index.nullPages[number]
        ? nil : order.bounds(index.minimums[number], index.maximums[number], isText: leaf.type == .string)
      layout.pages.append(
        WrittenPage(
          type: kinds[number].type, encoding: kinds[number].encoding, size: page.compressedSize,
          rowCount: end - page.firstRow, valueCount: end - page.firstRow, nullCount: nulls[number],
          bounds: bounds, isUnordered: order.isEverything(bounds)))
    }
    guard layout.offsets.last == range.upperBound else { return nil }
    var page = 0
    for slot in slots {
      let from = page
      while page < pages.count, pages[page].firstRow < slot.upperBound { page += 1 }
      layout.slots.append(from..<page)
    }
    return layout
  }

  /// What a page is, and how its values are encoded.
  private typealias Kind = (type: PageType, encoding: Encoding)

  /// Kind and encoding of each page, by the footer's counts where these tell, since pages that refer to a
  /// dictionary come first; else by the pages' headers.
  ///
  /// Nil where the counts are missing, or pages are in an order that is not gone on with.
  private func kinds(
    _ group: Int, _ leaf: LeafColumn, _ pages: [PageLocation]
  ) async throws(ParquetError) -> [Kind]? {
    let chunk = metadata.groups[group].columns[leaf.chunk]
    let counts = chunk.encodingStatistics.filter { $0.page == .data || $0.page == .dataV2 }
    // `PLAIN_DICTIONARY` means either, so that such chunks are not gone on with.
    guard counts.reduce(0, { $0 &+ $1.count }) == pages.count, counts.allSatisfy({ $0.count >= 0 }),
      !counts.contains(where: { $0.encoding == .plainDictionary })
    else { return nil }
    let referring = counts.filter { $0.encoding == .rleDictionary }
    let direct = counts.filter { $0.encoding != .rleDictionary }
    if referring.count <= 1, direct.count <= 1 {
      return (referring + direct).flatMap { count in
        Array(repeating: (count.page, count.encoding), count: count.count)
      }
    }
    return try await kinds(byHeaders: group, leaf, pages)
  }

  private func kinds(
    byHeaders group: Int, _ leaf: LeafColumn, _ pages: [PageLocation]
  ) async throws(ParquetError) -> [Kind]? {
    let range = try chunkRange(group, leaf)
    var buffer = ByteBuffer()
    try await fetch(range, into: &buffer)
    var kinds: [Kind] = []
    for page in pages {
      do throws(FormatError) {
        guard page.offset >= range.lowerBound, page.offset < range.upperBound else { return nil }
        var reader = ThriftReader(buffer.bytes, at: page.offset - range.lowerBound)
        let header = try reader.pageHeader()
        if header.encoding == .rleDictionary, kinds.last.map({ $0.encoding != .rleDictionary }) ?? false {
          return nil
        }
        kinds.append((header.type, header.encoding))
      } catch {
        return nil
      }
    }
    return kinds
  }
}

extension BoundComparison {
  /// Bounds of a page as another file's index has them, which does not tell whether they were cut.
  func bounds(_ minimum: [UInt8], _ maximum: [UInt8], isText: Bool) -> EncodedBounds {
    func isWhole(_ bound: [UInt8]) -> Bool {
      // Text is cut before a character of at most four bytes.
      if case .bytes = self { return isText && bound.count < BoundCut.greatestLength - 3 }
      return true
    }
    return EncodedBounds(
      minimum: minimum, maximum: maximum, isMinimumExact: isWhole(minimum), isMaximumExact: isWhole(maximum))
  }
}
