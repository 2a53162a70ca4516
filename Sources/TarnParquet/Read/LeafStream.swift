import TarnBytes
import TarnColumns

/// Reads one chunk page by page, holding no more than the pages at hand and a window of bytes ahead.
final class LeafStream: @unchecked Sendable {
  // Unchecked, since a batch's reading hands each stream to one task at a time.
  let leaf: LeafColumn
  private let file: ParquetFile
  private let entries: Int
  /// Rows of the row group.
  let rowCount: Int
  private var decoder: any PageDecoder
  private var walk: PageWalk
  /// What was decoded and is not wholly given, and how many of its rows are.
  private var held: RowWindow?
  private var heldGiven = 0
  /// About how many bytes it takes.
  private var heldBytes = 0
  /// Rows given so far.
  private var rowsGiven = 0
  /// A page of which some rows are still to be decoded, and how many are.
  private var open: (page: PlacedPage, rows: Int)?

  init(
    _ file: ParquetFile, _ group: Int, _ leaf: LeafColumn, window: Int, readsAhead: Bool = true,
    expected: Int
  ) throws(ParquetError) {
    self.file = file
    self.leaf = leaf
    let chunk = file.metadata.groups[group].columns[leaf.chunk]
    walk = PageWalk(
      file, leaf, try file.chunkRange(group, leaf), slack: chunk.slack, window: window,
      readsAhead: readsAhead)
    entries = chunk.valueCount
    rowCount = file.metadata.groups[group].rowCount
    decoder = leaf.decoder(
      chunk.codec, entries: entries, expected: expected, cutsNanoseconds: file.cutsNanoseconds)
  }

  /// Decodes pages until so many rows are at hand, or fewer, at least one, that take so many bytes.
  ///
  /// - Returns: How many of the rows are at hand.
  func prepare(
    _ rows: Int, bytes: Int, _ scratch: inout PageScratch
  ) async throws(ParquetError) -> Int {
    while completeRows - rowsGiven < rows, byteCount < bytes || completeRows == rowsGiven {
      try await readPage(bytes, &scratch)
    }
    return min(rows, completeRows - rowsGiven)
  }

  /// About how many bytes take the rows at hand.
  var byteCount: Int {
    let rows = held?.piece.rows ?? 0
    return decoder.byteCount + (rows > 0 ? heldBytes / rows * (rows - heldGiven) : 0)
  }

  /// The next rows, of those that are at hand.
  func next(_ rows: Int) throws(ParquetError) -> LeafValues {
    do throws(FormatError) {
      rowsGiven += rows
      if let held, held.piece.rows - heldGiven >= rows, !mayGoOn(held, heldGiven + rows) {
        heldGiven += rows
        return held.slice(heldGiven - rows..<heldGiven)
      }
      var parts = [try decoder.take()]
      let mayGoOn = leaf.greatestRepetition > 0
      if let held, mayGoOn || heldGiven < held.piece.rows {
        parts.insert(held.slice(heldGiven..<held.piece.rows), at: 0)
      }
      let piece = try LeafValues.joined(parts, leaf)
      if piece.rows == rows, !mayGoOn {
        // A batch that ends with a page is given as it is, and nothing of it is held.
        held = nil
        heldGiven = 0
        heldBytes = 0
        return piece
      }
      let window = RowWindow(piece, leaf)
      held = window
      heldGiven = rows
      heldBytes = piece.values.byteCount(of: 0..<piece.values.count, isWrittenOut: false)
      return window.slice(0..<rows)
    } catch {
      throw file.failure(error, leaf, at: walk.position)
    }
  }

  /// Whether the row before an end that is the window's own may go on in what was decoded after it.
  private func mayGoOn(_ window: RowWindow, _ end: Int) -> Bool {
    leaf.greatestRepetition > 0 && end == window.piece.rows && end > 0
  }

  /// Rows of which all entries are decoded: the next page may go on the last one of a list.
  private var completeRows: Int {
    let mayGoOn = leaf.greatestRepetition > 0 && decoder.entriesRead < entries
    return mayGoOn ? max(decoder.rowsRead - 1, 0) : decoder.rowsRead
  }

  /// Decodes the next page, or as many of its rows as take about so many bytes.
  private func readPage(_ bytes: Int, _ scratch: inout PageScratch) async throws(ParquetError) {
    let problem = FormatError.malformed("the chunk holds another number of rows than the row group")
    let start = open?.rows ?? 0
    var next = open?.page
    open = nil
    if next == nil, decoder.entriesRead < entries { next = try await walk.next() }
    guard let page = next else { throw file.failure(problem, leaf, at: walk.position) }
    let rows = start..<leaf.endOfPart(page.header, from: start, bytes)
    let isWhole = rows == 0..<page.header.valueCount
    try await walk.read(page, rows: isWhole ? nil : rows, with: &decoder, &scratch)
    if rows.upperBound < page.header.valueCount { open = (page, rows.upperBound) }
    guard decoder.rowsRead <= rowCount, decoder.entriesRead < entries || decoder.rowsRead == rowCount else {
      throw file.failure(problem, leaf, at: page.offset)
    }
  }
}

extension LeafColumn {
  /// How many times the bytes that are wanted a page may take, so that it is decoded at once.
  ///
  /// A page that is decoded in parts is decompressed for each of them.
  private static let mostOfPage = 4
  /// Rows that are decoded of a page at least, and the most parts, since each costs as much as the whole for some
  /// encodings.
  private static let leastOfPage = 64
  private static let mostParts = 64

  /// Bytes of a decoded value, at least.
  private var leastWidth: Int { if case .decimal = type { 16 } else { 8 } }

  /// Where the part of a page ends that is decoded at once.
  ///
  /// What pages take when they are decoded follows the number of columns, and not what they take in the file.
  fileprivate func endOfPart(_ header: PageHeader, from start: Int, _ bytes: Int) -> Int {
    let count = header.valueCount
    guard isFlat, header.type == .data || header.type == .dataV2, count - start > Self.leastOfPage else {
      return max(count, start)
    }
    let each = max(leastWidth, header.uncompressedSize / count)
    guard (count - start) > bytes / each * Self.mostOfPage else { return count }
    return start + min(count - start, max(bytes / each, Self.leastOfPage, count / Self.mostParts))
  }
}
