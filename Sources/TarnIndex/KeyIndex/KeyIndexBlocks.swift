import TarnBytes

/// Cuts sorted entries into blocks and appends their bytes.
///
/// A block is all its hashes and then all its slots, least significant byte first.
struct KeyIndexEntryWriter {
  let slotWidth: Int
  let entriesPerBlock: Int

  /// Appends blocks of even size.
  ///
  /// - Parameters:
  ///   - entries: Packed entries in ascending order.
  ///   - out: Takes the bytes.
  ///   - blocks: Takes what the directory tells of each block.
  func write(_ entries: Span<UInt64>, into out: inout [UInt8], _ blocks: inout [KeyIndexBlock]) {
    guard entries.count > 0 else { return }
    let total = entries.count
    let count = (total + entriesPerBlock - 1) / entriesPerBlock
    var start = out.count
    out.append(contentsOf: repeatElement(0, count: total * (4 + slotWidth)))
    for block in 0..<count {
      let part = entries.extracting(total * block / count..<total * (block + 1) / count)
      let length = part.count * (4 + slotWidth)
      store(part, in: &out, at: start)
      let checksum = CRC32.checksum(out.span.bytes.extracting(start..<start + length))
      blocks.append(
        KeyIndexBlock(
          firstHash: UInt32(truncatingIfNeeded: part[0] >> 32), count: part.count, length: length,
          checksum: checksum))
      start += length
    }
  }

  private func store(_ part: Span<UInt64>, in bytes: inout [UInt8], at start: Int) {
    let slotWidth = slotWidth
    bytes.withUnsafeMutableBytes { bytes in
      var offset = start
      for index in part.indices {
        let hash = UInt32(truncatingIfNeeded: part[unchecked: index] &>> 32)
        bytes.storeBytes(of: hash.littleEndian, toByteOffset: offset, as: UInt32.self)
        offset &+= 4
      }
      if slotWidth == 2 {
        for index in part.indices {
          let slot = UInt16(truncatingIfNeeded: part[unchecked: index])
          bytes.storeBytes(of: slot.littleEndian, toByteOffset: offset, as: UInt16.self)
          offset &+= 2
        }
        return
      }
      for index in part.indices {
        for byte in 0..<slotWidth {
          bytes[offset] = UInt8(truncatingIfNeeded: part[unchecked: index] &>> UInt64(8 &* byte))
          offset &+= 1
        }
      }
    }
  }
}

/// Reads single hashes and slots out of a block of entries.
struct KeyIndexEntryBlock: ~Escapable {
  let bytes: RawSpan
  let count: Int
  let slotWidth: Int

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan, count: Int, slotWidth: Int) {
    precondition(bytes.byteCount == count * (4 + slotWidth))
    self.bytes = bytes
    self.count = count
    self.slotWidth = slotWidth
  }

  @inline(__always)
  func hash(_ index: Int) -> UInt32 {
    precondition(index >= 0 && index < count)
    return bytes.withUnsafeBytes {
      UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: 4 &* index, as: UInt32.self))
    }
  }

  /// The slot; not less than zero in 64 bits, whatever the bytes are.
  @inline(__always)
  func slot(_ index: Int) -> Int {
    precondition(index >= 0 && index < count)
    return bytes.withUnsafeBytes { bytes in
      let offset = 4 &* count &+ slotWidth &* index
      var slot = 0
      for byte in 0..<slotWidth { slot |= Int(bytes[offset &+ byte]) &<< (8 &* byte) }
      return slot
    }
  }

  /// Index of the first entry from `start` on whose hash is not less.
  func lowerBound(_ wanted: UInt32, from start: Int) -> Int {
    var low = start
    var high = count
    while low < high {
      let middle = (low &+ high) / 2
      if hash(middle) < wanted { low = middle &+ 1 } else { high = middle }
    }
    return low
  }

  /// Replaces what an array holds by all entries, packed.
  func entries(into entries: inout [UInt64]) {
    entries.removeAll(keepingCapacity: true)
    entries.reserveCapacity(count)
    let slots = 4 &* count
    bytes.withUnsafeBytes { bytes in
      for index in 0..<count {
        let hash = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 &* index, as: UInt32.self))
        var slot: UInt32
        if slotWidth == 2 {
          let offset = slots &+ 2 &* index
          slot = UInt32(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
        } else {
          slot = 0
          for byte in 0..<slotWidth {
            slot |= UInt32(bytes[slots &+ slotWidth &* index &+ byte]) &<< UInt32(8 &* byte)
          }
        }
        entries.append(UInt64(hash) << 32 | UInt64(slot))
      }
    }
  }
}

/// Cuts sorted tombstones into blocks, appends their bytes, and reads them.
///
/// A block is all its hashes, and then for each tombstone: time (8 bytes), length of the key (4), length of
/// the ordering value (4; all bits set for none), the key, the ordering value.
struct KeyTombstoneWriter {
  let sizing: KeyIndex.Sizing
  private static let recordLength = 20

  /// Appends blocks.
  func write(_ tombstones: [KeyTombstone], into out: inout [UInt8], _ blocks: inout [KeyIndexBlock]) {
    var first = 0
    while first < tombstones.count {
      var end = first
      var length = 0
      while end < tombstones.count, end - first < sizing.tombstonesPerBlock {
        let next = Self.recordLength + tombstones[end].key.count + (tombstones[end].ordering?.count ?? 0)
        if end > first, length + next > sizing.tombstoneBytesPerBlock { break }
        length += next
        end += 1
      }
      blocks.append(write(block: tombstones[first..<end], into: &out))
      first = end
    }
  }

  private func write(block: ArraySlice<KeyTombstone>, into out: inout [UInt8]) -> KeyIndexBlock {
    let start = out.count
    var oldest = Int64.max
    for tombstone in block { out.appendLittleEndian(tombstone.hash) }
    for tombstone in block {
      oldest = min(oldest, tombstone.time)
      out.appendLittleEndian(tombstone.time)
      out.appendLittleEndian(UInt32(tombstone.key.count))
      out.appendLittleEndian(tombstone.ordering.map { UInt32($0.count) } ?? UInt32.max)
      out += tombstone.key
      out += tombstone.ordering ?? []
    }
    return KeyIndexBlock(
      firstHash: block.first?.hash ?? 0, count: block.count, length: out.count - start,
      checksum: CRC32.checksum(out.span.bytes.extracting(droppingFirst: start)), oldest: oldest)
  }

  /// Reads a block; nil where it is not one.
  static func read(_ bytes: RawSpan, count: Int) -> [KeyTombstone]? {
    guard count <= bytes.byteCount / recordLength else { return nil }
    var hashes = ByteReader(bytes)
    var reader = ByteReader(bytes, at: 4 * count)
    var tombstones: [KeyTombstone] = []
    tombstones.reserveCapacity(count)
    do {
      for _ in 0..<count {
        let hash = try hashes.readLittleEndian(UInt32.self)
        let time = try reader.readLittleEndian(Int64.self)
        let keyLength = Int(try reader.readLittleEndian(UInt32.self))
        let orderingLength = try reader.readLittleEndian(UInt32.self)
        let key = try reader.readBytes(keyLength).copied()
        let ordering = orderingLength == .max ? nil : try reader.readBytes(Int(orderingLength)).copied()
        tombstones.append(KeyTombstone(hash: hash, key: key, ordering: ordering, time: time))
      }
    } catch {
      return nil
    }
    return reader.isAtEnd ? tombstones : nil
  }
}
