/// A Parquet file taken apart, of which tests change what they like, and which is put together again.
public struct ParquetParts: Sendable {
  /// A page: its header, and its body as stored.
  public struct Page: Sendable {
    /// `PageHeader`; its compressed size is that of the body once the file is put together.
    public var header: ThriftTree
    /// What follows it.
    public var body: [UInt8]

    /// Makes a page.
    public init(header: ThriftTree, body: [UInt8]) {
      self.header = header
      self.body = body
    }
  }

  /// The pages of a column in a row group, and their index.
  public struct Chunk: Sendable {
    /// The dictionary's, where there is one, and those of data.
    public var pages: [Page]
    /// `ColumnIndex`.
    public var columnIndex: ThriftTree?
    /// `OffsetIndex`; sizes and offsets are set where the file is put together.
    public var offsetIndex: ThriftTree?
  }

  /// `FileMetaData`; sizes and offsets of chunks are set where the file is put together.
  public var footer: ThriftTree
  /// By row group and column.
  public var chunks: [[Chunk]] = []

  /// Takes a file apart, which must be a right one.
  public init(_ bytes: [UInt8]) throws {
    let tail = bytes.suffix(8).prefix(4)
    let length = tail.reversed().reduce(0) { $0 << 8 | Int($1) }
    var start = bytes.count - 8 - length
    footer = try ThriftTree(parsing: bytes, at: &start)
    func index(_ chunk: ThriftTree, _ field: Int) throws -> ThriftTree? {
      guard var start = chunk[field]?.number, start > 0 else { return nil }
      return try ThriftTree(parsing: bytes, at: &start)
    }
    for group in footer[4]?.elements ?? [] {
      var columns: [Chunk] = []
      for column in group[1]?.elements ?? [] {
        guard let metadata = column[3], let data = metadata[9]?.number, let size = metadata[7]?.number else {
          throw ThriftTree.Malformed()
        }
        var position = min(data, metadata[11]?.number ?? data)
        let end = position + size
        var pages: [Page] = []
        while position < end {
          let header = try ThriftTree(parsing: bytes, at: &position)
          let size = header[3]?.number ?? 0
          pages.append(Page(header: header, body: Array(bytes[position..<position + size])))
          position += size
        }
        columns.append(
          Chunk(pages: pages, columnIndex: try index(column, 6), offsetIndex: try index(column, 4)))
      }
      chunks.append(columns)
    }
  }

  /// Changes what the footer says of a chunk.
  public mutating func change(
    group: Int = 0, column: Int, _ body: (inout ThriftTree) throws -> Void
  ) rethrows {
    var groups = footer[4] ?? .structures([])
    var columns = groups.elements[group][1] ?? .structures([])
    try body(&columns.elements[column])
    groups.elements[group][1] = columns
    footer[4] = groups
  }

  /// Changes what the footer says of a chunk, within its `ColumnMetaData`.
  public mutating func changeMetadata(
    group: Int = 0, column: Int, _ body: (inout ThriftTree) throws -> Void
  ) rethrows {
    try change(group: group, column: column) { chunk in
      var metadata = chunk[3] ?? .structure([])
      try body(&metadata)
      chunk[3] = metadata
    }
  }

