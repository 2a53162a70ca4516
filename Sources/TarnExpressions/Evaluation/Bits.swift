import TarnColumns

/// Makes bits, a word at a time.
@inline(__always)
func bits(_ count: Int, _ isSet: (Int) -> Bool) -> Bitmap {
  var words: [UInt64] = []
  words.reserveCapacity((count + 63) / 64)
  var row = 0
  while row < count {
    var word: UInt64 = 0
    let end = min(row &+ 64, count)
    var bit: UInt64 = 0
    while row < end {
      word |= (isSet(row) ? 1 : 0) &<< bit
      bit &+= 1
      row &+= 1
    }
    words.append(word)
  }
  return Bitmap(words: words, count: count)
}

extension DictionaryStrings {
  /// The rows of entries for which something holds, which is asked once an entry where that is less work.
  @inline(__always)
  func rows(where holds: (ByteStrings, Int) -> Bool) -> Bitmap {
    let strings = entries.strings
    let positions = indices
    guard strings.count <= positions.count else {
      return bits(positions.count) { holds(strings, Int(positions[$0])) }
    }
    let held = bits(strings.count) { holds(strings, $0) }
    return bits(positions.count) { held[Int(positions[$0])] }
  }
}
