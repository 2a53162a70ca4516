import TarnBytes
import TarnStorage

extension KeyIndexDirectory {
  /// Bytes beyond which a request takes no further block: more where each request takes long, however little it is about.
  static func largestRequest(_ costs: RequestCosts) -> Int { costs.overlaps ? 4 << 20 : 1 << 20 }

  /// Tells the slots that may hold each key.
  ///
  /// Reads only blocks that may hold one of the hashes, those near each other in one request.
  ///
  /// - Parameters:
  ///   - sortedHashes: Hashes of the keys in ascending order; equal ones are allowed.
  ///   - storage: Where the file is.
  ///   - path: The file's path.
  /// - Returns: Each query and slot once, in ascending order of slot and then of query. Slots without rows are left out.
  /// - Throws: ``KeyIndexError``; a damaged block is an error, never a wrong answer.
  package func lookUp(
    _ sortedHashes: [UInt32], in storage: any Storage, at path: String
  ) async throws(KeyIndexError) -> [KeyIndexCandidate] {
    var search = EntrySearch(queries: sortedHashes)
    var buffer = ByteBuffer()
    let wanted = Self.positions(in: entryBlocks, of: sortedHashes)
    for request in requests(for: wanted, of: entryBlocks, storage.costs) {
      try await Self.fill(&buffer, request.range, in: storage, at: path)
      for index in wanted[request.positions] {
        let bytes = try block(entryBlocks[index], in: buffer.bytes, request, path)
        let block = KeyIndexEntryBlock(bytes, count: entryBlocks[index].count, slotWidth: slotWidth)
        guard search.take(block, slotRows: slotRows) else {
          throw damaged(entryBlocks[index], path, "it names a slot that is not there")
        }
      }
    }
    return search.candidates()
  }

  /// Tells the tombstones whose key has one of the hashes; the keys themselves are for the caller to compare.
  ///
  /// - Parameters:
  ///   - sortedHashes: Hashes of the keys in ascending order.
  ///   - storage: Where the file is.
  ///   - path: The file's path.
  ///   - expiry: Tombstones of before this time are left out, in milliseconds since 1970-01-01T00:00:00Z.
  /// - Throws: ``KeyIndexError``.
  package func tombstones(
    for sortedHashes: [UInt32], in storage: any Storage, at path: String, expiry: Int64 = .min
  ) async throws(KeyIndexError) -> [KeyTombstone] {
    let wanted = Self.positions(in: tombstoneBlocks, of: sortedHashes)
    return try await tombstones(blocks: wanted, in: storage, at: path, expiry).filter { tombstone in
      let index = sortedHashes.lowerBound(tombstone.hash)
      return index < sortedHashes.count && sortedHashes[index] == tombstone.hash
    }
  }

  /// All tombstones in ascending order of their hashes, as a rewrite of the file needs them.
  ///
  /// - Parameters:
  ///   - storage: Where the file is.
  ///   - path: The file's path.
  ///   - expiry: Tombstones of before this time are left out, in milliseconds since 1970-01-01T00:00:00Z.
  /// - Throws: ``KeyIndexError``.
  package func allTombstones(
    in storage: any Storage, at path: String, expiry: Int64 = .min
  ) async throws(KeyIndexError) -> [KeyTombstone] {
    try await tombstones(blocks: Array(tombstoneBlocks.indices), in: storage, at: path, expiry)
  }

  /// All entries in the order of the file, as a check needs them.
  ///
  /// - Throws: ``KeyIndexError``.
  package func allEntries(
    in storage: any Storage, at path: String
  ) async throws(KeyIndexError) -> [KeyIndexEntry] {
    var entries: [KeyIndexEntry] = []
    var packed: [UInt64] = []
    var buffer = ByteBuffer()
    let wanted = Array(entryBlocks.indices)
    for request in requests(for: wanted, of: entryBlocks, storage.costs) {
      try await Self.fill(&buffer, request.range, in: storage, at: path)
      for index in wanted[request.positions] {
        let bytes = try block(entryBlocks[index], in: buffer.bytes, request, path)
        let block = KeyIndexEntryBlock(bytes, count: entryBlocks[index].count, slotWidth: slotWidth)
        block.entries(into: &packed)
        entries += packed.map(KeyIndexEntry.init(packed:))
      }
    }
    return entries
  }

  private func tombstones(
    blocks wanted: [Int], in storage: any Storage, at path: String, _ expiry: Int64
  ) async throws(KeyIndexError) -> [KeyTombstone] {
    var found: [KeyTombstone] = []
    var buffer = ByteBuffer()
    for request in requests(for: wanted, of: tombstoneBlocks, storage.costs) {
      try await Self.fill(&buffer, request.range, in: storage, at: path)
      for index in wanted[request.positions] {
        let block = try tombstones(of: tombstoneBlocks[index], in: buffer.bytes, request, path)
        found += block.lazy.filter { $0.time >= expiry }
      }
    }
    return found
  }

