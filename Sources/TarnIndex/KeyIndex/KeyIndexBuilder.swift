import TarnBytes

/// Gathers the keys of a file that is being written, and makes its key index.
///
/// It holds eight bytes for each key, and twice as much while it sorts.
package struct KeyIndexBuilder: Sendable {
  private let sizing: KeyIndex.Sizing
  private var slotRows: [Int32] = []
  /// Packed entries.
  private var entries: [UInt64] = []
  private var tombstones: [KeyTombstone] = []
  private var greatestSlot: Int32 = -1
  /// Whether slots came in ascending order, so that sorting by hash alone does.
  private var inSlotOrder = true

  /// Makes an empty builder.
  package init(sizing: KeyIndex.Sizing = KeyIndex.Sizing()) { self.sizing = sizing }

  /// Number of slots so far.
  package var slotCount: Int { slotRows.count }

  /// Makes room for so many keys in all.
  package mutating func reserve(keys: Int) { entries.reserveCapacity(keys) }

  /// Begins the next slot, a page of so many rows, and tells its number.
  @discardableResult
  package mutating func beginSlot(rows: Int) -> Int32 {
    slotRows.append(Int32(rows))
    return Int32(slotRows.count - 1)
  }

  /// Adds a key by its hash; the slot may be begun later.
  package mutating func add(hash: UInt32, slot: Int32) {
    note(slot)
    entries.append(KeyIndexEntry(hash: hash, slot: slot).packed)
  }

  /// Begins the next slot and adds all keys of its page.
  package mutating func addSlot(hashes: Span<UInt32>) {
    let slot = beginSlot(rows: hashes.count)
    note(slot)
    for index in hashes.indices {
      entries.append(KeyIndexEntry(hash: hashes[unchecked: index], slot: slot).packed)
    }
  }

  /// Adds a tombstone; of several for one key, the last stays.
  package mutating func add(_ tombstone: KeyTombstone) { tombstones.append(tombstone) }

  private mutating func note(_ slot: Int32) {
    precondition(slot >= 0)
    inSlotOrder = inSlotOrder && slot >= greatestSlot
    greatestSlot = max(greatestSlot, slot)
  }

  /// Sorts the entries and makes the region's bytes.
  ///
  /// Every slot must have been begun.
  package consuming func finish() -> KeyIndexImage {
    precondition(Int(greatestSlot) < slotRows.count, "a key was added to a slot that was never begun")
    if inSlotOrder { KeyIndexSort.sort(byHash: &entries) } else { entries.sort() }
    let width = sizing.slotWidth(slots: slotRows.count)
    let writer = KeyIndexEntryWriter(slotWidth: width, entriesPerBlock: sizing.entriesPerBlock)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(entries.count * (4 + width) + entries.count / 32 + 4 * slotRows.count + 64)
    var entryBlocks: [KeyIndexBlock] = []
    writer.write(entries.span, into: &bytes, &entryBlocks)
    var tombstoneBlocks: [KeyIndexBlock] = []
    KeyTombstoneWriter(sizing: sizing)
      .write(KeyIndexSort.sorted(tombstones), into: &bytes, &tombstoneBlocks)
    let directory = KeyIndexDirectory(
      regionOffset: 0, slotRows: slotRows, slotWidth: width, entryBlocks: entryBlocks,
      tombstoneBlocks: tombstoneBlocks)
    directory.encode(into: &bytes)
    return KeyIndexImage(bytes: bytes, directory: directory)
  }
}

/// The bytes of a key index, ready to be written.
package struct KeyIndexImage: Sendable {
  /// The region's bytes.
  package let bytes: [UInt8]
  let directory: KeyIndexDirectory

  /// Number of tombstones in the region.
  package var tombstoneCount: Int { directory.tombstoneCount }

  /// What the footer says, for a region that begins at an offset in the file.
  package func reference(at offset: Int) -> KeyIndexReference {
    KeyIndexReference(offset: offset, length: bytes.count, directoryLength: directory.encodedLength)
  }

  /// What ``KeyIndexDirectory/read(_:in:at:)`` would give then.
  package func directory(at offset: Int) -> KeyIndexDirectory { directory.moved(to: offset) }
}

/// Orders entries and tombstones.
enum KeyIndexSort {
  /// Sorts packed entries by their upper 32 bits, keeping the order of equal ones: three passes over 11 bits.
  static func sort(byHash entries: inout [UInt64]) {
    guard entries.count > 256 else {
      entries.sort { $0 >> 32 < $1 >> 32 }
      return
    }
    var scratch = [UInt64](repeating: 0, count: entries.count)
    for pass in 0..<3 {
      var from = entries.span
      var into = scratch.mutableSpan
      distribute(&from, &into, shift: UInt64(32 + 11 * pass))
      swap(&entries, &scratch)
    }
  }

  private static func distribute(
    _ from: inout Span<UInt64>, _ into: inout MutableSpan<UInt64>, shift: UInt64
  ) {
    var counts = [Int](repeating: 0, count: 2_049)
    var positions = counts.mutableSpan
    // The mask keeps every digit below 2,048.
    for index in from.indices {
      positions[unchecked: Int(truncatingIfNeeded: (from[unchecked: index] &>> shift) & 2_047) &+ 1] &+= 1
    }
    for digit in 1..<2_049 { positions[digit] += positions[digit - 1] }
    precondition(positions[2_048] == into.count)
    for index in from.indices {
      let entry = from[unchecked: index]
      let digit = Int(truncatingIfNeeded: (entry &>> shift) & 2_047)
      into[unchecked: positions[unchecked: digit]] = entry
      positions[unchecked: digit] &+= 1
    }
  }

  /// Tombstones by hash, the last for each key.
  static func sorted(_ tombstones: [KeyTombstone]) -> [KeyTombstone] {
    var keys: Set<[UInt8]> = []
    let last = tombstones.reversed().filter { keys.insert($0.key).inserted }
    return last.sorted { ($0.hash, $0.time) < ($1.hash, $1.time) }
  }
}
