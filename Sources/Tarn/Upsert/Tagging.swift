import TarnAvro
import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet
import TarnStorage
import TarnTimeline

/// A file slice, with the rows of it that a batch touches.
///
/// It keeps of its base file only what packing asks for: the footers of many files, with their Bloom filters, are
/// large, so whoever reads a file opens it again, by a cache that has a bound.
struct TaggedSlice: Sendable {
  /// The slice.
  var slice: FileSlice
  /// Number of rows in its base file.
  var rowCount: Int
  /// Bytes that the pages of the file take.
  var encodedBytes: Int
  /// About how many bytes its rows take once they are decoded, with strings in dictionaries as positions there.
  var decodedBytes: Int
  /// Number of its columns.
  var columnCount: Int
  /// Whether every column of the file can be carried over to a new one.
  var isRewritable: Bool
  /// Where its key index lies, if that has tombstones.
  var tombstones: KeyIndexReference?
  /// The directory of its key index, where keys were looked up in it.
  var index: KeyIndexDirectory?
  /// Whether a part of its key index was found damaged, so that it must be made anew.
  var isIndexDamaged = false
  /// The touched rows, in ascending order of their positions in the file.
  var matches: [Match]
  private let footers: FooterCache

  init(_ slice: FileSlice, _ file: ParquetFile, _ footers: FooterCache) {
    self.footers = footers
    self.slice = slice
    rowCount = file.rowCount
    // A damaged footer may claim more than there is.
    encodedBytes = min(max(file.encodedBytes, 0), max(slice.size, 0))
    columnCount = file.schema.fields.count
    let values = min(max(file.rowCount, 0), 1 << 40) * max(columnCount, 1)
    decodedBytes = min(min(file.uncompressedBytes, 1 << 50) + 4 * values, 1 << 50)
    isRewritable = file.unreadable.isEmpty
    tombstones = file.tombstones
    matches = []
  }

  /// Opens the base file.
  func open(_ storage: any Storage) async throws(ParquetError) -> ParquetFile {
    try await footers.open(slice, in: storage)
  }

  /// A stored row and the row of the batch with the same key.
  struct Match: Sendable {
    /// Position of the stored row in the file.
    var stored: Int
    /// Position of the incoming row in the batch.
    var incoming: Int
  }
}

/// Finds the stored rows with the keys of a batch: by key range, then by the key index; in files without one by
/// Bloom filter and key column.
struct Tagger: Sendable {
  let storage: any Storage
  let footers: FooterCache
  let keys: StoredKeys
  /// What is asked of a file of another writer when it is first used; nil where there is nothing to ask.
  let check: StoredKeyCheck?
  let batch: PreparedBatch
  let parallelism: Int
  let warn: @Sendable (String) -> Void

  /// Rows whose keys are held at once where there is no index, and bytes of their pages that are read ahead.
  private static let scannedRows = 32_768
  private static let readAhead = 4 << 20

  /// Looks through slices of partitions; slices without a match are in the answer too, since inserts
  /// may go into them.
  ///
  /// - Parameter slices: The slices to look through, each with its partition's position in the batch's
  ///   keys, or -1 for a partition that no row of the batch names.
  func tag(_ slices: [(slice: FileSlice, partition: Int32)]) async throws(TableError) -> [TaggedSlice] {
    // A file is asked only for keys that may lie in it.
    let candidates = Dictionary(grouping: batch.winners, by: batch.place)
      .mapValues { KeyQueries($0, batch.keys) }
    let none = KeyQueries([], batch.keys)
    return try await tableErrors {
      try await concurrently(slices, width: parallelism) { entry in
        let queries = candidates[batch.place(of: entry.slice, entry.partition)] ?? none
        return try await tag(entry.slice, partition: entry.partition, queries)
      }
    }
  }

  /// Opens slices without looking anything up in them.
  func open(_ slices: [FileSlice]) async throws(TableError) -> [TaggedSlice] {
    try await tableErrors {
      try await concurrently(slices, width: parallelism) { slice in
        let file = try await footers.open(slice, in: storage, checking: check)
        try batch.buckets?.check(file, slice)
        return TaggedSlice(slice, file, footers)
      }
    }
  }

