/// Files of Tarn's made into such as others, or earlier builds, would have written.
public enum ForeignBytes {
  /// The bytes with one pattern in the place of another of the same length, wherever it stands.
  public static func replacing(_ pattern: [UInt8], by other: [UInt8], in bytes: [UInt8]) -> [UInt8] {
    precondition(pattern.count == other.count, "offsets in the file would be wrong")
    guard let first = pattern.first else { return bytes }
    var result = bytes
    var start = 0
    while let found = bytes[start...].firstIndex(of: first) {
      guard found + pattern.count <= bytes.count else { break }
      start = found + 1
      guard bytes[found..<found + pattern.count].elementsEqual(pattern) else { continue }
      result.replaceSubrange(found..<found + pattern.count, with: other)
      start = found + pattern.count
    }
    return result
  }

  /// A file by another writer, whose name has the length of Tarn's.
  public static func written(by name: String, _ bytes: [UInt8]) -> [UInt8] {
    replacing(Array("tarn version 0.1.0 (build 2)".utf8), by: Array(name.utf8), in: bytes)
  }

  /// A file as an earlier build made it: where a page holds a NaN, its bounds tell of the other numbers only.
  ///
  /// Those lie between -`limit` and `limit`; no infinite number may be among the file's values.
  public static func leavingNaNOut(_ bytes: [UInt8], limit: Float) -> [UInt8] {
    var bytes = written(by: "tarn version 0.1.0 (build 1)", bytes)
    for sign: Float in [-1, 1] {
      bytes = replacing(
        littleEndian(Double(sign * .infinity).bitPattern), by: littleEndian(Double(sign * limit).bitPattern),
        in: bytes)
      // With the length before it, since four bytes alone may stand anywhere.
      bytes = replacing(
        [4] + littleEndian((sign * .infinity).bitPattern), by: [4] + littleEndian((sign * limit).bitPattern),
        in: bytes)
    }
    return bytes
  }

  /// A number's bytes, least significant first.
  public static func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
  }
}
