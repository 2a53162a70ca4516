import TarnColumns

/// Encodes booleans, a bit each.
struct BooleanEncoder: PageEncoder {
  var isDecided: Bool { true }
  var dictionaryCount: Int { 0 }
  var dictionaryByteCount: Int { 0 }
  func dictionaryPage() -> [UInt8] { [] }
  func adopt(dictionary: RawSpan, count: Int) throws(FormatError) {
    throw .malformed("a column of booleans has a dictionary")
  }
  func settle(_ encoding: Encoding) {}
  // The format has no Bloom filters of booleans.
  func collectHashes() {}
  func hashes() -> [UInt64] { [] }
  func reset() {}
  // A value is less than a byte.
  var patchable: PatchableValues? { nil }
  func plain(
    _ column: Column, _ rows: [Int32], areWritten: Bool
  ) -> (values: [UInt8], bounds: EncodedBounds?) { ([], nil) }
  func entries(of column: Column, _ rows: [Int32]) -> [UInt32]? { nil }
  func entry(_ position: Int) -> [UInt8] { [] }

  mutating func encode(
    _ column: Column, _ rows: ValueRows, cells: Int, _ compressor: inout PageCompressor,
    into out: inout [UInt8]
  ) throws(FormatError) -> EncodedValues {
    guard case .boolean(let bits) = column.values else {
      throw .malformed("a column has another layout than its type")
    }
    let trueCount =
      switch rows {
      case .range(let range): Self.append(bits, range, to: &out)
      case .chosen(let rows): Self.append(bits, rows.lazy.map { Int($0) }, to: &out)
      }
    guard rows.count > 0 else { return EncodedValues(encoding: .plain) }
    let bounds = EncodedBounds(
      minimum: [trueCount == rows.count ? 1 : 0], maximum: [trueCount == 0 ? 0 : 1])
    return EncodedValues(encoding: .plain, bounds: bounds)
  }

  private static func append(_ bits: Bitmap, _ rows: some Sequence<Int>, to out: inout [UInt8]) -> Int {
    var byte: UInt8 = 0
    var count = 0
    var trueCount = 0
    for row in rows {
      if bits[row] {
        byte |= 1 << UInt8(count & 7)
        trueCount += 1
      }
      count += 1
      if count & 7 == 0 {
        out.append(byte)
        byte = 0
      }
    }
    if count & 7 != 0 { out.append(byte) }
    return trueCount
  }
}
