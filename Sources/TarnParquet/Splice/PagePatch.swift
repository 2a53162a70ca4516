import TarnBytes

/// Replaces values of a page as they are encoded, so that the others are neither decoded nor encoded.
///
/// It serves pages none of whose values is null. New values come in PLAIN, in the order of the rows that they
/// replace. What it does not serve is decoded and encoded as a whole: see ``ChunkSplicer``.
struct PagePatch {
  /// Rows of the page whose values are replaced, ascending.
  let rows: [Int32]
  /// Bounds of the page's values before.
  let bounds: EncodedBounds

  /// What becomes of the values.
  enum Outcome {
    /// All are what they were.
    case same
    /// Others were appended to the page.
    case patched
    /// A value goes that may be a bound of those that stay.
    case looseBound
  }

  /// Whether the page's bounds may no longer be exact once a value goes.
  private func isBound(_ value: RawSpan) -> Bool {
    value.isEqual(to: bounds.minimum.span.bytes) || value.isEqual(to: bounds.maximum.span.bytes)
  }

  private static let damaged = FormatError.malformed("a page holds fewer values than it declares")

  /// Replaces values of `width` bytes each.
  func fixed(
    _ values: RawSpan, _ width: Int, count: Int, by new: [UInt8], into out: inout [UInt8]
  ) throws(FormatError) -> Outcome {
    guard values.byteCount / width >= count, new.count == rows.count * width else { throw Self.damaged }
    // What stands behind the values is nothing to a reader.
    let values = values.extracting(first: count * width)
    let new = new.span.bytes
    var differing: [(at: Int, from: Int)] = []
    for (index, row) in rows.enumerated() {
      let (at, from) = (Int(row) * width, index * width)
      let old = values.extracting(at..<at + width)
      if old.isEqual(to: new.extracting(from..<from + width)) { continue }
      if isBound(old) { return .looseBound }
      differing.append((at, from))
    }
    guard !differing.isEmpty else { return .same }
    var done = 0
    for (at, from) in differing {
      out.append(values.extracting(done..<at))
      out.append(new.extracting(from..<from + width))
      done = at + width
    }
    out.append(values.extracting(done..<values.byteCount))
    return .patched
  }

  /// Replaces strings each of which comes behind its length.
  func prefixed(
    _ values: RawSpan, count: Int, by new: [UInt8], into out: inout [UInt8]
  ) throws(FormatError) -> Outcome {
    var reader = PrefixedReader(values)
    var fresh = PrefixedReader(new.span.bytes)
    let start = out.count
    var done = 0
    var row = 0
    for replaced in rows {
      while row < replaced {
        try reader.skip()
        row += 1
      }
      let at = reader.offset
      let old = try reader.next()
      row += 1
      let from = fresh.offset
      if old.isEqual(to: try fresh.next()) { continue }
      if isBound(old) {
        out.removeLast(out.count - start)
        return .looseBound
      }
      out.append(values.extracting(done..<at))
      out.append(new.span.bytes.extracting(from..<fresh.offset))
      done = reader.offset
    }
    guard done > 0 else { return .same }
    while row < count {
      try reader.skip()
      row += 1
    }
    out.append(values.extracting(done..<reader.offset))
    return .patched
  }

  /// Replaces strings that stand end to end behind all their lengths.
  func lengthsFirst(
    _ values: RawSpan, count: Int, by new: [UInt8], into out: inout [UInt8]
  ) throws(FormatError) -> Outcome {
    let decoded = try DeltaReader.decode(values, count: count, as: Int32.self)
    var lengths = decoded.values
    let strings = values.extracting(decoded.byteCount...)
    var fresh = PrefixedReader(new.span.bytes)
    var differing: [(old: Range<Int>, new: Range<Int>)] = []
    var offset = 0
    var row = 0
    func advance(to end: Int) throws(FormatError) {
      while row < end {
        let length = Int(lengths[row])
        guard length >= 0, length <= strings.byteCount &- offset else { throw Self.damaged }
        offset &+= length
        row &+= 1
      }
    }
    for replaced in rows {
      try advance(to: Int(replaced))
      let begin = offset
      try advance(to: Int(replaced) + 1)
      let old = strings.extracting(begin..<offset)
      let value = try fresh.next()
      if old.isEqual(to: value) { continue }
      if isBound(old) { return .looseBound }
      differing.append((begin..<offset, fresh.offset - value.byteCount..<fresh.offset))
      lengths[Int(replaced)] = Int32(truncatingIfNeeded: value.byteCount)
    }
    guard !differing.isEmpty else { return .same }
    // Lengths that were replaced are behind the offset already.
    try advance(to: count)
    out.appendDelta(lengths.span)
    var done = 0
    for (old, value) in differing {
      out.append(strings.extracting(done..<old.lowerBound))
      out.append(new.span.bytes.extracting(value))
      done = old.upperBound
    }
    out.append(strings.extracting(done..<offset))
    return .patched
  }

  /// Replaces positions in the dictionary, which has `entries` of them by now, and had `before` of them.
  func indices(
    _ values: RawSpan, count: Int, by new: [UInt32], before: Int, entries: Int, entry: (Int) -> [UInt8],
    into out: inout [UInt8]
  ) throws(FormatError) -> Outcome {
    guard values.byteCount > 0, new.count == rows.count else { throw Self.damaged }
    let width = Int(values.unsafeLoad(fromByteOffset: 0, as: UInt8.self))
    var reader = try HybridReader(values.extracting(1...), width: width)
    var indices = [UInt32](repeating: 0, count: count)
    try reader.read(count, into: &indices)
    guard indices.allSatisfy({ $0 < before }) else {
      throw .malformed("a page refers to a dictionary entry that is not there")
    }
    var gone: Set<UInt32> = []
    for (row, index) in zip(rows, new) where indices[Int(row)] != index {
      gone.insert(indices[Int(row)])
      indices[Int(row)] = index
    }
    if gone.isEmpty { return .same }
    // Few values are many rows' in such a page, so that most of what goes stays elsewhere.
    for index in gone where isBound(entry(Int(index)).span.bytes) && !indices.contains(index) {
      return .looseBound
    }
    out.appendIndices(indices.span, entries: entries)
    return .patched
  }
}

/// Reads strings each of which comes behind its length.
private struct PrefixedReader: ~Escapable {
  private let bytes: RawSpan
  private(set) var offset = 0

  @_lifetime(copy bytes)
  init(_ bytes: RawSpan) { self.bytes = bytes }

  @inline(__always)
  private func length() throws(FormatError) -> Int {
    guard bytes.byteCount &- offset >= 4 else {
      throw .malformed("a page holds fewer values than it declares")
    }
    let length = Int(
      UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self)))
    guard length <= bytes.byteCount &- offset &- 4 else {
      throw .malformed("a page holds fewer values than it declares")
    }
    return length
  }

  @_lifetime(self: copy self)
  @inline(__always)
  mutating func skip() throws(FormatError) { offset &+= 4 &+ (try length()) }

  @_lifetime(copy self)
  @_lifetime(self: copy self)
  mutating func next() throws(FormatError) -> RawSpan {
    let start = offset + 4
    try skip()
    return bytes.extracting(start..<offset)
  }
}
