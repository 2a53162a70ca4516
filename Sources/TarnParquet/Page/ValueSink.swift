import TarnColumns

/// Collects the values of one column chunk, page by page.
protocol ValueSink: Sendable {
  /// Takes the values of the dictionary page.
  mutating func setDictionary(_ bytes: RawSpan, count: Int) throws(FormatError)
  /// Appends a page of PLAIN values.
  mutating func appendPlain(_ bytes: RawSpan, _ levels: PageLevels) throws(FormatError)
  /// Appends a page of indices into the dictionary.
  ///
  /// - Parameter indices: Room for ``HybridReader/step`` of them.
  mutating func appendIndices(
    _ reader: inout HybridReader, _ levels: PageLevels, _ indices: inout [UInt32]
  ) throws(FormatError)
  /// Appends a page in an encoding that only some types have.
  mutating func appendOther(
    _ encoding: Encoding, _ bytes: RawSpan, _ levels: PageLevels
  ) throws(FormatError)
  /// Bytes that each PLAIN value takes; nil where that differs, or is less than one.
  var plainWidth: Int? { get }
  /// Leaves some of the values appended last, which are `count` with nulls.
  mutating func keep(_ part: Range<Int>, ofLast count: Int)
  /// About how many bytes the values take that were collected so far, without the dictionary.
  var byteCount: Int { get }
  /// Gives the values collected so far and begins anew; the dictionary stays.
  mutating func take(_ leaf: LeafColumn) throws(FormatError) -> Column.Values
  /// Lets go of the dictionary where the values at hand do without it, since no further page refers to it.
  mutating func endPages()
  /// Lets go of the dictionary, to which no further page refers.
  mutating func endDictionary()
}

extension ValueSink {
  mutating func endPages() {}
  var plainWidth: Int? { nil }

  mutating func appendOther(
    _ encoding: Encoding, _ bytes: RawSpan, _ levels: PageLevels
  ) throws(FormatError) {
    throw .malformed("a page has an encoding that its type cannot have")
  }

  /// Checks once for many that indices lie within the dictionary.
  static func checkIndices(_ indices: [UInt32], _ count: Int, _ entries: Int) throws(FormatError) {
    var greatest: UInt32 = 0
    for index in 0..<count { greatest = max(greatest, indices[index]) }
    guard count == 0 || Int(greatest) < entries else {
      throw .malformed("a page refers to a dictionary entry that is not there")
    }
  }
}
