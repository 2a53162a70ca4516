public import TarnBytes

/// Strings of bytes, end to end in one arena: Arrow's variable-size layout with 32-bit offsets.
@frozen
public struct ByteStrings: Sendable {
  /// Where each string begins in ``bytes``, and at last where the last one ends.
  @inlinable public var offsets: [Int32] { storedOffsets }
  /// All bytes.
  @inlinable public var bytes: [UInt8] { storedBytes }
  @usableFromInline var storedOffsets: [Int32]
  @usableFromInline var storedBytes: [UInt8]

  /// Makes an empty column of strings.
  @inlinable
  public init() {
    storedOffsets = [0]
    storedBytes = []
  }

  /// Makes strings of an arena.
  ///
  /// - Throws: ``ColumnError`` where the offsets do not rise from zero to the number of bytes.
  public init(offsets: [Int32], bytes: [UInt8]) throws(ColumnError) {
    guard offsets.first == 0, let last = offsets.last, Int(last) == bytes.count else {
      throw ColumnError.malformed("string offsets do not span the bytes")
    }
    for index in 1..<max(offsets.count, 1) where offsets[index] < offsets[index - 1] {
      throw ColumnError.malformed("string offsets fall at \(index)")
    }
    storedOffsets = offsets
    storedBytes = bytes
  }

  /// Number of strings.
  @inlinable public var count: Int { storedOffsets.count &- 1 }

  /// Where a string's bytes lie; the index must be below ``count``.
  @inlinable
  public func range(_ index: Int) -> Range<Int> {
    // Offsets rise, by construction.
    Range(uncheckedBounds: (Int(storedOffsets[index]), Int(storedOffsets[index &+ 1])))
  }

  /// The length of a string in bytes.
  @inlinable
  public func length(_ index: Int) -> Int { Int(storedOffsets[index &+ 1]) &- Int(storedOffsets[index]) }

  /// The bytes of a string; the index must be below ``count``.
  @inlinable
  public subscript(_ index: Int) -> RawSpan {
    @_lifetime(borrow self)
    get { storedBytes.span.bytes.extracting(range(index)) }
  }

  /// A string as text, malformed bytes replaced.
  public func string(_ index: Int) -> String { String(decoding: storedBytes[range(index)], as: UTF8.self) }

  /// The XXH64 of a string.
  @inlinable
  package func hash(_ index: Int) -> UInt64 {
    storedBytes.withUnsafeBytes { XXH64.hash(UnsafeRawBufferPointer(rebasing: $0[range(index)])) }
  }

  /// The XXH64 of each string.
  package func hashes() -> [UInt64] {
    var hashes: [UInt64] = []
    hashes.reserveCapacity(count)
    for index in 0..<count { hashes.append(hash(index)) }
    return hashes
  }

  /// Whether two strings hold the same bytes.
  @inlinable
  public func equals(_ index: Int, _ other: ByteStrings, _ otherIndex: Int) -> Bool {
    self[index].isEqual(to: other[otherIndex])
  }

  /// Whether a string's bytes sort before another's; for UTF-8, order of code points.
  @inlinable
  public func precedes(_ index: Int, _ other: ByteStrings, _ otherIndex: Int) -> Bool {
    self[index].precedes(other[otherIndex])
  }

  /// Whether all strings are well-formed UTF-8.
  public var isUTF8: Bool {
    let starts = storedOffsets
    return storedBytes.withUnsafeBytes { bytes in
      let all = RawSpan(_unsafeBytes: bytes)
      if UTF8Text.isASCII(all) { return true }
      // Text that is well-formed as a whole is so in parts where none begins within a character.
      return UTF8Text.isValid(all)
        && starts.allSatisfy { Int($0) >= bytes.count || bytes[Int($0)] & 0xc0 != 0x80 }
    }
  }

  /// Makes room for strings and bytes more.
  @inlinable
  public mutating func reserve(strings: Int, bytes count: Int) {
    storedOffsets.reserveCapacity(storedOffsets.count + strings)
    storedBytes.reserveCapacity(storedBytes.count + count)
  }

