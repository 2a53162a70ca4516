import TarnBytes
import TarnStorage

/// One block of entries or of tombstones, as the directory tells it.
struct KeyIndexBlock: Sendable, Hashable {
  /// The least hash in it.
  var firstHash: UInt32
  var count: Int
  /// Length in bytes.
  var length: Int
  /// CRC-32 of its bytes.
  var checksum: UInt32
  /// Least time of its tombstones.
  var oldest: Int64 = 0
  /// Offset of its first byte in the region.
  var offset = 0

  func range(from regionOffset: Int) -> Range<Int> {
    regionOffset + offset..<regionOffset + offset + length
  }
}

/// The part of a key index that tells where in it to look: small, and worth keeping for an immutable file.
package struct KeyIndexDirectory: Sendable, Hashable {
  static let magic: UInt32 = 0x5849_4b54  // "TKIX"
  static let trailerLength = 16
  static let headerLength = 16
  static let entryBlockLength = 12
  static let tombstoneBlockLength = 24
  /// Most entries or tombstones in a block that is read, so that none asks for much memory.
  static let longestBlock = 1 << 16
  /// Most bytes in a block of tombstones that is read.
  static let largestTombstoneBlock = 1 << 28

  /// Offset of the region's first byte in the file.
  package let regionOffset: Int
  /// Number of rows in each slot; 0 for one whose page is gone.
  package let slotRows: [Int32]
  let slotWidth: Int
  let entryBlocks: [KeyIndexBlock]
  let tombstoneBlocks: [KeyIndexBlock]

  /// Number of entries, those of keys that are gone included.
  package var entryCount: Int { entryBlocks.reduce(0) { $0 + $1.count } }
  /// Number of tombstones.
  package var tombstoneCount: Int { tombstoneBlocks.reduce(0) { $0 + $1.count } }
  /// Number of blocks of entries.
  package var entryBlockCount: Int { entryBlocks.count }
  /// Bytes of memory that it takes, about.
  package var memory: Int {
    slotRows.count * MemoryLayout<Int32>.stride
      + (entryBlocks.count + tombstoneBlocks.count) * MemoryLayout<KeyIndexBlock>.stride
  }
  /// Time of the oldest tombstone, in milliseconds since 1970-01-01T00:00:00Z; nil without tombstones.
  package var oldestTombstone: Int64? { tombstoneBlocks.lazy.map(\.oldest).min() }

  /// Makes a directory of blocks that follow one another, whose offsets it sets.
  init(
    regionOffset: Int, slotRows: [Int32], slotWidth: Int, entryBlocks: [KeyIndexBlock],
    tombstoneBlocks: [KeyIndexBlock]
  ) {
    self.regionOffset = regionOffset
    self.slotRows = slotRows
    self.slotWidth = slotWidth
    var offset = 0
    func placed(_ block: KeyIndexBlock) -> KeyIndexBlock {
      var block = block
      block.offset = offset
      offset += block.length
      return block
    }
    self.entryBlocks = entryBlocks.map(placed)
    self.tombstoneBlocks = tombstoneBlocks.map(placed)
  }

  /// Length of all blocks in bytes.
  var blocksLength: Int {
    (tombstoneBlocks.last ?? entryBlocks.last).map { $0.offset + $0.length } ?? 0
  }

  /// The same directory in a region elsewhere.
  func moved(to regionOffset: Int) -> KeyIndexDirectory {
    KeyIndexDirectory(
      regionOffset: regionOffset, slotRows: slotRows, slotWidth: slotWidth, entryBlocks: entryBlocks,
      tombstoneBlocks: tombstoneBlocks)
  }

  // MARK: Bytes

  var encodedLength: Int {
    Self.headerLength + 4 * slotRows.count + Self.entryBlockLength * entryBlocks.count
      + Self.tombstoneBlockLength * tombstoneBlocks.count
  }

  /// Appends the directory and the trailer.
  func encode(into out: inout [UInt8]) {
    let start = out.count
    out.reserveCapacity(start + encodedLength + Self.trailerLength)
    for count in [slotWidth, slotRows.count, entryBlocks.count, tombstoneBlocks.count] {
      out.appendLittleEndian(UInt32(count))
    }
    for rows in slotRows { out.appendLittleEndian(rows) }
    for block in entryBlocks {
      out.appendLittleEndian(block.firstHash)
      out.appendLittleEndian(UInt32(block.count))
      out.appendLittleEndian(block.checksum)
    }
    for block in tombstoneBlocks {
      out.appendLittleEndian(block.firstHash)
      out.appendLittleEndian(UInt32(block.count))
      out.appendLittleEndian(UInt32(block.length))
      out.appendLittleEndian(block.checksum)
      out.appendLittleEndian(block.oldest)
    }
    let checksum = CRC32.checksum(out.span.bytes.extracting(droppingFirst: start))
    out.appendLittleEndian(UInt32(out.count - start))
    out.appendLittleEndian(checksum)
    out.appendLittleEndian(UInt32(KeyIndex.version))
    out.appendLittleEndian(Self.magic)
  }

  /// Reads a directory.
  ///
  /// - Parameters:
  ///   - bytes: The region's last bytes: at least the directory and the trailer.
  ///   - region: Where the region lies in the file.
  ///   - path: The file's path, for errors.
  /// - Throws: ``KeyIndexError``, as `damaged`.
  package init(decoding bytes: RawSpan, region: Range<Int>, path: String) throws(KeyIndexError) {
    let length = try Self.directoryLength(trailer: bytes, region: region, path: path)
    let end = region.upperBound - Self.trailerLength
    guard length <= bytes.byteCount - Self.trailerLength else {
      throw .damaged(path: path, offset: end, message: "its directory was not read whole")
    }
    let body = bytes.extracting(droppingLast: Self.trailerLength).extracting(last: length)
    do {
      var trailer = ByteReader(bytes.extracting(last: Self.trailerLength), at: 4)
      guard try trailer.readLittleEndian(UInt32.self) == CRC32.checksum(body) else {
        throw DirectoryError("the checksum of its directory differs")
      }
      try self.init(body: body, region: region)
    } catch {
      let message = (error as? DirectoryError)?.message ?? "its directory ends too early"
      throw .damaged(path: path, offset: end - length, message: message)
    }
  }

  /// Length of the directory that a trailer at the end of some bytes tells.
  static func directoryLength(
    trailer bytes: RawSpan, region: Range<Int>, path: String
  ) throws(KeyIndexError) -> Int {
    let offset = region.upperBound - trailerLength
    do {
      guard region.count >= trailerLength, bytes.byteCount >= trailerLength else {
        throw DirectoryError("it is too short")
      }
      var reader = ByteReader(bytes, at: bytes.byteCount - trailerLength)
      let length = Int(try reader.readLittleEndian(UInt32.self))
      _ = try reader.readLittleEndian(UInt32.self)
      let version = try reader.readLittleEndian(UInt32.self)
      guard try reader.readLittleEndian(UInt32.self) == magic else {
        throw DirectoryError("it does not end as a key index does")
      }
      guard version == KeyIndex.version else {
        throw DirectoryError("it has version \(version), and only \(KeyIndex.version) is read")
      }
      guard length >= headerLength, length <= region.count - trailerLength else {
        throw DirectoryError("its directory of \(length) bytes does not fit in")
      }
      return length
    } catch {
      let message = (error as? DirectoryError)?.message ?? "it is too short"
      throw .damaged(path: path, offset: offset, message: message)
    }
  }

  /// Reads a directory whose checksum is right, and checks what it says all the same.
  private init(body: RawSpan, region: Range<Int>) throws {
    var reader = ByteReader(body)
    let width = Int(try reader.readLittleEndian(UInt32.self))
    let slots = Int(try reader.readLittleEndian(UInt32.self))
    let entries = Int(try reader.readLittleEndian(UInt32.self))
    let tombstones = Int(try reader.readLittleEndian(UInt32.self))
    guard (1...4).contains(width) else { throw DirectoryError("its slots have \(width) bytes") }
    guard
      body.byteCount == Self.headerLength + 4 * slots + Self.entryBlockLength * entries
        + Self.tombstoneBlockLength * tombstones
    else { throw DirectoryError("its directory is not as long as its counts say") }

    var rows: [Int32] = []
    rows.reserveCapacity(slots)
    for _ in 0..<slots { rows.append(try reader.readLittleEndian()) }
    guard rows.allSatisfy({ $0 >= 0 }) else { throw DirectoryError("a slot has a negative row count") }
    var entryBlocks: [KeyIndexBlock] = []
    entryBlocks.reserveCapacity(entries)
    for _ in 0..<entries { entryBlocks.append(try reader.readEntryBlock(width: width)) }
    var tombstoneBlocks: [KeyIndexBlock] = []
    tombstoneBlocks.reserveCapacity(tombstones)
    for _ in 0..<tombstones { tombstoneBlocks.append(try reader.readTombstoneBlock()) }
    for blocks in [entryBlocks, tombstoneBlocks] {
      for (block, next) in zip(blocks, blocks.dropFirst()) where block.firstHash > next.firstHash {
        throw DirectoryError("its blocks are not in order")
      }
    }
    self.init(
      regionOffset: region.lowerBound, slotRows: rows, slotWidth: width, entryBlocks: entryBlocks,
      tombstoneBlocks: tombstoneBlocks)
    guard blocksLength == region.count - Self.trailerLength - body.byteCount else {
      throw DirectoryError("its blocks are not as long as the region")
    }
  }

  // MARK: Storage

  /// Reads the directory of a file, in one request.
  ///
  /// - Throws: ``KeyIndexError``.
  package static func read(
    _ reference: KeyIndexReference, in storage: any Storage, at path: String
  ) async throws(KeyIndexError) -> KeyIndexDirectory {
    try await read(
      region: reference.range, guess: reference.directoryLength + trailerLength, in: storage, at: path)
  }

  /// Reads the directory of a region, in one request where it is not longer than the guess.
  static func read(
    region: Range<Int>, guess: Int, in storage: any Storage, at path: String
  ) async throws(KeyIndexError) -> KeyIndexDirectory {
    guard region.count >= trailerLength + headerLength else {
      throw .damaged(path: path, offset: region.lowerBound, message: "it is too short")
    }
    var buffer = ByteBuffer()
    var length = min(max(guess, trailerLength), region.count)
    try await fill(&buffer, region.suffix(length), in: storage, at: path)
    let needed = try directoryLength(trailer: buffer.bytes, region: region, path: path) + trailerLength
    if needed > length {
      length = needed
      try await fill(&buffer, region.suffix(length), in: storage, at: path)
    }
    return try KeyIndexDirectory(decoding: buffer.bytes, region: region, path: path)
  }

  /// Reads a range of the file; one that the file does not have is a damaged reference, and no failure of the storage.
  static func fill(
    _ buffer: inout ByteBuffer, _ range: Range<Int>, in storage: any Storage, at path: String
  ) async throws(KeyIndexError) {
    do {
      try await storage.read(path, range: range, into: &buffer)
    } catch  where error.code == .outOfRange {
      throw .damaged(path: path, offset: range.lowerBound, message: "the file ends before it does")
    } catch {
      throw .storage(error)
    }
  }
}

