import TarnBytes
import TarnColumns

extension ChunkSplicer {
  /// Positions of values that are held at once.
  private static let greatestCount = 1 << 20
  /// Bytes beyond which values may have to be put into several pages.
  private static let greatestSize = 1 << 20

  /// Replaces a slot's values in the page as it is encoded, and tells whether that was possible.
  ///
  /// It takes one page without nulls, of which no row goes. Where it gives up, the dictionary may have
  /// entries that no page refers to, which does no harm.
  func patch(
    _ edit: SlotEdit, _ range: Range<Int>, _ pages: inout SlotReader, _ column: ColumnWriter,
    _ dictionary: [UInt8]?,
    _ result: inout SplicedChunk
  ) async throws -> Bool {
    let page = layout.pages[range.lowerBound]
    guard range.count == 1, edit.keepsPlaces, kind == .compared, page.type == .data, page.nullCount == 0,
      page.valueCount <= Self.greatestCount, let bounds = page.bounds, !page.isUnordered,
      edit.replacements.allSatisfy({ !fresh.isNull(Int($0)) }), isPatchable(page.encoding),
      column.chunks[0].encoder.patchable != nil,
      edit.replaced.last.map({ $0 < page.valueCount }) ?? false
    else { return false }
    try settle(column, page.encoding, dictionary)
    let refers = page.encoding == .rleDictionary
    let (header, size) = try await pages.plain(ofPage: range.lowerBound, &worker.scratch)
    guard header.type == .data, header.encoding == page.encoding, header.valueCount == page.valueCount else {
      return false
    }
    // Where they are long, they may have to be put into several pages.
    guard refers || column.chunks[0].encoder.plainByteCount(fresh, edit.replacements) <= Self.greatestSize
    else { return false }
    let plain = try column.chunks[0].encoder.plain(fresh, edit.replacements, areWritten: !refers)
    let patch = PagePatch(rows: edit.replaced, bounds: bounds)
    var out: [UInt8] = []
    switch try outcome(patch, header, edit, worker.scratch.buffer, plain.values, column, &out) {
    case nil, .looseBound: return false
    case .same: result.copy(layout.bytes(ofPages: range), layout.pages[range])
    case .patched:
      guard out.count <= max(Self.greatestSize, header.uncompressedSize), let new = plain.bounds else {
        return false
      }
      let encoded = EncodedValues(
        encoding: page.encoding, bounds: BoundComparison(field.type).join(bounds, new))
      try column.chunks[0].append(encoded: out, count: page.valueCount, encoded, &worker.compressor)
      result.uncompressedSize -= size
      result.append(column.chunks[0].takePages())
    }
    return true
  }

  /// Whether values can be replaced in pages of an encoding.
  private func isPatchable(_ encoding: Encoding) -> Bool {
    switch encoding {
    case .plain, .rleDictionary:
      // Numbers that are none have no place in the order, so that bounds are not gone on with.
      field.type != .float && field.type != .double
    case .deltaLengthByteArray: true
    default: false
    }
  }

  /// Where the values of a page begin, behind its levels; nil where some of it are null.
  private static func values(
    _ header: PageHeader, _ leaf: LeafColumn, _ page: RawSpan
  ) throws(FormatError) -> Int? {
    if leaf.greatestDefinition == 0 { return 0 }
    guard header.definitionEncoding == .rle else { return nil }
    var reader = ByteReader(page)
    guard let length = try? reader.readLittleEndian(UInt32.self), Int(length) <= reader.remaining else {
      throw .malformed("a page's levels end behind it")
    }
    let end = 4 + Int(length)
    let levels = try PageLevels(page.extracting(4..<end), count: header.valueCount)
    return levels.validity == nil ? end : nil
  }

  /// Patches a page as it is before compression; nil where its values are not to be patched.
  private func outcome(
    _ patch: PagePatch, _ header: PageHeader, _ edit: SlotEdit, _ page: borrowing ByteBuffer, _ new: [UInt8],
    _ column: ColumnWriter, _ out: inout [UInt8]
  ) throws(FormatError) -> PagePatch.Outcome? {
    guard let start = try Self.values(header, layout.leaf, page.bytes) else { return nil }
    let values = page.bytes.extracting(start...)
    let count = header.valueCount
    out.reserveCapacity(page.count + new.count)
    out.append(page.bytes.extracting(0..<start))
    switch (header.encoding, column.chunks[0].encoder.patchable) {
    case (.rleDictionary, .some):
      guard let new = try column.chunks[0].encoder.entries(of: fresh, edit.replacements) else { return nil }
      let encoder = column.chunks[0].encoder
      return try patch.indices(
        values, count: count, by: new, before: column.chunks[0].adoptedEntries ?? 0,
        entries: encoder.dictionaryCount, entry: encoder.entry, into: &out)
    case (.plain, .fixed(let width)):
      return try patch.fixed(values, width, count: count, by: new, into: &out)
    case (.plain, .strings):
      return try patch.prefixed(values, count: count, by: new, into: &out)
    case (.deltaLengthByteArray, .strings):
      return try patch.lengthsFirst(values, count: count, by: new, into: &out)
    default: return nil
    }
  }
}