  /// Appends a string.
  ///
  /// - Throws: ``ColumnError`` where the arena would pass 2 GiB.
  @inlinable
  public mutating func append(_ string: RawSpan) throws(ColumnError) {
    guard storedBytes.count &+ string.byteCount <= Int(Int32.max) else { throw ColumnError.tooLarge }
    storedBytes.append(string)
    storedOffsets.append(Int32(truncatingIfNeeded: storedBytes.count))
  }

  /// Appends a string's UTF-8 bytes.
  ///
  /// - Throws: ``ColumnError`` where the arena would pass 2 GiB.
  public mutating func append(_ string: String) throws(ColumnError) {
    try append(Array(string.utf8).span.bytes)
  }

  /// Appends a string which `build` writes at the end of the arena.
  ///
  /// - Throws: ``ColumnError`` where the arena would pass 2 GiB.
  @inlinable
  public mutating func appendBuilt(_ build: (inout [UInt8]) -> Void) throws(ColumnError) {
    let before = storedBytes.count
    build(&storedBytes)
    guard storedBytes.count >= before, storedBytes.count <= Int(Int32.max) else {
      storedBytes.removeLast(Swift.max(0, storedBytes.count - before))
      throw ColumnError.tooLarge
    }
    storedOffsets.append(Int32(truncatingIfNeeded: storedBytes.count))
  }

  /// Appends empty strings.
  @inlinable
  public mutating func appendEmpty(_ count: Int = 1) {
    let end = Int32(truncatingIfNeeded: storedBytes.count)
    for _ in 0..<count { storedOffsets.append(end) }
  }

  /// Appends a range of another column's strings.
  ///
  /// - Throws: ``ColumnError`` where the arena would pass 2 GiB.
  public mutating func append(_ other: ByteStrings, _ rows: Range<Int>) throws(ColumnError) {
    guard !rows.isEmpty else { return }
    let start = Int(other.storedOffsets[rows.lowerBound])
    let end = Int(other.storedOffsets[rows.upperBound])
    guard storedBytes.count + (end - start) <= Int(Int32.max) else { throw ColumnError.tooLarge }
    let shift = Int32(truncatingIfNeeded: storedBytes.count &- start)
    storedBytes.append(contentsOf: other.storedBytes[start..<end])
    // No room is asked for: asking for no more than is needed makes many small appends copy all before them.
    for index in rows { storedOffsets.append(other.storedOffsets[index &+ 1] &+ shift) }
  }

  /// Appends chosen strings of another column: rows of it, or positions among the entries of a dictionary.
  ///
  /// - Throws: ``ColumnError`` where the arena would pass 2 GiB.
  @_specialize(where Position == Int32)
  @_specialize(where Position == UInt32)
  public mutating func append<Position: FixedWidthInteger>(
    _ other: ByteStrings, rows: Span<Position>
  ) throws(ColumnError) {
    var total = storedBytes.count
    for index in rows.indices { total &+= other.length(Int(rows[index])) }
    guard total <= Int(Int32.max) else { throw ColumnError.tooLarge }
    let source = other.storedBytes.span.bytes
    let starts = other.storedOffsets.span
    let base = storedBytes.count
    let added = total &- base
    storedOffsets.append(addingCapacity: rows.count) { ends in
      // Room behind the last string, so that short ones are copied sixteen bytes at once.
      storedBytes.append(addingCapacity: added &+ 16) { bytes in
        ends.withUnsafeMutableBufferPointer { ends, endCount in
          bytes.withUnsafeMutableBufferPointer { target, byteCount in
            let target = UnsafeMutableRawBufferPointer(target)
            var position = 0
            for index in rows.indices {
              // The lengths above were read with checks.
              let row = Int(rows[unchecked: index])
              let start = Int(starts[unchecked: row])
              let length = Int(starts[unchecked: row &+ 1]) &- start
              CopyBytes.copy(source, start, length, target, position)
              position &+= length
              ends[index] = Int32(truncatingIfNeeded: base &+ position)
            }
            endCount = rows.count
            byteCount = added
          }
        }
      }
    }
  }

  /// Forgets all strings and keeps the memory.
  public mutating func removeAll() {
    storedOffsets.removeAll(keepingCapacity: true)
    storedOffsets.append(0)
    storedBytes.removeAll(keepingCapacity: true)
  }
}