/// What is wrong with a directory, before it is known where.
private struct DirectoryError: Error {
  let message: String

  init(_ message: String) { self.message = message }
}

extension ByteReader {
  @_lifetime(self: copy self)
  fileprivate mutating func readCount() throws -> Int {
    let count = Int(try readLittleEndian(UInt32.self))
    guard (1...KeyIndexDirectory.longestBlock).contains(count) else {
      throw DirectoryError("a block holds \(count)")
    }
    return count
  }

  @_lifetime(self: copy self)
  fileprivate mutating func readEntryBlock(width: Int) throws -> KeyIndexBlock {
    let hash = try readLittleEndian(UInt32.self)
    let count = try readCount()
    let checksum = try readLittleEndian(UInt32.self)
    return KeyIndexBlock(firstHash: hash, count: count, length: count * (4 + width), checksum: checksum)
  }

  @_lifetime(self: copy self)
  fileprivate mutating func readTombstoneBlock() throws -> KeyIndexBlock {
    let hash = try readLittleEndian(UInt32.self)
    let count = try readCount()
    let length = Int(try readLittleEndian(UInt32.self))
    guard length <= KeyIndexDirectory.largestTombstoneBlock else {
      throw DirectoryError("a block of tombstones has \(length) bytes")
    }
    let checksum = try readLittleEndian(UInt32.self)
    let oldest = try readLittleEndian(Int64.self)
    return KeyIndexBlock(firstHash: hash, count: count, length: length, checksum: checksum, oldest: oldest)
  }
}
