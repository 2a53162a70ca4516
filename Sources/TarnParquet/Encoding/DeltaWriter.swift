import TarnBytes

/// Integers that DELTA_BINARY_PACKED stores.
protocol DeltaInteger: FixedWidthInteger, SignedInteger, BitwiseCopyable {}
extension Int32: DeltaInteger {}
extension Int64: DeltaInteger {}

extension [UInt8] {
  /// Appends integers as DELTA_BINARY_PACKED: blocks of 128 in four groups of 32, as parquet-mr writes them.
  ///
  /// Format: `Encodings.md` of the Parquet specification, "Delta Encoding". Differences wrap within the
  /// integers' own width, as other writers' do, so that no group needs more bits than a value has.
  mutating func appendDelta<Value: DeltaInteger>(_ values: Span<Value>) {
    appendVarint(128)
    appendVarint(4)
    appendVarint(UInt64(values.count))
    appendZigZag(values.count > 0 ? Int64(values[0]) : 0)
    var deltas = [Value](repeating: 0, count: 128)
    var position = 1
    while position < values.count {
      let count = Swift.min(128, values.count - position)
      for index in 0..<count {
        deltas[index] = values[position &+ index] &- values[position &+ index &- 1]
      }
      appendDeltaBlock(deltas.span.extracting(0..<count))
      position += count
    }
  }

  private mutating func appendDeltaBlock<Value: DeltaInteger>(_ deltas: Span<Value>) {
    var least = deltas[0]
    for index in deltas.indices { least = Swift.min(least, deltas[index]) }
    appendZigZag(Int64(least))
    let widths = count
    append(contentsOf: repeatElement(0, count: 4))
    for group in 0..<4 where group * 32 < deltas.count {
      let part = deltas.extracting(group * 32..<Swift.min(group * 32 + 32, deltas.count))
      var all: UInt64 = 0
      for index in part.indices { all |= Self.above(least, part[index]) }
      let width = UInt64.bitWidth - all.leadingZeroBitCount
      self[widths + group] = UInt8(width)
      if width > 0 { appendBits(part.count, width: width, padded: 32) { Self.above(least, part[$0]) } }
    }
  }

  @inline(__always)
  private static func above<Value: DeltaInteger>(_ least: Value, _ delta: Value) -> UInt64 {
    UInt64(truncatingIfNeeded: Value.Magnitude(truncatingIfNeeded: delta &- least))
  }
}
