/// What precedes the bits of a split-block Bloom filter: `BloomFilterHeader` of `parquet.thrift`.
///
/// The format defines one algorithm (split blocks of 256 bits), one hash (XXH64 with seed 0 of the value as
/// PLAIN stores it, strings without their length) and no compression.
struct BloomFilterHeader: Sendable, Hashable {
  /// Size of the bits that follow.
  var byteCount = 0
  /// Whether algorithm, hash and compression are those that the format defines.
  var isKnown = true

  /// The Thrift bytes.
  func encoded() -> [UInt8] {
    var out = ThriftWriter()
    out.int32(1, byteCount)
    for field in 2...4 { out.structure(field) { $0.structure(1) { _ in } } }
    out.end()
    return out.bytes
  }
}

extension ThriftReader {
  @_lifetime(self: copy self)
  mutating func bloomFilterHeader() throws(FormatError) -> BloomFilterHeader {
    var result = BloomFilterHeader()
    var last = 0
    while let field = try nextField(after: &last) {
      switch (field.id, field.wire) {
      case (1, _): result.byteCount = try size(field) ?? result.byteCount
      case (2...4, .structure):
        var inner = 0
        while let choice = try nextField(after: &inner) {
          if choice.id != 1 { result.isKnown = false }
          try skip(choice)
        }
      default: try skip(field)
      }
    }
    return result
  }
}