  private func tag(
    _ slice: FileSlice, partition: Int32, _ queries: KeyQueries
  ) async throws -> TaggedSlice {
    let file = try await footers.open(slice, in: storage, checking: check)
    try batch.buckets?.check(file, slice)
    var tagged = TaggedSlice(slice, file, footers)
    let range = KeyRange(file)
    let isAlike = keys.haveSameTexts(in: file)
    guard file.rowCount > 0,
      !isAlike || queries.rows.contains(where: { !range.excludes(batch.keys.keys[Int($0)]) })
    else {
      return tagged
    }
    if isAlike {
      do {
        let lookup = KeyLookup(storage: storage, file: file, keys: keys)
        var matches: [TaggedSlice.Match] = []
        tagged.index = try await lookup.run(queries) { strings, start, asked in
          let filter = KeyFilter(batch.keys.keys, asked)
          match(strings, partition, startingAt: start, filter, into: &matches)
        }
        tagged.matches = matches
        if tagged.index != nil { return tagged }
      } catch let error as KeyIndexError {
        guard case .damaged = error else { throw error }
        warn("\(error): its keys are looked up row by row, and its next version gets a new index")
        tagged.isIndexDamaged = true
      }
    }
    guard !isAlike || mayHold(queries.rows, file) else { return tagged }
    var start = 0
    for try await rows in file.batches(
      columns: try keys.columns(in: file), rowsPerBatch: Self.scannedRows, readAhead: Self.readAhead)
    {
      match(try keys.keys(of: rows), partition, startingAt: start, into: &tagged.matches)
      start += rows.count
    }
    return tagged
  }

  private func match(
    _ stored: ByteStrings, _ partition: Int32, startingAt start: Int, _ filter: KeyFilter? = nil,
    into matches: inout [TaggedSlice.Match]
  ) {
    for row in 0..<stored.count where filter?.mayHold(stored[row]) ?? true {
      guard let incoming = batch.row(for: stored, row, hash: stored.hash(row), partition: partition) else {
        continue
      }
      matches.append(TaggedSlice.Match(stored: start + row, incoming: incoming))
    }
  }

  /// Whether any of the rows' keys may be in a file, by its footer.
  private func mayHold(_ rows: [Int32], _ file: ParquetFile) -> Bool {
    let range = KeyRange(file)
    // A filter that cannot be read rules nothing out.
    let filter = file.keyValue(BloomFilter.footerKey).flatMap {
      try? BloomFilter(
        decoding: Array($0.utf8).span.bytes, kindName: file.keyValue(BloomFilter.kindFooterKey))
    }
    for row in rows {
      let key = batch.keys.keys[Int(row)]
      if range.excludes(key) { continue }
      if let filter, !filter.mightContain(key) { continue }
      return true
    }
    return false
  }
}

/// The least and the greatest record key of a file, from its footer.
struct KeyRange: Sendable {
  /// Footer key of the least record key.
  static let leastKey = "hoodie_min_record_key"
  /// Footer key of the greatest record key.
  static let greatestKey = "hoodie_max_record_key"

  private let bounds: (least: [UInt8], greatest: [UInt8])?

  init(_ file: ParquetFile) {
    guard let least = file.keyValue(Self.leastKey), let greatest = file.keyValue(Self.greatestKey) else {
      bounds = nil
      return
    }
    let pair = (least: Array(least.utf8), greatest: Array(greatest.utf8))
    // Java orders UTF-16 units, other writers UTF-8 bytes: the orders agree below U+E000.
    let isCommon = !pair.least.contains { $0 >= 0xee } && !pair.greatest.contains { $0 >= 0xee }
    // A range that holds nothing, in a file that has rows, is wrong.
    bounds = isCommon && !pair.greatest.lexicographicallyPrecedes(pair.least) ? pair : nil
  }

  /// Whether a key is certainly not in the file.
  func excludes(_ key: RawSpan) -> Bool {
    guard let bounds else { return false }
    return key.withUnsafeBytes { bytes in
      if bytes.contains(where: { $0 >= 0xee }) { return false }
      return bytes.lexicographicallyPrecedes(bounds.least) || bounds.greatest.lexicographicallyPrecedes(bytes)
    }
  }
}
