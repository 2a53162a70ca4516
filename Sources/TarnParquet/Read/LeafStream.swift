import TarnBytes
import TarnColumns

/// Reads one chunk page by page, holding no more than the pages at hand and a window of bytes ahead.
final class LeafStream: @unchecked Sendable {
  // Unchecked, since a batch's reading hands each stream to one task at a time.
  let leaf: LeafColumn
  private let file: ParquetFile
  private let range: Range<Int>
  private let entries: Int
  private let rowCount: Int
  /// Bytes that are read ahead.
  private let window: Int
  private var decoder: any PageDecoder
  private var scratch = PageScratch()
  private var buffer = ByteBuffer()
  /// Where in the file the buffer begins, and the next page.
  private var bufferStart: Int
  private var position: Int
  /// What was decoded and is not wholly given, and how many of its rows are.
  private var held: RowWindow?
  private var heldGiven = 0
  /// Rows given so far.
  private var rowsGiven = 0

  /// The most bytes that a page's header may take; its bounds may be long strings.
  private static let greatestHeader = 16 << 20

  init(
    _ file: ParquetFile, _ group: Int, _ leaf: LeafColumn, window: Int, expected: Int
  ) throws(ParquetError) {
    self.file = file
    self.leaf = leaf
    self.window = window
    range = try file.chunkRange(group, leaf)
    let chunk = file.metadata.groups[group].columns[leaf.chunk]
    entries = chunk.valueCount
    rowCount = file.metadata.groups[group].rowCount
    decoder = leaf.decoder(
      chunk.codec, entries: entries, expected: expected, keepsDictionaries: file.keepsDictionaries)
    bufferStart = range.lowerBound
    position = range.lowerBound
  }

  /// The next rows, exactly so many; the row group must have them.
  func next(_ rows: Int) async throws(ParquetError) -> LeafPiece {
    while completeRows - rowsGiven < rows { try await readPage() }
    do throws(FormatProblem) {
      rowsGiven += rows
      if let held, held.piece.rows - heldGiven >= rows, !mayGoOn(held, heldGiven + rows) {
        heldGiven += rows
        return held.slice(heldGiven - rows..<heldGiven)
      }
      var parts = [try decoder.take()]
      if let held { parts.insert(held.slice(heldGiven..<held.piece.rows), at: 0) }
      let window = RowWindow(try LeafPiece.joined(parts, leaf), leaf)
      held = window
      heldGiven = rows
      return window.slice(0..<rows)
    } catch {
      throw file.failure(error, leaf, at: position)
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

  private func readPage() async throws(ParquetError) {
    let start = position
    guard decoder.entriesRead < entries, start < range.upperBound else {
      throw file.failure(
        .malformed("the chunk holds another number of rows than the row group"), leaf, at: start)
    }
    let (header, length) = try await header()
    let end = start + length + header.compressedSize
    guard header.compressedSize <= range.upperBound - start - length else {
      throw file.failure(.malformed("a page ends behind its chunk"), leaf, at: start)
    }
    try await hold(end - start)
    let from = start - bufferStart + length
    do throws(FormatProblem) {
      try decoder.read(header, buffer.bytes.extracting(from..<from + header.compressedSize), &scratch)
      guard decoder.rowsRead <= rowCount, decoder.entriesRead < entries || decoder.rowsRead == rowCount else {
        throw .malformed("the chunk holds another number of rows than the row group")
      }
    } catch {
      throw file.failure(error, leaf, at: start)
    }
    position = end
  }

  /// Parses the next page's header, reading more where it is cut short.
  private func header() async throws(ParquetError) -> (PageHeader, length: Int) {
    var wanted = 1 << 10
    while true {
      try await hold(wanted)
      do throws(FormatProblem) {
        var thrift = ThriftReader(buffer.bytes, at: position - bufferStart)
        let header = try thrift.pageHeader()
        return (header, thrift.reader.offset - (position - bufferStart))
      } catch {
        let isWhole = bufferStart + buffer.count >= range.upperBound
        guard !isWhole, wanted < Self.greatestHeader else { throw file.failure(error, leaf, at: position) }
        wanted *= 4
      }
    }
  }

  /// Makes the buffer hold so many bytes from the position on, as far as the chunk goes.
  private func hold(_ count: Int) async throws(ParquetError) {
    let end = min(position + count, range.upperBound)
    guard end > bufferStart + buffer.count || position < bufferStart else { return }
    try await file.fetch(position..<max(end, min(position + window, range.upperBound)), into: &buffer)
    bufferStart = position
  }
}
