import TarnBytes
import TarnColumns

/// Why text from a file's footer is no Bloom filter that Tarn takes.
package struct BloomFilterError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong, for people.
  package let message: String

  init(_ message: String) { self.message = message }

  /// What is wrong.
  package var description: String { "Bloom filter: \(message)" }
}

/// The Bloom filter over the record keys of a base file, as Hudi keeps it in the footer.
///
/// It may say that a key is there which is not, and never the reverse. Source: `SimpleBloomFilter`,
/// `HoodieDynamicBoundedBloomFilter`, and Hadoop's `BloomFilter` and `DynamicBloomFilter`.
package struct BloomFilter: Sendable, Hashable {
  /// Key of the filter's text in a Parquet footer.
  package static let footerKey = "org.apache.hudi.bloomfilter"
  /// Key of ``Kind-swift.enum``'s name in a Parquet footer; missing there for a simple filter.
  package static let kindFooterKey = "hoodie_bloom_filter_type_code"

  /// Whether the filter grows with its keys.
  package enum Kind: String, Sendable, Hashable {
    /// One row of bits.
    case simple = "SIMPLE"
    /// Further rows when one is full, up to a limit.
    case dynamic = "DYNAMIC_V0"
  }

  /// For how many keys a filter is made, and how often it may err.
  package struct Sizing: Sendable, Hashable {
    /// Keys that a row is made for.
    package let entries: Int
    /// A key that is not there is taken for one in 10 to this power.
    package let errorExponent: Int
    /// Keys beyond which a dynamic filter grows no more.
    package let limit: Int

    /// Makes a sizing of its parts; counts below one become one.
    package init(entries: Int, errorExponent: Int, limit: Int) {
      // So that the number of bits fits the format's 32 bits, and a hash count stays sensible.
      self.errorExponent = min(max(errorExponent, 1), 100)
      self.entries = min(max(entries, 1), 400_000_000 / self.errorExponent)
      self.limit = limit
    }

    /// Hudi's own default: 60,000 keys a row, one error in 10⁹; 30 hashes a key and 431 kB of text.
    package static let hudi = Sizing(entries: 60_000, errorExponent: 9, limit: 100_000)

    /// For the rows of one file, at least 10,000, one error in 1,000: a single row of bits.
    package static func perFile(rows: Int) -> Sizing {
      let entries = max(rows, 10_000)
      return Sizing(entries: entries, errorExponent: 3, limit: entries)
    }

    var bitCount: Int {
      let bits = Double(entries) * (Double(errorExponent) * ln10 / (ln2 * ln2))
      return Int(bits.rounded(.up))
    }

    var hashCount: Int { Int((ln2 * Double(bitCount) / Double(entries)).rounded(.up)) }
  }

  /// Whether the filter grows.
  package let kind: Kind
  let hashCount: Int
  let bitCount: Int
  /// Keys that a row is made for, and keys beyond which no row is added.
  let rowEntries: Int
  let limit: Int
  /// All rows one after the other, each in whole bytes, bit `i` at `1 << (i % 8)` of byte `i / 8`.
  private var bits: [UInt8]
  private var rowCount: Int
  /// Keys in the last row.
  private var lastRowKeys: Int
  /// The row for the next key, once the filter grows no more.
  private var turn = 0

  /// Makes an empty filter.
  package init(_ kind: Kind = .dynamic, sizing: Sizing) {
    self.kind = kind
    hashCount = sizing.hashCount
    bitCount = sizing.bitCount
    rowEntries = sizing.entries
    limit = sizing.limit
    rowCount = 1
    lastRowKeys = 0
    bits = [UInt8](repeating: 0, count: (bitCount + 7) / 8)
  }

  private var rowBytes: Int { (bitCount + 7) / 8 }

  /// Adds a key: the UTF-8 bytes of a record key.
  package mutating func insert(_ key: RawSpan) {
    let start = nextRow() * rowBytes
    let divisor = Int32(truncatingIfNeeded: bitCount)
    let hashes = hashCount
    bits.withUnsafeMutableBufferPointer { bits in
      key.withUnsafeBytes { key in
        var hash: UInt32 = 0
        for _ in 0..<hashes {
          hash = MurmurHash.hash(key, seed: hash)
          let position = Self.position(hash, divisor)
          bits[start &+ position &>> 3] |= 1 &<< UInt8(truncatingIfNeeded: position & 7)
        }
      }
    }
  }

  /// Adds all keys of a column.
  ///
  /// The hashes of a key wait for one another, as each is the next one's seed; those of four keys are made at once.
  package mutating func insert(_ keys: ByteStrings) {
    var row = 0
    while row < keys.count {
      let length = keys.length(row)
      if row + 4 <= keys.count, length == keys.length(row + 1), length == keys.length(row + 2),
        length == keys.length(row + 3)
      {
        insertFour(keys, row)
        row += 4
      } else {
        insert(keys[row])
        row += 1
      }
    }
  }

  /// Adds four keys of one length.
  private mutating func insertFour(_ keys: ByteStrings, _ first: Int) {
    let starts = SIMD4(
      nextRow() * rowBytes, nextRow() * rowBytes, nextRow() * rowBytes, nextRow() * rowBytes)
    let divisor = Int32(truncatingIfNeeded: bitCount)
    let hashes = hashCount
    let length = keys.length(first)
    let start = keys.range(first).lowerBound
    bits.withUnsafeMutableBufferPointer { bits in
      keys.bytes.withUnsafeBytes { bytes in
        // Keys of one length lie end to end.
        let four = UnsafeRawBufferPointer(rebasing: bytes[start..<start + 4 * length])
        MurmurHash.chains(of: four, length: length, count: hashes) { lane, hash in
          let position = Self.position(hash, divisor)
          bits[starts[lane] &+ position &>> 3] |= 1 &<< UInt8(truncatingIfNeeded: position & 7)
        }
      }
    }
  }

  /// The row that takes the next key; a full filter that may grow gets another.
  private mutating func nextRow() -> Int {
    guard kind == .dynamic else { return 0 }
    if lastRowKeys >= rowEntries {
      if rowCount * rowEntries < limit {
        bits.append(contentsOf: repeatElement(0, count: rowBytes))
        rowCount += 1
        lastRowKeys = 0
      } else {
        defer { turn += 1 }
        return turn % rowCount
      }
    }
    lastRowKeys += 1
    return rowCount - 1
  }

  /// Whether a key may have been added; false is certain.
  package func mightContain(_ key: RawSpan) -> Bool {
    let divisor = Int32(truncatingIfNeeded: bitCount)
    return bits.withUnsafeBufferPointer { bits in
      key.withUnsafeBytes { key in
        for row in 0..<rowCount where holds(key, bits, row &* rowBytes, divisor) { return true }
        return false
      }
    }
  }

  private func holds(
    _ key: UnsafeRawBufferPointer, _ bits: UnsafeBufferPointer<UInt8>, _ start: Int, _ divisor: Int32
  ) -> Bool {
    var hash: UInt32 = 0
    for _ in 0..<hashCount {
      hash = MurmurHash.hash(key, seed: hash)
      let position = Self.position(hash, divisor)
      if bits[start &+ position &>> 3] & (1 &<< UInt8(truncatingIfNeeded: position & 7)) == 0 {
        return false
      }
    }
    return true
  }

  /// The remainder of the signed hash, without its sign.
  @inline(__always)
  static func position(_ hash: UInt32, _ divisor: Int32) -> Int {
    Int((Int32(bitPattern: hash) % divisor).magnitude)
  }
}

