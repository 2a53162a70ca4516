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
  init(_ bytes: RawSpan, count: Int) throws(FormatProblem) {
    var reader = try HybridReader(bytes, width: 1)
    var bits = BitBuffer()
    try reader.readBits(count, into: &bits)
    self.count = count
    validCount = bits.setCount
    validity = validCount == count ? nil : bits
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

/// Collects the values of one column chunk, page by page.
protocol ValueSink {
  /// Takes the values of the dictionary page.
  mutating func setDictionary(_ bytes: RawSpan, count: Int) throws(FormatProblem)
  /// Appends a page of PLAIN values.
  mutating func appendPlain(_ bytes: RawSpan, _ levels: PageLevels) throws(FormatProblem)
  /// Appends a page of indices into the dictionary.
  mutating func appendIndices(_ reader: inout HybridReader, _ levels: PageLevels) throws(FormatProblem)
  /// Appends a page in an encoding that only some types have.
  mutating func appendOther(
    _ encoding: Encoding, _ bytes: RawSpan, _ levels: PageLevels
  ) throws(FormatProblem)
}

extension ValueSink {
  mutating func appendOther(
    _ encoding: Encoding, _ bytes: RawSpan, _ levels: PageLevels
  ) throws(FormatProblem) {
    throw .unsupported("encoding \(encoding.name) is not supported yet")
  }
}
