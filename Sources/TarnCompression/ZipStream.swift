import CZlib
import TarnBytes

/// Decodes ZIP files piece by piece: the contents of their entries, one after the other.
///
/// By PKWARE's APPNOTE.TXT 6.3: entries that are stored or deflated, with their sizes before or behind them, and those of
/// ZIP64. The directory at the file's end is not read; where it begins the entries end.
struct ZipStream: ~Copyable {
  /// What is known of the present entry.
  private struct Entry {
    var isDeflated: Bool
    /// Whether checksum and sizes stand behind the data.
    var hasDescriptor: Bool
    /// Whether sizes have eight bytes there.
    var isLarge: Bool
    var checksum: UInt32
    var compressedSize: UInt64
    var size: UInt64
    var consumed: UInt64 = 0
    var produced: UInt64 = 0
    var found: UInt32 = 0
  }

  private enum State {
    case header
    case data(Entry)
    case descriptor(Entry)
    case directory
  }

  private var state = State.header
  /// Bytes of the present header or descriptor, as far as they came.
  private var pending = PendingBytes()
  private var inflate: DeflateContext?

  private static let entryMark = 0x0403_4b50
  private static let descriptorMark = 0x0807_4b50
  /// What begins behind the last entry: the directory, what stands before it or its end.
  private static let endMarks: Set = [0x0201_4b50, 0x0806_4b50, 0x0605_4b50, 0x0606_4b50]

  /// Whether the directory was reached, behind which nothing is wanted.
  var isAtEnd: Bool { if case .directory = state { true } else { false } }

  /// Decodes input, and appends at most `limit` bytes; gives how many bytes of the input were consumed.
  mutating func decode(
    _ input: RawSpan, into output: inout ByteBuffer, limit: Int
  ) throws(CompressionError) -> Int {
    var consumed = 0
    var produced = 0
    while produced < limit {
      switch state {
      case .directory: return input.byteCount
      case .header:
        guard pending.fill(upTo: headerBytes, from: input, &consumed) else { return consumed }
        try beginEntry()
      case .descriptor(let entry):
        guard pending.fill(upTo: descriptorBytes(entry), from: input, &consumed) else { return consumed }
        try end(entry)
      case .data(var entry):
        let before = (consumed, output.count)
        let isDone =
          entry.isDeflated
          ? try inflateData(&entry, input, &consumed, into: &output, limit - produced)
          : copyData(&entry, input, &consumed, into: &output, limit - produced)
        let added = output.count - before.1
        entry.found = CRC32.checksum(output.bytes.extracting(before.1...), continuing: entry.found)
        produced += added
        if isDone, !entry.hasDescriptor {
          try check(entry)
          state = .header
        } else {
          state = isDone ? .descriptor(entry) : .data(entry)
          if !isDone, consumed == before.0, added == 0 { return consumed }
        }
      }
    }
    return consumed
  }

  private var headerBytes: Int {
    guard pending.count >= 4, number(0, 4) == Self.entryMark else { return 4 }
    return pending.count < 30 ? 30 : 30 + number(26, 2) + number(28, 2)
  }

  private mutating func beginEntry() throws(CompressionError) {
    let mark = number(0, 4)
    if Self.endMarks.contains(mark) {
      state = .directory
      return
    }
    guard mark == Self.entryMark else { throw Self.damaged("an entry without its mark") }
    // There is more of it.
    guard pending.count >= 30, pending.count == headerBytes else { return }
    let (flags, method) = (number(6, 2), number(8, 2))
    guard flags & 1 == 0 else { throw CompressionError(.malformed, "the ZIP file is encrypted") }
    guard method == 0 || method == 8 else {
      throw CompressionError(
        .malformed, "the ZIP file has an entry of compression method \(method), and only deflate is read")
    }
    var entry = Entry(
      isDeflated: method == 8, hasDescriptor: flags & 8 != 0, isLarge: false,
      checksum: UInt32(truncatingIfNeeded: number(14, 4)), compressedSize: UInt64(number(18, 4)),
      size: UInt64(number(22, 4)))
    readLargeSizes(&entry)
    guard entry.isDeflated || !entry.hasDescriptor else {
      throw CompressionError(.malformed, "the ZIP file has an entry that is stored without its size")
    }
    pending.removeAll()
    if entry.isDeflated {
      if inflate == nil { inflate = try DeflateContext.inflating(.raw) }
      inflate?.reset()
    }
    state = .data(entry)
  }

