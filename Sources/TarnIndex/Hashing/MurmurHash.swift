/// MurmurHash2 of 32 bits as Hadoop has it: the bytes behind the last whole word count as signed, the last one first.
///
/// Source: `org.apache.hadoop.util.hash.MurmurHash`.
enum MurmurHash {
  @inline(__always)
  static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt32) -> UInt32 {
    let multiplier: UInt32 = 0x5bd1_e995
    let count = bytes.count
    var hash = seed ^ UInt32(truncatingIfNeeded: count)
    var offset = 0
    while offset &+ 4 <= count {
      var word = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
      word = word &* multiplier
      word ^= word &>> 24
      hash = (hash &* multiplier) ^ (word &* multiplier)
      offset &+= 4
    }
    let left = count & 3
    if left > 0 {
      func signed(_ back: Int) -> UInt32 {
        UInt32(bitPattern: Int32(Int8(bitPattern: bytes[count &- back])))
      }
      if left == 3 { hash ^= signed(3) &<< 16 }
      if left >= 2 { hash ^= signed(2) &<< 8 }
      hash ^= signed(1)
      hash = hash &* multiplier
    }
    hash ^= hash &>> 13
    hash = hash &* multiplier
    return hash ^ (hash &>> 15)
  }

  /// Hashes four keys of one length, each `count` times, every hash being the seed of the next.
  ///
  /// Words are mixed once, as that does not depend on the seed.
  @inline(__always)
  static func chains(
    of keys: UnsafeRawBufferPointer, length: Int, count: Int, _ found: (Int, UInt32) -> Void
  ) {
    let multiplier: UInt32 = 0x5bd1_e995
    let wordCount = length / 4
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 4 * (wordCount + 1)) { words in
      for lane in 0..<4 {
        let key = UnsafeRawBufferPointer(rebasing: keys[lane &* length..<(lane &+ 1) &* length])
        for index in 0..<wordCount {
          var word = UInt32(littleEndian: key.loadUnaligned(fromByteOffset: 4 &* index, as: UInt32.self))
          word = word &* multiplier
          word ^= word &>> 24
          words[4 &* index &+ lane] = word &* multiplier
        }
        words[4 &* wordCount &+ lane] = tail(key)
      }
      let hasTail = length & 3 != 0
      let size = UInt32(truncatingIfNeeded: length)
      var (a, b, c, d): (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
      for _ in 0..<count {
        (a, b, c, d) = (a ^ size, b ^ size, c ^ size, d ^ size)
        var index = 0
        while index < 4 &* wordCount {
          a = (a &* multiplier) ^ words[index]
          b = (b &* multiplier) ^ words[index &+ 1]
          c = (c &* multiplier) ^ words[index &+ 2]
          d = (d &* multiplier) ^ words[index &+ 3]
          index &+= 4
        }
        if hasTail {
          a = (a ^ words[index]) &* multiplier
          b = (b ^ words[index &+ 1]) &* multiplier
          c = (c ^ words[index &+ 2]) &* multiplier
          d = (d ^ words[index &+ 3]) &* multiplier
        }
        (a, b, c, d) = (finished(a), finished(b), finished(c), finished(d))
        found(0, a)
        found(1, b)
        found(2, c)
        found(3, d)
      }
    }
  }

  /// What the bytes behind the last whole word add to a hash before it is multiplied.
  private static func tail(_ key: UnsafeRawBufferPointer) -> UInt32 {
    var value: UInt32 = 0
    for back in 0..<(key.count & 3) {
      value ^= UInt32(bitPattern: Int32(Int8(bitPattern: key[key.count - 1 - back]))) &<< UInt32(8 * back)
    }
    return value
  }

  @inline(__always)
  private static func finished(_ hash: UInt32) -> UInt32 {
    var hash = hash
    hash ^= hash &>> 13
    hash = hash &* 0x5bd1_e995
    return hash ^ (hash &>> 15)
  }
}

/// The hash for tests of its vectors.
package func hadoopMurmurHash(_ bytes: RawSpan, seed: UInt32) -> UInt32 {
  bytes.withUnsafeBytes { MurmurHash.hash($0, seed: seed) }
}
