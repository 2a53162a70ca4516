import TarnBytes

/// Bytes of a header or of a small part that arrive in pieces, kept until there are enough of them.
struct PendingBytes: Sendable {
  private(set) var bytes: [UInt8] = []

  var count: Int { bytes.count }
  var isEmpty: Bool { bytes.isEmpty }

  /// Takes what is lacking from the input, as far as it is there, and moves `consumed` behind it.
  ///
  /// - Returns: Whether there are so many bytes now.
  mutating func fill(upTo wanted: Int, from input: RawSpan, _ consumed: inout Int) -> Bool {
    guard bytes.count < wanted else { return true }
    let count = min(wanted - bytes.count, input.byteCount - consumed)
    bytes.append(contentsOf: input.extracting(consumed..<consumed + count).copied())
    consumed += count
    return bytes.count == wanted
  }

  /// Lets go what was kept, but not its memory.
  mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// The number that stands in at most eight bytes, least byte first; bytes that are not there count as zero.
  func littleEndian(_ start: Int, _ count: Int) -> UInt64 {
    bytes.dropFirst(start).prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The number that stands in four bytes, greatest byte first.
  func bigEndian(_ start: Int) -> UInt32 {
    bytes.dropFirst(start).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
  }
}
