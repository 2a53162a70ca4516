/// Which of a page's values are there.
struct PageLevels {
  /// Number of values, nulls among them.
  var count: Int
  /// Number of values that are not null.
  var validCount: Int
  /// A bit a value, set where it is not null; nil where none is null.
  var validity: BitBuffer?

  /// All values are there.
  init(allValid count: Int) {
    self.count = count
    validCount = count
  }

  /// Decodes the definition levels of an optional column without parents.
  init(_ bytes: RawSpan, count: Int) throws(FormatError) {
    var reader = try HybridReader(bytes, width: 1)
    var bits = BitBuffer()
    try reader.readBits(count, into: &bits)
    self.count = count
    validCount = bits.setCount
    validity = validCount == count ? nil : bits
  }

  /// Takes the definition levels of a leaf within others: entries of empty and missing lists have no value.
  init(_ definitions: Span<UInt8>, _ leaf: LeafColumn) {
    let slot = UInt8(truncatingIfNeeded: leaf.cellDefinition)
    let present = UInt8(truncatingIfNeeded: leaf.greatestDefinition)
    var bits = BitBuffer()
    var word: UInt64 = 0
    var held = 0
    for index in definitions.indices {
      let level = definitions[unchecked: index]
      if level < slot { continue }
      if level == present { word |= 1 &<< UInt64(truncatingIfNeeded: held) }
      held &+= 1
      if held == 64 {
        bits.append(word: word, 64)
        word = 0
        held = 0
      }
    }
    bits.append(word: word, held)
    count = bits.count
    validCount = bits.setCount
    validity = validCount == count ? nil : bits
  }

  /// Some of the values, and how many values that are not null come before them.
  func part(_ range: Range<Int>) -> (levels: PageLevels, before: Int) {
    guard let validity else { return (PageLevels(allValid: range.count), range.lowerBound) }
    var part = PageLevels(allValid: range.count)
    let bits = validity.part(range)
    part.validCount = bits.setCount
    part.validity = part.validCount == part.count ? nil : bits
    return (part, validity.part(0..<range.lowerBound).setCount)
  }

  /// Moves `validCount` values at the front of `target` to where they belong, and fills the gaps.
  @inline(__always)
  func spread<T>(_ target: UnsafeMutableBufferPointer<T>, gap: (Int) -> T) {
    guard let validity else { return }
    var source = validCount - 1
    var slot = count - 1
    // From the back, so that no value is overwritten before it has moved.
    while slot > source {
      if validity[slot] {
        target[slot] = target[source]
        source -= 1
      } else {
        target[slot] = gap(source)
      }
      slot -= 1
    }
  }
}
