import TarnBytes
import TarnStorage

/// What an upsert changes in the key index of a file.
package struct KeyIndexChanges: Sendable {
  /// Number of rows in each slot afterwards: the old slots, emptied ones included, and then new ones.
  package var slotRows: [Int32]
  /// Entries of inserted keys, in any order.
  package var added: [KeyIndexEntry] = []
  /// Entries of deleted keys, in any order; each takes one equal entry with it, and one that is not there does nothing.
  package var removed: [KeyIndexEntry] = []
  /// Tombstones to add; each replaces one of the same key, and of several for one key the last stays.
  package var addedTombstones: [KeyTombstone] = []
  /// Keys, as UTF-8 bytes, whose tombstones go, since they were inserted again.
  package var removedTombstones: [[UInt8]] = []
  /// Tombstones of before this time go, in milliseconds since 1970-01-01T00:00:00Z; nil for none.
  package var expiry: Int64?

  /// Makes changes that leave all but the row counts as it is.
  package init(slotRows: [Int32]) { self.slotRows = slotRows }
}

/// How the key index of a new file comes about: mostly of ranges of the old file.
package struct KeyIndexPlan: Sendable {
  /// A part of the new region.
  package enum Piece: Sendable, Hashable {
    /// These bytes of the old file.
    case copy(Range<Int>)
    /// New bytes.
    case bytes([UInt8])

    /// Length in bytes.
    package var length: Int {
      switch self {
      case .copy(let range): range.count
      case .bytes(let bytes): bytes.count
      }
    }
  }

  /// The new region from its first byte to its last.
  package let pieces: [Piece]
  /// Length of the new region in bytes.
  package let length: Int
  let directory: KeyIndexDirectory

  /// Number of tombstones in the new region.
  package var tombstoneCount: Int { directory.tombstoneCount }

  /// What the new file's footer says, for a region that begins at an offset in it.
  package func reference(at offset: Int) -> KeyIndexReference {
    KeyIndexReference(offset: offset, length: length, directoryLength: directory.encodedLength)
  }

  /// What ``KeyIndexDirectory/read(_:in:at:)`` would give then.
  package func directory(at offset: Int) -> KeyIndexDirectory { directory.moved(to: offset) }
}

extension KeyIndexDirectory {
  /// Plans the key index of the next version of a file, reading only blocks that change.
  ///
  /// It holds the blocks that change in memory, and the directory; when there are so many more slots that they
  /// need another byte, all blocks change.
  ///
  /// - Parameters:
  ///   - changes: What changes; it must tell at least as many slots as there are, and those that it adds entries to.
  ///   - storage: Where the old file is.
  ///   - path: The old file's path.
  ///   - sizing: How rewritten blocks are cut.
  /// - Throws: ``KeyIndexError``; then the index must be built anew from the keys.
  package func plan(
    _ changes: KeyIndexChanges, in storage: any Storage, at path: String,
    sizing: KeyIndex.Sizing = KeyIndex.Sizing()
  ) async throws(KeyIndexError) -> KeyIndexPlan {
    precondition(changes.slotRows.count >= slotRows.count, "slots are never taken away")
    precondition(changes.added.allSatisfy { $0.slot >= 0 && $0.slot < changes.slotRows.count })
    let width = max(slotWidth, sizing.slotWidth(slots: changes.slotRows.count))
    var entries = KeyIndexRegionWriter()
    try await planEntries(changes, width: width, sizing, storage, path, into: &entries)
    var tombstones = KeyIndexRegionWriter()
    try await planTombstones(changes, sizing, storage, path, into: &tombstones)

    let directory = KeyIndexDirectory(
      regionOffset: 0, slotRows: changes.slotRows, slotWidth: width, entryBlocks: entries.blocks,
      tombstoneBlocks: tombstones.blocks)
    entries.append(tombstones)
    directory.encode(into: &entries.fresh)
    entries.flush()
    let length = directory.blocksLength + directory.encodedLength + Self.trailerLength
    return KeyIndexPlan(pieces: entries.pieces, length: length, directory: directory)
  }

