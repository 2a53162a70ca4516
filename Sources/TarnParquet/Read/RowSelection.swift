import TarnBytes
import TarnColumns
import TarnExpressions

/// Rows of a row group that a reader wants.
public struct RowSelection: Sendable, Hashable {
  /// The row group.
  public var group: Int
  /// Ranges of rows, counted from the row group's begin; nil for all of them.
  public var ranges: [Range<Int>]?
  /// Whether the ranges are those of pages, so that they mean nothing where the page index turns out to be wrong: then
  /// the other rows are given as well, behind those that were given.
  public var followsPageIndex = false

  /// Makes a selection; ranges may overlap and come in any order.
  public init(group: Int, ranges: [Range<Int>]? = nil, followsPageIndex: Bool = false) {
    self.group = group
    self.ranges = ranges.map { RowRanges.union($0) }
    self.followsPageIndex = followsPageIndex
  }

  /// Number of rows, of a row group that has so many.
  func count(of rowCount: Int) -> Int { ranges?.reduce(0) { $0 + $1.count } ?? rowCount }
}

/// Reads chosen rows of one chunk in their order, and of a file with a page index only the pages that hold them.
final class SelectedStream: @unchecked Sendable {
  // Unchecked, since a batch's reading hands each stream to one task at a time.
  let leaf: LeafColumn
  private let file: ParquetFile
  private let group: Int
  private let window: Int
  /// Whether all rows are wanted once the page index turns out to be wrong.
  private let followsPageIndex: Bool
  /// Whether it turned out to be.
  private(set) var isMisled = false
  private var source: Source
  /// Rows that are held, and where in the row group they stand.
  private var held: RowWindow?
  private var heldRows = 0..<0

  private enum Source {
    case pages(Pages)
    /// Without a page index, all pages are read.
    case stream(LeafStream)
  }

  /// Pages that are read one after the other.
  private struct Pages {
    var decoder: any PageDecoder
    var reader: RangeReader
    var requests: [RangeRequest<Page>]
    /// The next page among those of its request, and its request.
    var next = (request: 0, page: 0)
    var bytes: FetchedBytes?
  }

  private struct Page: Sendable {
    var bytes: Range<Int>
    /// Nil for the dictionary.
    var rows: Range<Int>?
  }

  /// The most rows that are decoded at once of a chunk without a page index.
  private static let step = 1 << 14
  /// The bytes that these take, save where a page or a row has more.
  private static let stepBytes = 1 << 20

  init(
    _ file: ParquetFile, _ selection: RowSelection, _ leaf: LeafColumn, _ index: OffsetIndex?, window: Int,
    expected: Int
  ) throws(ParquetError) {
    self.file = file
    self.leaf = leaf
    self.window = window
    group = selection.group
    followsPageIndex = selection.followsPageIndex
    let rowCount = file.metadata.groups[selection.group].rowCount
    guard let index, let ranges = selection.ranges else {
      source = .stream(try Self.stream(file, group, leaf, window))
      return
    }
    let chunkRange = try file.chunkRange(selection.group, leaf)
    let chunk = file.metadata.groups[selection.group].columns[leaf.chunk]
    var single: [RangeRequest<Page>] = []
    if let first = index.pages.first, first.offset > chunkRange.lowerBound {
      let range = chunkRange.lowerBound..<first.offset
      single.append(RangeRequest(range: range, parts: [Page(bytes: range, rows: nil)]))
    }
    var next = 0
    for (number, page) in index.pages.enumerated() {
      let end = number + 1 < index.pages.count ? index.pages[number + 1].firstRow : rowCount
      let rows = page.firstRow..<end
      while next < ranges.count, ranges[next].upperBound <= rows.lowerBound { next += 1 }
      guard next < ranges.count, ranges[next].overlaps(rows) else { continue }
      let range = page.offset..<page.offset + page.compressedSize
      single.append(RangeRequest(range: range, parts: [Page(bytes: range, rows: rows)]))
    }
    let requests = RangeRequest.joined(single, gap: file.widestGap, most: window)
    source = .pages(
      Pages(
        decoder: leaf.decoder(
          chunk.codec, entries: chunk.valueCount, expected: min(expected, rowCount),
          cutsNanoseconds: file.cutsNanoseconds),
        reader: RangeReader(file, requests.map(\.range), mostBytes: window * 2), requests: requests))
  }

