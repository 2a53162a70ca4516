import TarnBytes

/// A split-block Bloom filter, as `BloomFilter.md` of the Parquet specification lays it down.
///
/// It says of a value that it may be there, or that it is not. Values are hashed as PLAIN stores them,
/// strings without their length.
public struct SplitBlockBloomFilter: Sendable, Hashable {
  /// Blocks of eight words, one bit of each word a value.
  private var words: [UInt32]

  private static let salts: [UInt32] = [
    0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31,
  ]
  /// Sizes in bytes between which filters are made.
  private static let sizes = 32...(128 << 20)

  /// Makes an empty filter for so many different values.
  public init(distinctValues: Int, falsePositiveRate: Double) {
    // Bits a value: -8 / ln(1 - rate^(1/8)), as eight bits are set for each.
    let rate = min(max(falsePositiveRate, 1e-6), 0.5)
    let root = rate.squareRoot().squareRoot().squareRoot()
    let bits = Double(max(distinctValues, 1)) * -8 / Self.logarithm(1 - root)
    var bytes = Self.sizes.lowerBound
    while bytes < Self.sizes.upperBound, Double(bytes) * 8 < bits { bytes *= 2 }
    words = [UInt32](repeating: 0, count: bytes / 4)
  }

  /// The natural logarithm, without a mathematics library: `2 artanh((x-1)/(x+1))` as a series.
  private static func logarithm(_ value: Double) -> Double {
    let quotient = (value - 1) / (value + 1)
    var power = quotient
    var sum = 0.0
    for term in stride(from: 1.0, to: 400, by: 2) {
      sum += power / term
      power *= quotient * quotient
    }
    return 2 * sum
  }

  /// Reads a filter with its header as a file holds it.
  ///
  /// - Throws: ``ParquetError`` where the bytes are damaged, or of a kind that the format did not define when
  ///   this was written.
  public init(stored bytes: RawSpan, path: String = "") throws(ParquetError) {
    do throws(FormatError) {
      var reader = ThriftReader(bytes)
      let header = try reader.bloomFilterHeader()
      guard header.isKnown else {
        throw FormatError.unsupported("the Bloom filter is of a kind that is not known")
      }
      let start = reader.reader.offset
      guard header.byteCount > 0, header.byteCount % 32 == 0, header.byteCount <= bytes.byteCount - start
      else { throw FormatError.malformed("a Bloom filter has another size than it declares") }
      words = (0..<header.byteCount / 4).map {
        UInt32(
          littleEndian: bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: start + 4 * $0, as: UInt32.self))
      }
    } catch {
      throw ParquetError(error.code, path: path, error.message)
    }
  }

  /// The hash of a value's bytes.
  public static func hash(_ value: RawSpan) -> UInt64 { XXH64.hash(value) }

  /// The hash of an integer, as its physical type stores it: `Int32` or `Int64`.
  public static func hash<T: FixedWidthInteger>(_ value: T) -> UInt64 {
    withUnsafeBytes(of: value.littleEndian) { XXH64.hash($0) }
  }

  private func block(_ hash: UInt64) -> Int {
    Int(truncatingIfNeeded: ((hash >> 32) &* UInt64(words.count / 8)) >> 32) * 8
  }

  private static func bit(_ hash: UInt64, _ word: Int) -> UInt32 {
    1 << ((UInt32(truncatingIfNeeded: hash) &* salts[word]) >> 27)
  }

  /// Adds a value by its hash.
  public mutating func insert(hash: UInt64) {
    let start = block(hash)
    for word in 0..<8 { words[start + word] |= Self.bit(hash, word) }
  }

  /// Whether the value of a hash may be there; false where it is not.
  public func mayContain(hash: UInt64) -> Bool {
    let start = block(hash)
    return (0..<8).allSatisfy { words[start + $0] & Self.bit(hash, $0) != 0 }
  }

  /// The filter with its header, as a file holds it.
  public func stored() -> [UInt8] {
    var out = BloomFilterHeader(byteCount: words.count * 4).encoded()
    out.reserveCapacity(out.count + words.count * 4)
    for word in words { out.appendLittleEndian(word) }
    return out
  }
}