  private func planEntries(
    _ changes: KeyIndexChanges, width: Int, _ sizing: KeyIndex.Sizing, _ storage: any Storage,
    _ path: String, into region: inout KeyIndexRegionWriter
  ) async throws(KeyIndexError) {
    let writer = KeyIndexEntryWriter(slotWidth: width, entriesPerBlock: sizing.entriesPerBlock)
    var edit = EntryEdit(added: changes.added, removed: changes.removed)
    let touched =
      width > slotWidth
      ? Array(entryBlocks.indices)
      : Self.united(
        Self.targets(in: entryBlocks, of: edit.added.map { UInt32(truncatingIfNeeded: $0 >> 32) }),
        Self.positions(in: entryBlocks, of: edit.removed.map { UInt32(truncatingIfNeeded: $0 >> 32) }))
    var buffer = ByteBuffer()
    var old: [UInt64] = []
    var next = 0
    for request in requests(for: touched, of: entryBlocks, storage.costs) {
      try await Self.fill(&buffer, request.range, in: storage, at: path)
      for index in touched[request.positions] {
        region.copy(entryBlocks[next..<index], from: regionOffset)
        if region.fresh.isEmpty {
          let last = entryBlocks[index + Self.runLength(touched, at: index) - 1]
          let length = last.offset + last.length - entryBlocks[index].offset
          region.fresh.reserveCapacity(length + length / 8)
        }
        next = index + 1
        let bytes = try block(entryBlocks[index], in: buffer.bytes, request, path)
        KeyIndexEntryBlock(bytes, count: entryBlocks[index].count, slotWidth: slotWidth)
          .entries(into: &old)
        let limit = next < entryBlocks.count ? entryBlocks[next].firstHash : nil
        let new = edit.applied(to: old, before: limit)
        writer.write(new.span, into: &region.fresh, &region.blocks)
      }
    }
    region.copy(entryBlocks[next...], from: regionOffset)
    // Entries are left over only where the index had no block.
    writer.write(edit.applied(to: [], before: nil).span, into: &region.fresh, &region.blocks)
  }

  private func planTombstones(
    _ changes: KeyIndexChanges, _ sizing: KeyIndex.Sizing, _ storage: any Storage, _ path: String,
    into region: inout KeyIndexRegionWriter
  ) async throws(KeyIndexError) {
    let writer = KeyTombstoneWriter(sizing: sizing)
    var edit = TombstoneEdit(changes)
    let expiry = changes.expiry ?? .min
    let expiring = tombstoneBlocks.indices.filter { tombstoneBlocks[$0].oldest < expiry }
    let touched = Self.united(
      Self.united(expiring, Self.targets(in: tombstoneBlocks, of: edit.added.map(\.hash))),
      Self.positions(in: tombstoneBlocks, of: edit.removedHashes))
    var buffer = ByteBuffer()
    var next = 0
    for request in requests(for: touched, of: tombstoneBlocks, storage.costs) {
      try await Self.fill(&buffer, request.range, in: storage, at: path)
      for index in touched[request.positions] {
        region.copy(tombstoneBlocks[next..<index], from: regionOffset)
        next = index + 1
        let old = try tombstones(of: tombstoneBlocks[index], in: buffer.bytes, request, path)
        let limit = next < tombstoneBlocks.count ? tombstoneBlocks[next].firstHash : nil
        writer.write(edit.applied(to: old, before: limit), into: &region.fresh, &region.blocks)
      }
    }
    region.copy(tombstoneBlocks[next...], from: regionOffset)
    writer.write(edit.applied(to: [], before: nil), into: &region.fresh, &region.blocks)
  }

  /// Positions of the blocks that take new hashes: the last that begins with no greater one.
  private static func targets(in blocks: [KeyIndexBlock], of sortedHashes: [UInt32]) -> [Int] {
    var targets: [Int] = []
    guard !blocks.isEmpty else { return targets }
    for hash in sortedHashes {
      let after = blocks.lowerBound(from: targets.last ?? 0) { $0.firstHash <= hash }
      let target = max(after - 1, 0)
      if targets.last != target { targets.append(target) }
    }
    return targets
  }

  /// How many numbers from this one on follow one another.
  private static func runLength(_ ascending: [Int], at number: Int) -> Int {
    let start = ascending.lowerBound { $0 < number }
    var end = start
    while end < ascending.count, ascending[end] - number == end - start { end += 1 }
    return end - start
  }

  /// Both of two ascending lists in one, each number once.
  private static func united(_ left: [Int], _ right: [Int]) -> [Int] {
    var both: [Int] = []
    for index in (left + right).sorted() where both.last != index { both.append(index) }
    return both
  }
}

/// Gathers the pieces and the blocks of a new region.
private struct KeyIndexRegionWriter {
  var pieces: [KeyIndexPlan.Piece] = []
  var blocks: [KeyIndexBlock] = []
  /// New bytes behind the last piece.
  var fresh: [UInt8] = []

