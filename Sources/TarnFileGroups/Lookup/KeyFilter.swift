import TarnBytes
import TarnColumns

/// Passes over most of the keys of a page that are none of a few, at the cost of two loads each.
package struct KeyFilter {
  private var bits: [UInt64]
  private let shift: UInt64

  /// Bits for each key that is looked for.
  private static let bitsPerKey = 32

  /// Takes the keys of some rows.
  package init(_ keys: ByteStrings, _ rows: [Int32]) {
    let width = max(10, Int.bitWidth - (rows.count * Self.bitsPerKey).leadingZeroBitCount)
    shift = UInt64(64 - width)
    bits = [UInt64](repeating: 0, count: 1 << (width - 6))
    for row in rows {
      let place = keys[Int(row)].fingerprint >> shift
      bits[Int(place >> 6)] |= 1 << (place & 63)
    }
  }

  /// Whether a key may be one of those; false is certain.
  @inline(__always)
  package func mayHold(_ key: RawSpan) -> Bool {
    let place = key.fingerprint &>> shift
    return bits[Int(truncatingIfNeeded: place &>> 6)] &>> (place & 63) & 1 != 0
  }
}
