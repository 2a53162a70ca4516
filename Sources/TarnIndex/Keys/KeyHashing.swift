import TarnBytes

/// Tells keys that releases of Hudi would put into different buckets.
package struct KeyHashing: Sendable {
  private let old: BucketIndex
  private let new: BucketIndex

  /// - Parameters:
  ///   - buckets: How many buckets each partition has, as the table says, or the writer was told.
  ///   - fields: The key columns that are hashed, in the order of the key.
  /// - Returns: nil for counts out of range.
  package init?(buckets: Int, fields: [String]) {
    guard let old = BucketIndex(count: buckets, hashFields: fields, rule: .hudi0),
      let new = BucketIndex(count: buckets, hashFields: fields, rule: .hudi1)
    else { return nil }
    (self.old, self.new) = (old, new)
  }

  /// Why a composite key has no one bucket; nil where it has.
  func objection(to key: [UInt8], of fields: [String]) -> String? {
    // Without a comma in a value, all releases find the same values.
    guard key.count(where: { $0 == 0x2c }) >= fields.count,
      old.bucket(ofKey: key.span.bytes) != new.bucket(ofKey: key.span.bytes)
    else { return nil }
    let shown = String(decoding: key.prefix(60), as: UTF8.self).debugDescription
    return
      "the key \(shown) has a value with a comma, at which Hudi 0.15 and Hudi 1 find different buckets: replace the comma"
  }
}