  mutating func copy(_ untouched: ArraySlice<KeyIndexBlock>, from regionOffset: Int) {
    guard let first = untouched.first, let last = untouched.last else { return }
    blocks += untouched
    append(
      .copy(first.range(from: regionOffset).lowerBound..<last.range(from: regionOffset).upperBound))
  }

  mutating func flush() {
    guard !fresh.isEmpty else { return }
    pieces.append(.bytes(fresh))
    fresh = []
  }

  private mutating func append(_ piece: KeyIndexPlan.Piece) {
    switch piece {
    case .bytes(let bytes): fresh += bytes
    case .copy(let range):
      flush()
      if case .copy(let before) = pieces.last, before.upperBound == range.lowerBound {
        pieces[pieces.count - 1] = .copy(before.lowerBound..<range.upperBound)
      } else {
        pieces.append(piece)
      }
    }
  }

  /// Appends the pieces of another region, but not its blocks.
  mutating func append(_ other: KeyIndexRegionWriter) {
    for piece in other.pieces { append(piece) }
    fresh += other.fresh
  }
}

/// Applies entries to add and to remove to one block after the other.
private struct EntryEdit {
  let added: [UInt64]
  let removed: [UInt64]
  private var nextAdded = 0
  private var firstRemoved = 0
  /// Which removals have found their entry.
  private var done: [Bool]

  init(added: [KeyIndexEntry], removed: [KeyIndexEntry]) {
    self.added = added.map(\.packed).sorted()
    self.removed = removed.map(\.packed).sorted()
    done = [Bool](repeating: false, count: removed.count)
  }

  /// The block without what goes, and with what comes before the hash that the next block begins with.
  mutating func applied(to old: [UInt64], before limit: UInt32?) -> [UInt64] {
    let end = limit.map { UInt64($0) << 32 } ?? .max
    var news = nextAdded
    while news < added.count, added[news] < end { news += 1 }
    if limit == nil { news = added.count }
    let kept = remaining(of: old)
    let coming = added[nextAdded..<news]
    nextAdded = news
    return merged(kept, coming)
  }

  private mutating func remaining(of old: [UInt64]) -> [UInt64] {
    guard let first = old.first, !removed.isEmpty else { return old }
    firstRemoved = removed.lowerBound(from: firstRemoved) { $0 >> 32 < first >> 32 }
    var kept: [UInt64] = []
    kept.reserveCapacity(old.count)
    var next = firstRemoved
    for entry in old {
      while next < removed.count, removed[next] < entry || (removed[next] == entry && done[next]) {
        next += 1
      }
      if next < removed.count, removed[next] == entry { done[next] = true } else { kept.append(entry) }
    }
    return kept
  }

  private func merged(_ left: [UInt64], _ right: ArraySlice<UInt64>) -> [UInt64] {
    guard !right.isEmpty else { return left }
    var both: [UInt64] = []
    both.reserveCapacity(left.count + right.count)
    var next = right.startIndex
    for entry in left {
      while next < right.endIndex, right[next] < entry {
        both.append(right[next])
        next += 1
      }
      both.append(entry)
    }
    both += right[next...]
    return both
  }
}

/// Applies tombstones to add and to remove to one block after the other.
private struct TombstoneEdit {
  let added: [KeyTombstone]
  /// Hashes of keys whose stored tombstones go, in ascending order.
  let removedHashes: [UInt32]
  private let removedKeys: Set<[UInt8]>
  private let expiry: Int64
  private var nextAdded = 0

  init(_ changes: KeyIndexChanges) {
    expiry = changes.expiry ?? .min
    added = KeyIndexSort.sorted(changes.addedTombstones)
    removedKeys = Set(changes.removedTombstones).union(added.map(\.key))
    removedHashes = removedKeys.map { KeyIndex.hash(of: $0.span.bytes) }.sorted()
  }

  mutating func applied(to old: [KeyTombstone], before limit: UInt32?) -> [KeyTombstone] {
    let first = nextAdded
    while nextAdded < added.count, limit.map({ added[nextAdded].hash < $0 }) ?? true { nextAdded += 1 }
    let kept = old.filter { $0.time >= expiry && !removedKeys.contains($0.key) }
    return (kept + added[first..<nextAdded]).sorted { ($0.hash, $0.time) < ($1.hash, $1.time) }
  }
}
