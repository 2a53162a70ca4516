import TarnBytes
import TarnColumns
import TarnIndex

/// Collects a file's keys, in the order of its rows, for its key range, Bloom filter and index.
struct KeyCollector {
  private var parts: [ByteStrings] = []
  /// The hash of each key, as an index has it.
  private var hashes: [UInt32] = []

  mutating func add(_ keys: ByteStrings) {
    guard keys.count > 0 else { return }
    // Nothing is reserved: that would move all hashes for each batch.
    parts.append(keys)
    for row in 0..<keys.count { hashes.append(KeyIndex.shortened(keys.hash(row))) }
  }

  /// Adds keys whose hashes are known.
  mutating func add(_ keys: ByteStrings, hashes new: some Collection<UInt64>) {
    guard keys.count > 0 else { return }
    parts.append(keys)
    for hash in new { hashes.append(KeyIndex.shortened(hash)) }
  }

  /// The least and the greatest key, in the order of Java's strings.
  var range: (least: String, greatest: String)? {
    var range: (least: (keys: ByteStrings, row: Int), greatest: (keys: ByteStrings, row: Int))?
    for keys in parts {
      guard let part = keys.extremesInUTF16() else { continue }
      guard let known = range else {
        range = ((keys, part.least), (keys, part.greatest))
        continue
      }
      if JavaStringOrder.precedes(keys[part.least], known.least.keys[known.least.row]) {
        range?.least = (keys, part.least)
      }
      if JavaStringOrder.precedes(known.greatest.keys[known.greatest.row], keys[part.greatest]) {
        range?.greatest = (keys, part.greatest)
      }
    }
    return range.map {
      ($0.least.keys.string($0.least.row), $0.greatest.keys.string($0.greatest.row))
    }
  }

  func filter(_ sizing: BloomFilterSizing) -> BloomFilter {
    var filter = BloomFilter(sizing: sizing == .hudi ? .hudi : .perFile(rows: hashes.count))
    for keys in parts { filter.insert(keys) }
    return filter
  }

  /// The index of the keys, which lie in slots of so many rows.
  func index(slotRows: [Int], _ tombstones: [KeyTombstone]) -> KeyIndexImage {
    var builder = KeyIndexBuilder()
    builder.reserve(keys: hashes.count)
    var rest = slotRows[...]
    var left = 0
    var slot: Int32 = -1
    for hash in hashes {
      while left == 0, let rows = rest.popFirst() {
        slot = builder.beginSlot(rows: rows)
        left = rows
      }
      builder.add(hash: hash, slot: slot)
      left -= 1
    }
    for tombstone in tombstones { builder.add(tombstone) }
    return builder.finish()
  }
}

/// The order of `java.lang.String`, UTF-16 unit by unit, on UTF-8 bytes.
enum JavaStringOrder {
  static func precedes(_ left: RawSpan, _ right: RawSpan) -> Bool {
    left.withUnsafeBytes { a in
      right.withUnsafeBytes { b in
        let common = min(a.count, b.count)
        var index = 0
        while index < common, a[index] == b[index] { index += 1 }
        guard index < common else { return a.count < b.count }
        return weight(a[index]) < weight(b[index])
      }
    }
  }

  /// Surrogates, which begin four-byte sequences in UTF-8, come before U+E000 and what follows it.
  private static func weight(_ byte: UInt8) -> Int {
    byte == 0xee || byte == 0xef ? Int(byte) + 0x10 : Int(byte)
  }
}