  func tombstones(
    of block: KeyIndexBlock, in bytes: RawSpan, _ request: KeyIndexRequest, _ path: String
  ) throws(KeyIndexError) -> [KeyTombstone] {
    let bytes = try self.block(block, in: bytes, request, path)
    guard let tombstones = KeyTombstoneWriter.read(bytes, count: block.count) else {
      throw damaged(block, path, "its tombstones are not as long as it says")
    }
    return tombstones
  }

  // MARK: Blocks

  /// Positions of the blocks that may hold one of the hashes, in ascending order.
  static func positions(in blocks: [KeyIndexBlock], of sortedHashes: [UInt32]) -> [Int] {
    var wanted: [Int] = []
    var next = 0
    for hash in sortedHashes {
      // A run of equal hashes may begin at the end of the block before the first that begins with it.
      let low = blocks.lowerBound(from: next) { $0.firstHash < hash }
      let high = blocks.lowerBound(from: low) { $0.firstHash <= hash }
      let first = max(low - 1, next)
      if first < high { wanted.append(contentsOf: first..<high) }
      next = max(next, high)
    }
    return wanted
  }

  /// Brings wanted blocks together into requests.
  ///
  /// - Parameter costs: Which bytes between two blocks are read rather than asked for around, and how many at once.
  func requests(
    for wanted: [Int], of blocks: [KeyIndexBlock], _ costs: RequestCosts
  ) -> [KeyIndexRequest] {
    let most = Self.largestRequest(costs)
    var requests: [KeyIndexRequest] = []
    for (position, index) in wanted.enumerated() {
      let range = blocks[index].range(from: regionOffset)
      if let last = requests.last, range.lowerBound - last.range.upperBound <= costs.widestGap,
        range.upperBound - last.range.lowerBound <= most
      {
        requests[requests.count - 1].range = last.range.lowerBound..<range.upperBound
        requests[requests.count - 1].positions = last.positions.lowerBound..<position + 1
      } else {
        requests.append(KeyIndexRequest(range: range, positions: position..<position + 1))
      }
    }
    return requests
  }

  /// A block's bytes out of those of a request, after a look at their checksum.
  @_lifetime(copy bytes)
  func block(
    _ block: KeyIndexBlock, in bytes: RawSpan, _ request: KeyIndexRequest, _ path: String
  ) throws(KeyIndexError) -> RawSpan {
    let start = regionOffset + block.offset - request.range.lowerBound
    guard start >= 0, block.length <= bytes.byteCount - start else {
      throw damaged(block, path, "it was not read whole")
    }
    let part = bytes.extracting(start..<start + block.length)
    guard CRC32.checksum(part) == block.checksum else {
      throw damaged(block, path, "the checksum of a block differs")
    }
    return part
  }

  func damaged(_ block: KeyIndexBlock, _ path: String, _ message: String) -> KeyIndexError {
    .damaged(path: path, offset: regionOffset + block.offset, message: message)
  }
}

/// A range of the file that holds wanted blocks.
struct KeyIndexRequest {
  /// Bytes in the file.
  var range: Range<Int>
  /// Which of the wanted blocks lie in it.
  var positions: Range<Int>
}

/// Finds queries in one block after the other.
private struct EntrySearch {
  let queries: [UInt32]
  /// Slot and query, packed so that they order as candidates do.
  private var found: [UInt64] = []
  private var firstQuery = 0

  init(queries: [UInt32]) { self.queries = queries }

  /// Adds what a block holds; false where it names a slot that is not there.
  mutating func take(_ block: borrowing KeyIndexEntryBlock, slotRows: [Int32]) -> Bool {
    let last = block.hash(block.count - 1)
    firstQuery = queries.lowerBound(block.hash(0), from: firstQuery)
    var query = firstQuery
    var position = 0
    while query < queries.count, queries[query] <= last {
      let hash = queries[query]
      position = block.lowerBound(hash, from: position)
      var entry = position
      var before = -1
      while entry < block.count, block.hash(entry) == hash {
        let slot = block.slot(entry)
        guard slot < slotRows.count else { return false }
        if slot != before, slotRows[slot] > 0 { found.append(UInt64(slot) << 32 | UInt64(query)) }
        before = slot
        entry += 1
      }
      query += 1
    }
    return true
  }

  consuming func candidates() -> [KeyIndexCandidate] {
    found.sort()
    var candidates: [KeyIndexCandidate] = []
    candidates.reserveCapacity(found.count)
    var before = UInt64.max
    for packed in found where packed != before {
      candidates.append(
        KeyIndexCandidate(
          query: Int32(truncatingIfNeeded: packed), slot: Int32(truncatingIfNeeded: packed >> 32)))
      before = packed
    }
    return candidates
  }
}

extension Array {
  /// Position of the first element from `start` on that is not before; those before come first.
  func lowerBound(from start: Int = 0, _ isBefore: (Element) -> Bool) -> Int {
    var low = start
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension [UInt32] {
  /// Position of the first value from `start` on that is not less.
  func lowerBound(_ value: UInt32, from start: Int = 0) -> Int {
    lowerBound(from: start) { $0 < value }
  }
}
