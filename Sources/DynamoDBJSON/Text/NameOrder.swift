internal import TarnBytes

/// Names told apart by short hashes first, in an order in which equal names lie side by side.
enum NameOrder {
  /// Up to so many names, comparing each hash with each costs less than sorting.
  static let few = 24

  /// Tells most names apart.
  static func hash(_ name: RawSpan) -> UInt32 {
    UInt32(truncatingIfNeeded: name.fingerprint &>> 32) &+ UInt32(truncatingIfNeeded: name.byteCount)
  }

  /// A hash, with the number of its name below it, so that sorting by this value sorts by the hash.
  static func entry(hash: UInt32, number: UInt32) -> UInt64 { UInt64(hash) &<< 32 | UInt64(number) }

  static func number(_ entry: UInt64) -> Int { Int(entry & 0xffff_ffff) }

  static func hash(_ entry: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: entry &>> 32) }

  /// Sorts entries by hash, and those of one hash by `precedes`, which compares the bytes of two names.
  ///
  /// - Returns: The number of a name that is there twice; nil where all differ.
  static func sort(_ entries: inout [UInt64], _ precedes: (Int, Int) -> Bool) -> Int? {
    entries.sort()
    var twice: Int?
    var first = 0
    while first < entries.count {
      var end = first + 1
      while end < entries.count, hash(entries[end]) == hash(entries[first]) { end += 1 }
      if end - first > 1 {
        entries[first..<end].sort { precedes(number($0), number($1)) }
        for index in first + 1..<end where !precedes(number(entries[index - 1]), number(entries[index])) {
          twice = number(entries[index])
        }
      }
      first = end
    }
    return twice
  }
}
