import TarnBytes
import TarnColumns

extension ParquetFile {
  /// The pages of a chunk as the file holds them, for another file that takes them over.
  ///
  /// - Parameters:
  ///   - group: The row group.
  ///   - chunk: The position among the group's chunks, one for each leaf of the schema.
  /// - Throws: ``ParquetError`` where the storage fails, there is no such chunk, it is damaged, its column
  ///   cannot be read, or the file has no page index (code `unsupported`): then its rows must be read.
  public func encodedChunk(group: Int, chunk: Int) async throws(ParquetError) -> EncodedChunk {
    guard metadata.groups.indices.contains(group),
      let leaf = nodes.flatMap(\.leaves).first(where: { $0.chunk == chunk })
    else { throw ParquetError(.notFound, path: path, "there is no chunk \(chunk) in row group \(group)") }
    let stored = metadata.groups[group].columns[chunk]
    let range = try chunkRange(group, leaf)
    let rows = metadata.groups[group].rowCount
    guard leaf.hasOrderOfType, let offsets = try await offsetIndexes(group, [leaf]).first?.index,
      let index = try await columnIndex(group, leaf, pageRows: offsets.pageRows(of: rows))
    else {
      throw failure(
        .unsupported("there is no page index to rely on, so that pages cannot be taken over"), leaf)
    }
    let locations = offsets.pages
    do throws(FormatProblem) {
      guard let nullCounts = index.nullCounts, nullCounts.allSatisfy({ $0 >= 0 }) else {
        throw .unsupported("the page index does not count nulls, so that pages cannot be taken over")
      }
      var result = EncodedChunk(parts: [])
      result.origin = EncodedChunk.Origin(leaf, stored.codec)
      for (number, location) in locations.enumerated() {
        let end = number + 1 < locations.count ? locations[number + 1].firstRow : rows
        let isNull = index.nullPages[number]
        var page = EncodedPage(
          bytes: [], rowCount: end - location.firstRow, nullCount: nullCounts[number],
          minimum: isNull ? nil : index.minimums[number], maximum: isNull ? nil : index.maximums[number])
        page.boundsMindNaN = boundsMindNaN
        result.parts.append(.page(page))
      }
      try await fill(&result, range, locations)
      return result
    } catch {
      throw failure(error, leaf, at: range.lowerBound)
    }
  }

  /// Reads the chunk and gives each page its bytes.
  private func fill(
    _ chunk: inout EncodedChunk, _ range: Range<Int>, _ locations: [PageLocation]
  ) async throws(FormatProblem) {
    var buffer = ByteBuffer()
    do {
      try await fetch(range, into: &buffer)
    } catch {
      throw .unsupported(error.message)
    }
    let bytes = buffer.bytes
    if let first = locations.first, first.offset > range.lowerBound {
      chunk.dictionary = bytes.extracting(0..<first.offset - range.lowerBound).copied()
    }
    for (number, location) in locations.enumerated() {
      guard case .page(var page) = chunk.parts[number] else { continue }
      let start = location.offset - range.lowerBound
      page.bytes = bytes.extracting(start..<start + location.compressedSize).copied()
      chunk.parts[number] = .page(page)
    }
  }
}

extension EncodedChunk {
  /// What pages of another file were made as.
  struct Origin: Sendable, Hashable {
    var physical: PhysicalType
    var byteLength: Int
    var codec: Codec
    var greatestDefinition: Int
    var greatestRepetition: Int

    init(_ leaf: LeafColumn, _ codec: Codec) {
      physical = leaf.physical
      byteLength = leaf.physical == .fixedByteArray ? leaf.byteLength : 0
      self.codec = codec
      greatestDefinition = leaf.greatestDefinition
      greatestRepetition = leaf.greatestRepetition
    }

    init(_ leaf: WrittenLeaf, _ codec: Codec) {
      physical = leaf.element.physical ?? .byteArray
      byteLength = leaf.element.byteLength ?? 0
      self.codec = codec
      greatestDefinition = leaf.greatestDefinition
      greatestRepetition = leaf.greatestRepetition
    }
  }
}
