import TarnBytes
import TarnColumns
import TarnIndex
import TarnParquet

/// Finds the stored rows of one file with the keys of a batch: by key range, then by the key index; in files without
/// one by Bloom filter and key column.
package struct KeyLookup: Sendable {
  private let reader: BaseFileReader
  private let storedKeys: StoredKeys
  private let batch: RecordKeys

  /// Looks up the keys of a batch.
  package init(_ batch: RecordKeys, _ storedKeys: StoredKeys, _ reader: BaseFileReader) {
    self.reader = reader
    self.storedKeys = storedKeys
    self.batch = batch
  }

  /// What was found in a file.
  package struct Found: Sendable {
    /// The stored rows, in ascending order of their positions.
    package var matches: [StoredMatch] = []
    /// Whether a part of its key index was found damaged, so that it must be made anew.
    package var isIndexDamaged = false
  }

  /// Looks rows of the batch up.
  ///
  /// - Parameter match: Adds the matches among some stored keys.
  /// - Throws: ``FileGroupError``.
  package func find(
    _ queries: KeyQueries, in file: ParquetFile, _ match: (KeyPage, inout [StoredMatch]) -> Void
  ) async throws(FileGroupError) -> Found {
    try await fileGroupErrors { try await lookUp(queries, in: file, match) }
  }

  private func lookUp(
    _ queries: KeyQueries, in file: ParquetFile, _ match: (KeyPage, inout [StoredMatch]) -> Void
  ) async throws -> Found {
    var found = Found()
    let isAlike = storedKeys.haveSameTexts(in: file)
    guard file.rowCount > 0, !isAlike || isInRange(queries.rows, file) else { return found }
    if isAlike {
      do {
        var matches: [StoredMatch] = []
        if try await askIndex(queries, in: file, match, &matches) {
          found.matches = matches
          return found
        }
      } catch let error as KeyIndexError {
        guard case .damaged = error else { throw error }
        reader.warn("\(error): its keys are looked up row by row, and its next version gets a new index")
        found.isIndexDamaged = true
      }
      guard mayHold(queries.rows, file) else { return found }
    }
    let scan = StoredKeyScan(storedKeys, reader)
    try await scan.forEach(in: file, amongKeysOf: queries.rows, batch.texts) { keys, positions in
      match(KeyPage(keys: keys, positions: positions, asked: nil), &found.matches)
    }
    // A page index that is wrong lets pages come out of their order.
    found.matches.sort { $0.place.position < $1.place.position }
    return found
  }

  /// Looks keys up in the key index of a file, and confirms them by the pages of keys that it names.
  ///
  /// - Returns: Whether the file has an index that fits it.
  /// - Throws: ``KeyIndexError``, also where the index is damaged, or ``ParquetError``.
  private func askIndex(
    _ queries: KeyQueries, in file: ParquetFile, _ match: (KeyPage, inout [StoredMatch]) -> Void,
    _ matches: inout [StoredMatch]
  ) async throws -> Bool {
    guard let index = try await reader.footers.keyIndex(of: file, in: reader.storage),
      let pages = index.pages(in: file)
    else { return false }
    let candidates = try await index.lookUp(queries.hashes, in: reader.storage, at: file.path)
    var wanted = [[(rows: Range<Int>, asked: [Int32])]](repeating: [], count: file.rowGroupCount)
    var last: Int32 = -1
    for candidate in candidates {
      guard let page = pages[Int(candidate.slot)] else { continue }
      if candidate.slot != last { wanted[page.group].append((page.rows, [])) }
      last = candidate.slot
      wanted[page.group][wanted[page.group].count - 1].asked.append(queries.rows[Int(candidate.query)])
    }
    var start = 0
    let columns = try storedKeys.columns(in: file)
    // What is found is spliced, and lies in the same row groups.
    try await file.fetchAhead(groups: wanted.indices.filter { !wanted[$0].isEmpty })
    for (group, pages) in wanted.enumerated() {
      if !pages.isEmpty {
        let runs = pages.map(\.rows)
        func damaged(_ message: String) -> KeyIndexError {
          .damaged(path: file.path, offset: index.regionOffset, message: message)
        }
        do {
          let isPaged = try await file.forEachRun(runs, inGroup: group, columns: columns) { run, columns in
            match(
              KeyPage(
                keys: try storedKeys.keys(of: columns),
                positions: [start + runs[run].lowerBound..<start + runs[run].upperBound],
                asked: pages[run].asked), &matches)
          }
          guard isPaged else { throw damaged("its slots are not the pages of the key's columns") }
        } catch let error as ParquetError where error.code == .malformed {
          // Whether a page is damaged or the page index is wrong, a read of the whole column tells.
          throw damaged("a page of the key's columns is not what the page index says: \(error.message)")
        }
      }
      start += file.rowCount(inGroup: group)
    }
    return true
  }

  private func isInRange(_ rows: [Int32], _ file: ParquetFile) -> Bool {
    let range = KeyRange(file)
    return rows.contains { !range.excludes(batch.texts[Int($0)]) }
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
      let key = batch.texts[Int(row)]
      if range.excludes(key) { continue }
      if let filter, !filter.mightContain(key) { continue }
      return true
    }
    return false
  }
}
