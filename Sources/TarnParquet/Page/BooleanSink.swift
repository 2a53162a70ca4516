import TarnBytes
import TarnColumns

/// Collects booleans.
struct BooleanSink: ValueSink {
  private(set) var bits = BitBuffer()

  mutating func setDictionary(_ bytes: RawSpan, count: Int) throws(FormatError) {
    throw .malformed("booleans have no dictionary")
  }

  mutating func appendIndices(
    _ reader: inout HybridReader, _ levels: PageLevels, _ indices: inout [UInt32]
  ) throws(FormatError) {
    throw .malformed("booleans have no dictionary")
  }

  mutating func appendPlain(_ bytes: RawSpan, _ levels: PageLevels) throws(FormatError) {
    guard levels.validCount <= bytes.byteCount * 8 else {
      throw .malformed("a page holds fewer values than it declares")
    }
    var page = BitBuffer()
    page.append(bytes: bytes, levels.validCount)
    append(page, levels)
  }

  mutating func appendOther(
    _ encoding: Encoding, _ bytes: RawSpan, _ levels: PageLevels
  ) throws(FormatError) {
    guard encoding == .rle else { throw .malformed("a page has an encoding that its type cannot have") }
    // Behind a length of four bytes.
    guard bytes.byteCount >= 4 else { throw .malformed("a page ends too early") }
    var reader = try HybridReader(bytes.extracting(4...), width: 1)
    var page = BitBuffer()
    try reader.readBits(levels.validCount, into: &page)
    append(page, levels)
  }

  mutating func keep(_ part: Range<Int>, ofLast count: Int) {
    let start = bits.count - count
    var left = bits.part(0..<start)
    left.append(bits.part(start + part.lowerBound..<start + part.upperBound))
    bits = left
  }

  var byteCount: Int { bits.count / 8 }

  mutating func endDictionary() {}

  mutating func take(_ leaf: LeafColumn) throws(FormatError) -> Column.Values {
    let taken = bits
    bits = BitBuffer()
    return .boolean(taken.bitmap())
  }

  private mutating func append(_ page: BitBuffer, _ levels: PageLevels) {
    guard let validity = levels.validity else {
      bits.append(page)
      return
    }
    var source = 0
    for slot in 0..<levels.count {
      if validity[slot] {
        bits.append(word: page[source] ? 1 : 0, 1)
        source += 1
      } else {
        bits.append(word: 0, 1)
      }
    }
  }
}
