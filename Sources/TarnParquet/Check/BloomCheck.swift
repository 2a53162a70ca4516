import TarnBytes
import TarnColumns

/// Looks the values of one chunk up in its Bloom filter.
///
/// Not compared are values that memory does not hold bit for bit as the file does: times of twelve bytes, halves,
/// and decimals of any length. Of booleans there are no filters.
struct BloomCheck {
  private let filter: SplitBlockBloomFilter
  private let leaf: LeafColumn
  /// Number of values that the filter says are not there.
  private(set) var missingCount = 0
  /// The page of the first such value.
  private(set) var firstPage: Int?

  init(_ filter: SplitBlockBloomFilter, _ leaf: LeafColumn) {
    self.filter = filter
    self.leaf = leaf
  }

  /// Looks up the values of a data page.
  mutating func note(_ column: Column, page: Int) {
    let missing = missingCount(in: column)
    if missing > 0, firstPage == nil { firstPage = page }
    missingCount += missing
  }

  private func missingCount(
    _ strings: ByteStrings, _ column: Column, _ position: (Int) -> Int
  ) -> Int {
    typealias Filter = SplitBlockBloomFilter
    return (0..<column.count).count { row in
      guard !column.isNull(row) else { return false }
      let place = position(row)
      let hash =
        leaf.conversion == .uuid
        ? Filter.hash(Self.uuid(strings[place].copied()).span.bytes) : Filter.hash(strings[place])
      return !filter.mayContain(hash: hash)
    }
  }

  /// The number of values that are not found, each hashed as PLAIN stores it.
  private func missingCount(in column: Column) -> Int {
    func count<T>(_ values: [T], _ hash: (T) -> UInt64) -> Int {
      values.indices.count { !column.isNull($0) && !filter.mayContain(hash: hash(values[$0])) }
    }
    typealias Filter = SplitBlockBloomFilter
    switch (leaf.physical, column.values) {
    case (.int32, .int8(let values)): return count(values) { Filter.hash(Int32($0)) }
    case (.int32, .int16(let values)): return count(values) { Filter.hash(Int32($0)) }
    case (.int32, .int32(let values)): return count(values) { Filter.hash($0) }
    case (.int32, .int64(let values)):
      let unit: Int64 = leaf.conversion == .milliseconds ? 1_000 : 1
      return count(values) { Filter.hash(Int32(truncatingIfNeeded: $0 / unit)) }
    case (.int32, .decimal(let values)): return count(values) { Filter.hash(Int32(truncatingIfNeeded: $0)) }
    case (.int64, .int64(let values)):
      let unit: Int64 = leaf.conversion == .nanoseconds ? 1_000 : 1
      return count(values) { Filter.hash($0 &* unit) }
    case (.int64, .decimal(let values)): return count(values) { Filter.hash(Int64(truncatingIfNeeded: $0)) }
    case (.float, .float(let values)): return count(values) { Filter.hash($0.bitPattern) }
    case (.double, .double(let values)): return count(values) { Filter.hash($0.bitPattern) }
    case (.fixedByteArray, .decimal(let values)):
      return count(values) { value in
        let bytes = (0..<leaf.byteLength).reversed().map {
          UInt8(truncatingIfNeeded: value >> Int128(min($0 * 8, 127)))
        }
        return Filter.hash(bytes.span.bytes)
      }
    case (.byteArray, _), (.fixedByteArray, _):
      switch column.values {
      case .bytes(let strings): return missingCount(strings, column) { $0 }
      case .dictionary(let strings):
        return missingCount(strings.entries.strings, column, strings.position)
      default: return 0
      }
    default: return 0
    }
  }

  /// The bytes of a UUID's canonical text.
  private static func uuid(_ text: [UInt8]) -> [UInt8] {
    let digits = text.compactMap { Character(UnicodeScalar($0)).hexDigitValue.map { UInt8($0) } }
    return stride(from: 1, to: digits.count, by: 2).map { digits[$0 - 1] << 4 | digits[$0] }
  }
}

extension ChunkCheck {
  /// Reads the chunk's Bloom filter, in which the values of its pages are to be found.
  mutating func readBloomFilter() async throws(ParquetError) {
    guard let start = chunk.bloomFilterOffset, start > 0 else { return }
    if let size = chunk.bloomFilterSize {
      guard size > 0, start < file.size, size <= file.size - start else {
        return find("the Bloom filter of \(size) bytes ends behind the file", at: start)
      }
    }
    do throws(ParquetError) {
      bloom = try await file.bloomFilter(chunk, leaf).map { BloomCheck($0, leaf) }
    } catch {
      try find(error)
    }
  }

  /// Tells of values that the Bloom filter does not know.
  mutating func checkBloomFilter() {
    guard let bloom, bloom.missingCount > 0 else { return }
    find(
      "the Bloom filter says of \(bloom.missingCount) of the values that they are not there",
      page: bloom.firstPage, at: chunk.bloomFilterOffset)
  }
}
