import TarnBytes

/// Decodes definition or repetition levels, a byte each.
struct LevelReader {
  /// The greatest level there may be.
  let greatest: Int

  private var width: Int { Int.bitWidth - greatest.leadingZeroBitCount }

  private static let damaged = FormatError.malformed("a page's levels end behind it")

  /// Appends the levels at the front of a page of version 1, and passes over them.
  @_lifetime(page: copy page)
  func append(
    _ count: Int, _ encoding: Encoding, from page: inout RawSpan, to levels: inout [UInt8]
  ) throws(FormatError) {
    switch encoding {
    case .rle:
      var reader = ByteReader(page)
      guard let length = try? reader.readLittleEndian(UInt32.self), Int(length) <= reader.remaining else {
        throw Self.damaged
      }
      let end = 4 + Int(length)
      try append(count, page.extracting(4..<end), to: &levels)
      page = page.extracting(end...)
    case .bitPacked:
      let (bits, overflow) = count.multipliedReportingOverflow(by: width)
      guard !overflow, (bits + 7) / 8 <= page.byteCount else { throw Self.damaged }
      try appendPacked(count, page, to: &levels)
      page = page.extracting(((bits + 7) / 8)...)
    default: throw .unsupported("levels in encoding \(encoding.name) are not supported")
    }
  }

  /// Appends levels in the mix of runs and groups.
  func append(_ count: Int, _ bytes: RawSpan, to levels: inout [UInt8]) throws(FormatError) {
    var reader = try HybridReader(bytes, width: width)
    var step = [UInt32](repeating: 0, count: min(count, HybridReader.step))
    var left = count
    var highest: UInt32 = 0
    while left > 0 {
      let part = min(left, step.count)
      try reader.read(part, into: &step)
      levels.append(addingCapacity: part) { target in
        for index in 0..<part {
          highest = max(highest, step[index])
          target.append(UInt8(truncatingIfNeeded: step[index]))
        }
      }
      left -= part
    }
    try check(highest)
  }

  /// Appends levels packed without runs, most significant bit first, as the oldest writers did.
  private func appendPacked(_ count: Int, _ bytes: RawSpan, to levels: inout [UInt8]) throws(FormatError) {
    var bit = 0
    var highest: UInt32 = 0
    for _ in 0..<count {
      var level: UInt32 = 0
      for _ in 0..<width {
        let byte = bytes.unsafeLoad(fromByteOffset: bit >> 3, as: UInt8.self)
        level = level << 1 | UInt32(byte >> UInt8(7 - bit & 7) & 1)
        bit += 1
      }
      highest = max(highest, level)
      levels.append(UInt8(truncatingIfNeeded: level))
    }
    try check(highest)
  }

  private func check(_ highest: UInt32) throws(FormatError) {
    guard Int(highest) <= greatest else {
      throw .malformed("a page has a level that its column cannot have")
    }
  }
}