private let ln2 = 0.693147180559945309417232
private let ln10 = 2.30258509299404568401799

extension BloomFilter {
  /// Hashes beyond which a filter from outside is taken for damaged.
  private static let hashLimit = 1_024

  /// The text for a Parquet footer.
  package func encoded() -> String {
    var out: [UInt8] = []
    out.reserveCapacity(bits.count + rowCount * 13 + 25)
    if kind == .dynamic {
      appendHeader(to: &out)
      out.appendBigEndian(Int32(truncatingIfNeeded: rowEntries))
      out.appendBigEndian(Int32(truncatingIfNeeded: lastRowKeys))
      out.appendBigEndian(Int32(truncatingIfNeeded: rowCount))
    }
    for row in 0..<rowCount {
      appendHeader(to: &out)
      out.append(contentsOf: bits[row * rowBytes..<(row + 1) * rowBytes])
    }
    return Base64.encode(out)
  }

  private func appendHeader(to out: inout [UInt8]) {
    out.appendBigEndian(Int32(-1))
    out.appendBigEndian(Int32(truncatingIfNeeded: hashCount))
    out.append(1)
    out.appendBigEndian(Int32(truncatingIfNeeded: bitCount))
  }

  /// Reads a filter from a Parquet footer.
  ///
  /// - Parameters:
  ///   - text: The value under ``footerKey``.
  ///   - kindName: The value under ``kindFooterKey``; nil where it is missing.
  /// - Throws: ``BloomFilterError``. The keys of such a file must be read to know.
  package init(decoding text: RawSpan, kindName: String?) throws(BloomFilterError) {
    guard let kind = kindName.map(Kind.init(rawValue:)) ?? .simple else {
      throw BloomFilterError("unknown kind \(kindName ?? "")")
    }
    guard let bytes = Base64.decode(text) else { throw BloomFilterError("it is not base64") }
    try self.init(kind, bytes.span.bytes)
  }

