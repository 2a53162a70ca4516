import TarnColumns

/// Encodes booleans, a bit each.
struct BooleanEncoder: PageEncoder {
  private var sawFalse = false
  private var sawTrue = false

  var isDecided: Bool { true }
  var dictionaryCount: Int { 0 }
  var dictionaryByteCount: Int { 0 }
  func dictionaryPage() -> [UInt8] { [] }

  mutating func encode(
    _ column: Column, _ rows: Range<Int>, valid: Int, into out: inout [UInt8]
  ) throws(FormatProblem) -> Encoding {
    guard case .boolean(let bits) = column.values else {
      throw .malformed("a column has another layout than its type")
    }
    var byte: UInt8 = 0
    var count = 0
    for row in rows where valid == rows.count || !column.isNull(row) {
      if bits[row] {
        byte |= 1 << UInt8(count & 7)
        sawTrue = true
      } else {
        sawFalse = true
      }
      count += 1
      if count & 7 == 0 {
        out.append(byte)
        byte = 0
      }
    }
    if count & 7 != 0 { out.append(byte) }
    return .plain
  }

  func bounds() -> EncodedBounds? {
    guard sawTrue || sawFalse else { return nil }
    return EncodedBounds(minimum: [sawFalse ? 0 : 1], maximum: [sawTrue ? 1 : 0])
  }

  mutating func reset() {
    sawFalse = false
    sawTrue = false
  }
}
