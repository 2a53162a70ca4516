import TarnColumns

extension DictionaryStrings {
  /// The rows of entries for which something holds, which is asked once an entry where that is less work.
  @inline(__always)
  func rows(where holds: (ByteStrings, Int) -> Bool) -> Bitmap {
    let strings = entries.strings
    let positions = indices
    guard strings.count <= positions.count else {
      return Bitmap(count: positions.count) { holds(strings, Int(positions[$0])) }
    }
    let held = Bitmap(count: strings.count) { holds(strings, $0) }
    return Bitmap(count: positions.count) { held[Int(positions[$0])] }
  }
}
