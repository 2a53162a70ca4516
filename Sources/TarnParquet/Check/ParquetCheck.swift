import TarnBytes
import TarnColumns

/// What reading every page of a Parquet file showed.
///
/// Compared with the pages are sizes, counts and encoding lists of the footer, the page index, statistics of
/// chunks and of page headers, and Bloom filters, in which every value must be found. Also found is what some engines
/// read wrongly or refuse: an empty page, a page that refers to a dictionary behind one that does not, and text that is
/// not UTF-8.
public struct ParquetCheck: Sendable {
  /// What is not true, in the file's order.
  public private(set) var findings: [ParquetFinding] = []
  /// Number of row groups.
  public private(set) var rowGroupCount = 0
  /// Number of pages that were read, those of dictionaries among them.
  public private(set) var pageCount = 0

  /// Reads a whole file, a page at a time.
  ///
  /// - Throws: ``ParquetError`` where the storage fails or the task is cancelled; what is wrong with the file is a
  ///   finding.
  public static func run(_ file: ParquetFile) async throws(ParquetError) -> ParquetCheck {
    var check = ParquetCheck()
    try await check.checkBegin(file)
    for (name, reason) in file.unreadable.sorted(by: { $0.key < $1.key }) {
      check.findings.append(
        ParquetFinding(column: name, message: "it cannot be read, and was not checked: \(reason)"))
    }
    check.checkOrders(file.metadata)
    let leaves = file.leaves(of: Array(file.schema.fields.indices))
    check.checkOverlaps(file, leaves)
    for group in file.metadata.groups.indices {
      check.checkTotals(file.metadata.groups[group], group)
      check.checkIndexes(file.metadata.groups[group], group)
      for leaf in leaves {
        var chunk = ChunkCheck(file, group, leaf)
        try await chunk.run()
        check.findings += chunk.findings
        check.pageCount += chunk.pageCount
      }
      check.rowGroupCount += 1
    }
    return check
  }

  /// Checks the magic number that a file begins with.
  private mutating func checkBegin(_ file: ParquetFile) async throws(ParquetError) {
    var buffer = ByteBuffer()
    try await file.fetch(0..<4, into: &buffer)
    var reader = ByteReader(buffer.bytes)
    if (try? reader.readLittleEndian(UInt32.self)) != ParquetMagic.plain {
      findings.append(ParquetFinding(offset: 0, message: "the file does not begin with PAR1"))
    }
  }

  /// Checks that bounds come with the order that gives them a meaning.
  private mutating func checkOrders(_ metadata: FileMetadata) {
    let hasBounds = metadata.groups.contains { group in
      group.columns.contains { $0.statistics?.minimum != nil || $0.statistics?.maximum != nil }
    }
    guard hasBounds, metadata.hasOrderOfType == nil else { return }
    findings.append(
      ParquetFinding(
        message: "column_orders is missing, without which min_value and max_value have no meaning"))
  }

  /// Checks a row group's totals against its chunks.
  private mutating func checkTotals(_ stored: RowGroupMetadata, _ group: Int) {
    func compare(_ name: String, _ declared: Int?, _ found: Int) -> ParquetFinding? {
      guard let declared, declared != found else { return nil }
      return ParquetFinding(
        rowGroup: group, message: "\(name) is \(declared), and that of its columns together \(found)")
    }
    let plain = stored.columns.reduce(0) { $0 &+ $1.uncompressedSize }
    let compressed = stored.columns.reduce(0) { $0 &+ $1.compressedSize }
    findings += [
      compare("total_byte_size", stored.byteCount, plain),
      // Zero stands for none in files of some writers.
      compare(
        "total_compressed_size", stored.compressedByteCount.flatMap { $0 == 0 ? nil : $0 }, compressed),
    ].compactMap { $0 }
    if let ordinal = stored.ordinal, ordinal != group {
      findings.append(ParquetFinding(rowGroup: group, message: "its ordinal is \(ordinal)"))
    }
    if let offset = stored.fileOffset, offset > 0, let first = stored.columns.map(\.start).min(),
      offset != first
    {
      findings.append(
        ParquetFinding(
          rowGroup: group, offset: offset, message: "file_offset is not where the first page lies: \(first)"))
    }
  }

  /// Checks that all columns have an offset index or none: some readers want either.
  private mutating func checkIndexes(_ stored: RowGroupMetadata, _ group: Int) {
    let count = stored.columns.count { $0.offsetIndex != nil }
    guard count > 0, count < stored.columns.count else { return }
    findings.append(
      ParquetFinding(
        rowGroup: group, message: "\(count) of \(stored.columns.count) columns have an offset index"))
  }

  /// Checks that no byte belongs to two chunks.
  private mutating func checkOverlaps(_ file: ParquetFile, _ leaves: [LeafColumn]) {
    var places: [(start: Int, end: Int, group: Int, leaf: LeafColumn)] = []
    for (group, stored) in file.metadata.groups.enumerated() {
      for leaf in leaves {
        let chunk = stored.columns[leaf.chunk]
        guard chunk.compressedSize > 0, chunk.filePath == nil else { continue }
        places.append((chunk.start, chunk.start &+ chunk.compressedSize, group, leaf))
      }
    }
    places.sort { $0.start < $1.start }
    var end = 4
    for place in places {
      if place.start < end {
        findings.append(
          ParquetFinding(
            rowGroup: place.group, column: place.leaf.name, offset: place.start,
            message: "the chunk begins within what lies before it, which ends at \(end)"))
      }
      end = max(end, place.end)
    }
  }
}