  private static func stream(
    _ file: ParquetFile, _ group: Int, _ leaf: LeafColumn, _ window: Int
  ) throws(ParquetError) -> LeafStream {
    let rowCount = file.metadata.groups[group].rowCount
    return try LeafStream(file, group, leaf, window: window, expected: min(step, rowCount))
  }

  /// The rows of ranges, which rise, and all stand behind those that were asked for before.
  func next(
    _ ranges: [Range<Int>], _ scratch: inout PageScratch
  ) async throws(ParquetError) -> LeafValues {
    var parts: [LeafValues] = []
    for range in ranges {
      var start = range.lowerBound
      while start < range.upperBound {
        if !heldRows.contains(start) { try await advance(to: start, &scratch) }
        guard let held, heldRows.contains(start) else {
          throw file.failure(.malformed("the chunk holds fewer rows than the row group"), leaf)
        }
        let end = min(range.upperBound, heldRows.upperBound)
        parts.append(held.slice(start - heldRows.lowerBound..<end - heldRows.lowerBound))
        start = end
      }
    }
    do throws(FormatError) { return try LeafValues.joined(parts, leaf) } catch {
      throw file.failure(error, leaf)
    }
  }

  /// Decodes the page that has a row, or what follows up to it.
  private func advance(to row: Int, _ scratch: inout PageScratch) async throws(ParquetError) {
    switch source {
    case .stream(let stream):
      let rowCount = stream.rowCount
      while !heldRows.contains(row), heldRows.upperBound < rowCount {
        let rows = try await stream.prepare(
          min(Self.step, rowCount - heldRows.upperBound), bytes: Self.stepBytes, &scratch)
        heldRows = heldRows.upperBound..<heldRows.upperBound + rows
        held = RowWindow(try stream.next(rows), leaf)
      }
    case .pages(var pages):
      do throws(ParquetError) {
        while !heldRows.contains(row), pages.next.request < pages.requests.count {
          try await readPage(&pages, &scratch)
        }
        source = .pages(pages)
      } catch {
        guard error.isOfTheFile else { throw error }
        // Either the index is wrong, or a page is, which reading them all tells.
        file.distrust(leaf, error.message)
        guard !followsPageIndex else {
          isMisled = true
          throw error
        }
        source = .stream(try Self.stream(file, group, leaf, window))
        (held, heldRows) = (nil, 0..<0)
        try await advance(to: row, &scratch)
      }
    }
  }

  private func readPage(
    _ pages: inout Pages, _ scratch: inout PageScratch
  ) async throws(ParquetError) {
    let request = pages.requests[pages.next.request]
    let fetched: FetchedBytes
    if let bytes = pages.bytes {
      fetched = bytes
    } else {
      fetched = FetchedBytes(try await pages.reader.bytes())
    }
    let page = request.parts[pages.next.page]
    pages.next.page += 1
    let isLast = pages.next.page == request.parts.count
    pages.bytes = isLast ? nil : fetched
    if isLast { pages.next = (pages.next.request + 1, 0) }
    let buffer = fetched.take()
    try decode(page, buffer, from: request.range.lowerBound, &pages.decoder, &scratch)
    if !isLast { fetched.put(buffer) }
  }

  /// Decodes a page out of the bytes from `start` on.
  private func decode(
    _ page: Page, _ buffer: borrowing ByteBuffer, from start: Int, _ decoder: inout any PageDecoder,
    _ scratch: inout PageScratch
  ) throws(ParquetError) {
    do throws(FormatError) {
      let place = page.bytes.lowerBound - start
      try decoder.readPage(
        buffer.bytes.extracting(place..<place + page.bytes.count), isDictionary: page.rows == nil, &scratch)
      guard let rows = page.rows else { return }
      let piece = try decoder.take()
      guard piece.rows == rows.count, piece.repetitions.first ?? 0 == 0 else {
        throw .malformed("a page holds other rows than the page index says")
      }
      held = RowWindow(piece, leaf)
      heldRows = rows
    } catch {
      throw file.failure(error, leaf, at: page.bytes.lowerBound)
    }
  }
}