  /// Puts the file together.
  ///
  /// - Parameters:
  ///   - sizes: Whether sizes and offsets in the footer are set.
  ///   - offsets: Changes an offset index, with row group and column, once it is right.
  public func bytes(
    settingSizes sizes: Bool = true, changing offsets: (inout ThriftTree, Int, Int) -> Void = { _, _, _ in }
  ) -> [UInt8] {
    var result = self
    var out = Array("PAR1".utf8)
    var places: [[[(offset: Int, size: Int)]]] = []
    for (group, columns) in chunks.enumerated() {
      places.append([])
      let groupStart = out.count
      var groupPlain = 0
      for (column, chunk) in columns.enumerated() {
        let start = out.count
        var pages: [(offset: Int, size: Int, type: Int)] = []
        var plain = 0
        for page in chunk.pages {
          var header = page.header
          header[3] = .int32(page.body.count)
          let bytes = header.bytes
          pages.append((out.count, bytes.count + page.body.count, header[1]?.number ?? 0))
          plain &+= bytes.count &+ (header[2]?.number ?? 0)
          out += bytes + page.body
        }
        let data = pages.filter { $0.type != 2 }
        places[group].append(data.map { ($0.offset, $0.size) })
        groupPlain &+= plain
        guard sizes else { continue }
        result.changeMetadata(group: group, column: column) { metadata in
          metadata[6] = .int64(plain)
          metadata[7] = .int64(out.count - start)
          metadata[9] = .int64(data.first?.offset ?? start)
          metadata[11] = pages.first?.type == 2 ? .int64(start) : nil
        }
      }
      guard sizes else { continue }
      result.footer[4]?.elements[group][2] = .int64(groupPlain)
      result.footer[4]?.elements[group][5] = .int64(groupStart)
      result.footer[4]?.elements[group][6] = .int64(out.count - groupStart)
    }
    for (group, columns) in chunks.enumerated() {
      for (column, chunk) in columns.enumerated() {
        var index = chunk.offsetIndex
        if var pages = index?[1] {
          for (number, place) in places[group][column].enumerated() where number < pages.elements.count {
            pages.elements[number][1] = .int64(place.offset)
            pages.elements[number][2] = .int32(place.size)
          }
          index?[1] = pages
        }
        if var changed = index {
          offsets(&changed, group, column)
          index = changed
        }
        result.change(group: group, column: column) { stored in
          for (field, tree) in [(4, index), (6, chunk.columnIndex)] {
            guard let tree else {
              // What is no place, a test has put there.
              if stored[field]?.number != nil { (stored[field], stored[field + 1]) = (nil, nil) }
              continue
            }
            (stored[field], stored[field + 1]) = (.int64(out.count), .int32(tree.bytes.count))
            out += tree.bytes
          }
        }
      }
    }
    let footer = result.footer.bytes
    out += footer
    for shift in stride(from: 0, to: 32, by: 8) {
      out.append(UInt8(truncatingIfNeeded: footer.count >> shift))
    }
    return out + Array("PAR1".utf8)
  }

  /// Makes the data pages of flat columns ones of version 2, which must not be compressed.
  ///
  /// - Parameters:
  ///   - isOptional: Whether a column may be null.
  ///   - nulls: What a page's header says of its nulls, given how many there are: a number, or nothing.
  public mutating func makeVersion2(isOptional: (Int) -> Bool, nulls: (Int) -> Int?) {
    for group in chunks.indices {
      for column in chunks[group].indices {
        for number in chunks[group][column].pages.indices {
          Self.makeVersion2(&chunks[group][column].pages[number], isOptional(column), nulls)
        }
      }
    }
  }

  private static func makeVersion2(_ page: inout Page, _ isOptional: Bool, _ nulls: (Int) -> Int?) {
    guard page.header[1]?.number == 0, let old = page.header[5], let count = old[1]?.number else { return }
    var levels: [UInt8] = []
    if isOptional {
      let length = page.body.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
      levels = Array(page.body[4..<4 + length])
      page.body = levels + page.body[(4 + length)...]
    }
    var details = ThriftTree.fields([
      1: .int32(count), 3: .int32(count), 4: old[2] ?? .int32(0), 5: .int32(levels.count), 6: .int32(0),
      7: .boolean(false),
    ])
    details[2] = nulls(isOptional ? count - validCount(levels, count) : 0).map { .int32($0) }
    page.header = .fields([
      1: .int32(3), 2: .int32(page.body.count), 3: .int32(page.body.count), 8: details,
    ])
  }

  /// Values that are there, by levels of one bit.
  private static func validCount(_ levels: [UInt8], _ count: Int) -> Int {
    var (offset, left, valid) = (0, count, 0)
    while left > 0, offset < levels.count {
      var (head, shift) = (0, 0)
      while offset < levels.count {
        head |= Int(levels[offset] & 0x7f) << shift
        shift += 7
        offset += 1
        if levels[offset - 1] & 0x80 == 0 { break }
      }
      if head & 1 == 0 {
        let run = min(head >> 1, left)
        valid += levels[offset] != 0 ? run : 0
        offset += 1
        left -= run
      } else {
        for byte in levels[offset..<min(offset + head >> 1, levels.count)] {
          let bits = min(8, left)
          valid += (Int(byte) & (1 << bits - 1)).nonzeroBitCount
          left -= bits
        }
        offset += head >> 1
      }
    }
    return valid
  }
}