  /// Reads the sizes of eight bytes that may stand in the extra field 1.
  private func readLargeSizes(_ entry: inout Entry) {
    var offset = 30 + number(26, 2)
    while offset + 4 <= pending.count {
      let (id, length) = (number(offset, 2), number(offset + 2, 2))
      offset += 4
      if id == 1, offset + length <= pending.count {
        entry.isLarge = true
        if length >= 16 {
          if entry.size == 0xffff_ffff { entry.size = pending.littleEndian(offset, 8) }
          if entry.compressedSize == 0xffff_ffff {
            entry.compressedSize = pending.littleEndian(offset + 8, 8)
          }
        }
      }
      offset += length
    }
  }

  private mutating func inflateData(
    _ entry: inout Entry, _ input: RawSpan, _ consumed: inout Int, into output: inout ByteBuffer, _ limit: Int
  ) throws(CompressionError) -> Bool {
    var stepped: DeflateContext.Step?
    let start = consumed
    output.append(count: min(limit, 1 << 18)) { target in
      stepped = input.withUnsafeBytes { source in
        inflate?.step(UnsafeRawBufferPointer(rebasing: source[start...]), target)
      }
      return stepped?.produced ?? 0
    }
    guard let step = stepped else { return false }
    consumed += step.consumed
    entry.consumed += UInt64(step.consumed)
    entry.produced += UInt64(step.produced)
    switch step.status {
    case Z_STREAM_END: return true
    case Z_OK, Z_BUF_ERROR: return false
    case Z_MEM_ERROR: throw CompressionError(.failed, "zlib cannot go on: out of memory?")
    default: throw Self.damaged("its deflated data")
    }
  }

  private func copyData(
    _ entry: inout Entry, _ input: RawSpan, _ consumed: inout Int, into output: inout ByteBuffer, _ limit: Int
  ) -> Bool {
    let left = entry.compressedSize - entry.consumed
    let count = Int(min(UInt64(min(limit, input.byteCount - consumed)), left))
    output.append(input.extracting(consumed..<consumed + count))
    consumed += count
    entry.consumed += UInt64(count)
    entry.produced += UInt64(count)
    return entry.consumed == entry.compressedSize
  }

  /// Checksum and two sizes, with or without a mark before them.
  private func descriptorBytes(_ entry: Entry) -> Int {
    guard pending.count >= 4 else { return 4 }
    return (number(0, 4) == Self.descriptorMark ? 8 : 4) + (entry.isLarge ? 16 : 8)
  }

  private mutating func end(_ entry: Entry) throws(CompressionError) {
    // There is more of it.
    guard pending.count == descriptorBytes(entry) else { return }
    let start = number(0, 4) == Self.descriptorMark ? 4 : 0
    var whole = entry
    whole.checksum = UInt32(truncatingIfNeeded: number(start, 4))
    whole.compressedSize = entry.isLarge ? pending.littleEndian(start + 4, 8) : UInt64(number(start + 4, 4))
    whole.size = entry.isLarge ? pending.littleEndian(start + 12, 8) : UInt64(number(start + 8, 4))
    try check(whole)
    pending.removeAll()
    state = .header
  }

  private func check(_ entry: Entry) throws(CompressionError) {
    guard entry.consumed == entry.compressedSize, entry.produced == entry.size else {
      throw Self.damaged("an entry's size")
    }
    guard entry.found == entry.checksum else { throw Self.damaged("an entry's checksum") }
  }

  private func number(_ start: Int, _ count: Int) -> Int {
    Int(truncatingIfNeeded: pending.littleEndian(start, count))
  }

  private static func damaged(_ what: String) -> CompressionError {
    CompressionError(.malformed, "the ZIP file is damaged: \(what) is wrong; fetch or make it again")
  }
}
