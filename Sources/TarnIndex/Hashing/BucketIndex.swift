import TarnBytes
import TarnTimeline

/// Hudi's simple bucket index: the hash of a record key says in which file group of its partition it lies.
///
/// Each partition has at most one file group for each bucket, whose file id begins with the bucket's number
/// in eight decimal digits. Hudi keeps the settings with the writer and not in the table, and all writers must
/// use the same. Source: `BucketIdentifier` and `KeyGenUtils.extractRecordKeysByFields`, of which Hudi 0.15 and
/// 1.2 were asked for the same keys.
package struct BucketIndex: Sendable, Hashable {
  /// How a record key is taken apart before it is hashed.
  package enum KeyRule: Sendable, Hashable {
    /// As Hudi up to 0.15 does, whose tables have version 6 or less: at each comma, and each part at its first colon.
    ///
    /// A key of one field with a colon in it has no part of a known name, and goes where the empty list goes.
    case hudi0
    /// As Hudi 1 does: a key without comma or without colon is one value, and values may hold commas and colons.
    case hudi1
  }

  /// Number of buckets in each partition.
  package let count: Int
  /// The fields of the record key that are hashed.
  package let hashFields: [String]
  /// How keys are taken apart.
  package let rule: KeyRule
  private let fieldNames: Set<[UInt8]>

  /// The numbers of buckets that a partition can have.
  package static let counts = 1...999_999

  /// Makes an index of its settings.
  ///
  /// - Parameters:
  ///   - count: `hoodie.bucket.index.num.buckets`; at least 1, and less than a million.
  ///   - hashFields: `hoodie.bucket.index.hash.field`; by default all fields of the record key.
  ///   - rule: How keys are taken apart.
  /// - Returns: Nil for a count out of range.
  package init?(count: Int, hashFields: [String], rule: KeyRule = .hudi0) {
    guard Self.counts.contains(count) else { return nil }
    self.count = count
    self.hashFields = hashFields
    self.rule = rule
    fieldNames = Set(hashFields.map { Array($0.utf8) })
  }

  /// The bucket of a record key, given as the UTF-8 bytes of what `_hoodie_record_key` holds.
  package func bucket(ofKey key: RawSpan) -> Int {
    key.withUnsafeBytes { key in
      var hash: Int32 = 1
      if !key.contains(colon) || (rule == .hudi1 && !key.contains(comma)) {
        hash = 31 &+ JavaHash.hash(key)
      } else {
        let key = Array(key)
        for value in rule == .hudi0 ? valuesAtCommas(key) : valuesAtNames(key) {
          let hasName = value.lowerBound > 0 && key[value.lowerBound - 1] == colon
          hash = hash &* 31 &+ Self.hash(ofValue: key[value], hasName: hasName)
        }
      }
      return Int(hash & Int32.max) % count
    }
  }

  private static func hash(ofValue value: some Collection<UInt8>, hasName: Bool) -> Int32 {
    // Hudi takes the first for null and the second for the empty string; the hash of both is 0.
    if hasName, value.elementsEqual("__null__".utf8) || value.elementsEqual("__empty__".utf8) { return 0 }
    return JavaHash.hash(value)
  }

  /// Where the values lie that Hudi 0.15 hashes, in the order of the key.
  private func valuesAtCommas(_ key: [UInt8]) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var start = 0
    for index in 0..<key.count where key[index] == comma {
      parts.append(start..<index)
      start = index + 1
    }
    parts.append(start..<key.count)
    // As Java's `split` leaves empty parts at the end out.
    while let last = parts.last, last.isEmpty { parts.removeLast() }
    return parts.compactMap { part in
      guard let separator = part.first(where: { key[$0] == colon }) else { return part }
      guard isHashed(key[part.lowerBound..<separator]) else { return nil }
      return separator + 1..<part.upperBound
    }
  }

  /// Where the values lie that Hudi 1 hashes, in the order of the key: a name begins behind the last comma before a colon.
  private func valuesAtNames(_ key: [UInt8]) -> [Range<Int>] {
    var values: [Range<Int>] = []
    var start = 0
    while start < key.count, let separator = (start..<key.count).first(where: { key[$0] == colon }) {
      var end = key.count
      var lastComma: Int?
      for index in separator + 1..<key.count {
        if key[index] == comma { lastComma = index }
        if key[index] == colon, let comma = lastComma {
          end = comma
          break
        }
      }
      if isHashed(key[start..<separator]) { values.append(separator + 1..<end) }
      start = end + 1
    }
    return values.isEmpty ? [0..<key.count] : values
  }

  private func isHashed(_ name: some Collection<UInt8>) -> Bool {
    hashFields.isEmpty || fieldNames.contains(Array(name))
  }

  // MARK: File ids

  /// A new file id for a bucket: a random one whose first eight characters are the bucket's number.
  package static func fileID(bucket: Int, using generator: inout some RandomNumberGenerator) -> String {
    var id: [UInt8] = []
    id.append(decimal: bucket, width: 8)
    id += FileID.random(using: &generator).utf8.dropFirst(8)
    return String(decoding: id, as: UTF8.self)
  }

  /// The bucket's number in a file id; nil for an id of another kind.
  ///
  /// One random id in 4,300 of other writers looks like one; none of Tarn's does.
  package static func bucket(ofFileID id: String) -> Int? {
    let digits = id.utf8.prefix(8)
    guard digits.count == 8, digits.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
    let number = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    return number < counts.upperBound ? number : nil
  }

  /// Whether a table with these file groups is taken as bucketed: there are some, and all have a bucket's number.
  package static func isBucketed(fileIDs: some Sequence<String>) -> Bool {
    var isEmpty = true
    for id in fileIDs {
      isEmpty = false
      guard bucket(ofFileID: id) != nil else { return false }
    }
    return !isEmpty
  }
}

private let colon = UInt8(ascii: ":")
private let comma = UInt8(ascii: ",")

/// `java.lang.String.hashCode`.
private enum JavaHash {
  /// The hash of UTF-8 bytes, over their UTF-16 units.
  static func hash(_ text: some Collection<UInt8>) -> Int32 {
    var hash: Int32 = 0
    for byte in text {
      guard byte < 0x80 else {
        return String(decoding: text, as: UTF8.self).utf16
          .reduce(0) { $0 &* 31 &+ Int32($1) }
      }
      hash = hash &* 31 &+ Int32(byte)
    }
    return hash
  }
}
