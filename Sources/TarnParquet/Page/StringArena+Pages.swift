import TarnBytes

extension StringArena {
  private static let tooLarge = FormatError.outOfRange(
    "the strings of one row group pass 2 GiB, which is more than is held at once")
  private static let tooShort = FormatError.malformed("a page holds fewer values than it declares")

  /// Appends all strings of another arena.
  mutating func append(_ page: StringArena, _ levels: PageLevels) throws(FormatError) {
    guard bytes.count + page.bytes.count <= Int(Int32.max) else { throw Self.tooLarge }
    let start = ends.count
    let base = end
    bytes.append(contentsOf: page.bytes)
    for index in 1..<page.ends.count { ends.append(base &+ page.ends[index]) }
    spread(from: start, base: base, levels)
  }

  /// Appends a page of PLAIN strings.
  mutating func append(_ page: RawSpan, _ fixedLength: Int?, _ levels: PageLevels) throws(FormatError) {
    guard bytes.count + page.byteCount <= Int(Int32.max) else { throw Self.tooLarge }
    let start = ends.count
    let base = end
    if let fixedLength {
      guard levels.validCount <= page.byteCount / fixedLength else { throw Self.tooShort }
      bytes.append(page.extracting(first: levels.validCount * fixedLength))
      let step = Int32(truncatingIfNeeded: fixedLength)
      var last = base
      for _ in 0..<levels.validCount {
        last &+= step
        ends.append(last)
      }
    } else {
      // Each value takes the four bytes of its length at least.
      guard levels.validCount <= page.byteCount / 4 else { throw Self.tooShort }
      try appendPrefixed(page, levels.validCount)
    }
    spread(from: start, base: base, levels)
  }

  private mutating func appendPrefixed(_ page: RawSpan, _ count: Int) throws(FormatError) {
    var last = Int(end)
    var offset = 0
    try ends.append(addingCapacity: count) { (endSpan) throws(FormatError) in
      try bytes.append(addingCapacity: page.byteCount) { (byteSpan) throws(FormatError) in
        try endSpan.withUnsafeMutableBufferPointer { (newEnds, endCount) throws(FormatError) in
          try byteSpan.withUnsafeMutableBufferPointer { (target, byteCount) throws(FormatError) in
            let base = last
            for index in 0..<count {
              guard page.byteCount &- offset >= 4 else { throw Self.tooShort }
              let length = Int(
                UInt32(
                  littleEndian: page.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self)))
              offset &+= 4
              guard length <= page.byteCount &- offset else { throw Self.tooShort }
              CopyBytes.copy(page, offset, length, UnsafeMutableRawBufferPointer(target), last &- base)
              offset &+= length
              last &+= length
              // At most the page's size beyond what was held, which was checked.
              newEnds[index] = Int32(truncatingIfNeeded: last)
            }
            endCount = count
            byteCount = last - base
          }
        }
      }
    }
  }

  /// Appends entries of a dictionary; the indices were checked.
  mutating func append(from dictionary: StringArena, _ indices: [UInt32], _ count: Int) throws(FormatError) {
    let entries = dictionary.ends.span
    var total = 0
    for index in 0..<count {
      let entry = Int(indices[index])
      total &+= Int(entries[unchecked: entry &+ 1] &- entries[unchecked: entry])
    }
    guard bytes.count + total <= Int(Int32.max) else { throw Self.tooLarge }
    var last = end
    let base = Int(last)
    let source = dictionary.bytes.span.bytes
    ends.append(addingCapacity: count) { endSpan in
      bytes.append(addingCapacity: total + Self.slack) { byteSpan in
        endSpan.withUnsafeMutableBufferPointer { newEnds, endCount in
          byteSpan.withUnsafeMutableBufferPointer { target, byteCount in
            for index in 0..<count {
              let entry = Int(indices[index])
              let from = entries[unchecked: entry]
              let length = entries[unchecked: entry &+ 1] &- from
              CopyBytes.copy(
                source, Int(from), Int(length), UnsafeMutableRawBufferPointer(target), Int(last) &- base)
              last &+= length
              newEnds[index] = last
            }
            endCount = count
            byteCount = total
          }
        }
      }
    }
  }

  /// Leaves some of the last `count` strings.
  mutating func keep(_ part: Range<Int>, ofLast count: Int) {
    let first = ends.count - 1 - count
    let (base, start) = (ends[first], ends[first + part.lowerBound])
    let last = ends[first + part.upperBound]
    var left = StringArena(ends: Array(ends[...first]), bytes: Array(bytes[..<Int(base)]))
    for end in ends[(first + part.lowerBound + 1)..<(first + part.upperBound + 1)] {
      left.ends.append(base &+ end &- start)
    }
    left.bytes += bytes[Int(start)..<Int(last)]
    self = left
  }

  /// Gives nulls an empty string each, behind the strings that were appended from `start` on.
  mutating func spread(from start: Int, base: Int32, _ levels: PageLevels) {
    guard levels.validity != nil else { return }
    ends.append(contentsOf: repeatElement(0, count: levels.count - levels.validCount))
    ends.withUnsafeMutableBufferPointer { all in
      let page = UnsafeMutableBufferPointer(rebasing: all[start...])
      levels.spread(page) { source in source < 0 ? base : page[source] }
    }
  }
}