  private init(_ kind: Kind, _ bytes: RawSpan) throws(BloomFilterError) {
    var reader = ByteReader(bytes)
    self.kind = kind
    let header = try Self.readHeader(&reader)
    (hashCount, bitCount) = (header.hashCount, header.bitCount)
    let rowBytes = header.rowBytes
    guard kind == .dynamic else {
      bits = []
      try reader.take(rowBytes, into: &bits)
      (rowEntries, limit, rowCount, lastRowKeys) = (Int.max, 0, 1, 0)
      return
    }
    let growth = try Growth(&reader)
    (rowEntries, lastRowKeys, rowCount) = (growth.rowEntries, growth.lastRowKeys, growth.rowCount)
    guard rowCount <= reader.remaining / (rowBytes + Self.headerBytes) else {
      throw BloomFilterError("its counts do not fit its length")
    }
    limit = rowCount * rowEntries
    bits = []
    bits.reserveCapacity(rowCount * rowBytes)
    for _ in 0..<rowCount {
      guard try Self.readHeader(&reader) == header else {
        throw BloomFilterError("its rows differ in shape")
      }
      try reader.take(rowBytes, into: &bits)
    }
  }

  /// Bytes of a header.
  static let headerBytes = 13

  /// What stands before the bits of a row, and before all rows of a filter that grows.
  struct Header: Equatable {
    let hashCount: Int
    let bitCount: Int

    var rowBytes: Int { (bitCount + 7) / 8 }
  }

  /// What a filter that grows tells behind its first header.
  struct Growth {
    static let byteCount = 12
    /// Where the keys of the last row are counted.
    static let lastRowKeysOffset = 4

    let rowEntries: Int
    let lastRowKeys: Int
    let rowCount: Int

    @_lifetime(reader: copy reader)
    init(_ reader: inout ByteReader) throws(BloomFilterError) {
      rowEntries = try reader.takeInt32()
      lastRowKeys = try reader.takeInt32()
      rowCount = try reader.takeInt32()
      guard rowEntries > 0, lastRowKeys >= 0, rowCount > 0 else {
        throw BloomFilterError("its counts do not fit its length")
      }
    }
  }

  /// The bits of a row that a key sets.
  static func positions(of key: RawSpan, _ header: Header) -> [Int] {
    let divisor = Int32(truncatingIfNeeded: header.bitCount)
    return key.withUnsafeBytes { key in
      var hash: UInt32 = 0
      return (0..<header.hashCount).map { _ in
        hash = MurmurHash.hash(key, seed: hash)
        return position(hash, divisor)
      }
    }
  }

  @_lifetime(reader: copy reader)
  static func readHeader(_ reader: inout ByteReader) throws(BloomFilterError) -> Header {
    let version = try reader.takeInt32()
    guard version == -1 else {
      throw BloomFilterError("version \(version); only version -1 is read")
    }
    let hashCount = try reader.takeInt32()
    let hashKind = try reader.takeByte()
    let bitCount = try reader.takeInt32()
    guard hashKind == 1 else { throw BloomFilterError("hash \(hashKind); only 1, Murmur, is known") }
    guard (1...hashLimit).contains(hashCount), bitCount > 0
    else { throw BloomFilterError("\(hashCount) hashes and \(bitCount) bits") }
    return Header(hashCount: hashCount, bitCount: bitCount)
  }
}

extension ByteReader {
  private static var tooShort: BloomFilterError { BloomFilterError("it ends too early") }

  @_lifetime(self: copy self)
  fileprivate mutating func takeInt32() throws(BloomFilterError) -> Int {
    do { return Int(try readBigEndian(Int32.self)) } catch { throw Self.tooShort }
  }

  @_lifetime(self: copy self)
  fileprivate mutating func takeByte() throws(BloomFilterError) -> UInt8 {
    do { return try readByte() } catch { throw Self.tooShort }
  }

  @_lifetime(self: copy self)
  fileprivate mutating func take(_ count: Int, into out: inout [UInt8]) throws(BloomFilterError) {
    do { out.append(try readBytes(count)) } catch { throw Self.tooShort }
  }
}
