import TarnBytes

extension [UInt8] {
  /// Appends values of at most `width` bits as runs and bit-packed groups.
  mutating func appendHybrid(_ values: Span<UInt32>, width: Int) {
    // A run must save more than the headers around it cost; groups are eight values.
    let leastRun = width >= 4 ? 8 : 32 / Swift.max(width, 1)
    var literalStart = 0
    var position = 0
    while position < values.count {
      let run = runLength(values, position)
      if run >= leastRun || position + run == values.count && run >= 8 {
        appendPacked(values, literalStart..<position, width)
        appendRun(values[position], run, width)
        position += run
        literalStart = position
      } else {
        position = Swift.min(position + 8, values.count)
      }
    }
    appendPacked(values, literalStart..<position, width)
  }

  private func runLength(_ values: Span<UInt32>, _ start: Int) -> Int {
    let value = values[start]
    var end = start + 1
    while end < values.count, values[end] == value { end &+= 1 }
    return end - start
  }

  /// Appends one value many times.
  mutating func appendRun(_ value: UInt32, _ count: Int, _ width: Int) {
    appendVarint(UInt64(count) << 1)
    for index in 0..<(width + 7) / 8 { append(UInt8(truncatingIfNeeded: value >> UInt32(8 * index))) }
  }

  private mutating func appendPacked(_ values: Span<UInt32>, _ range: Range<Int>, _ width: Int) {
    guard !range.isEmpty else { return }
    let groups = (range.count + 7) / 8
    appendVarint(UInt64(groups) << 1 | 1)
    let part = values.extracting(range)
    appendBits(part.count, width: width, padded: groups * 8) { UInt64(part[unchecked: $0]) }
  }

  /// Appends values of `width` bits, 64 at most, least significant bit first, and zeros up to `padded` values.
  ///
  /// `padded` must be a multiple of eight, and no value may have more bits.
  @inline(__always)
  mutating func appendBits(_ count: Int, width: Int, padded: Int, _ value: (Int) -> UInt64) {
    let total = padded / 8 * width
    // Whole words are stored, the last of which may reach beyond what counts.
    append(addingCapacity: total + 16) { span in
      span.withUnsafeMutableBufferPointer { target, initialized in
        let raw = UnsafeMutableRawBufferPointer(target)
        var word: UInt64 = 0
        var bits = 0
        var offset = 0
        for index in 0..<count {
          let next = value(index)
          word |= next &<< UInt64(bits)
          bits &+= width
          if bits >= 64 {
            raw.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
            offset &+= 8
            bits &-= 64
            word = bits == 0 ? 0 : next &>> UInt64(width &- bits)
          }
        }
        while offset < total {
          raw.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
          offset &+= 8
          word = 0
        }
        initialized = total
      }
    }
  }

  /// Appends the length of what `body` appends, as four bytes, and that.
  mutating func appendLengthPrefixed(_ body: (inout [UInt8]) -> Void) {
    let start = count
    appendLittleEndian(UInt32(0))
    body(&self)
    let length = UInt32(truncatingIfNeeded: count - start - 4)
    for index in 0..<4 { self[start + index] = UInt8(truncatingIfNeeded: length >> UInt32(8 * index)) }
  }
}
