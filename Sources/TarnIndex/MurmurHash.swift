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
}

/// The hash for tests of its vectors.
package func hadoopMurmurHash(_ bytes: RawSpan, seed: UInt32) -> UInt32 {
  bytes.withUnsafeBytes { MurmurHash.hash($0, seed: seed) }
}
