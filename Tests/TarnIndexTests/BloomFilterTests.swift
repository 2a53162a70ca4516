import TarnBytes
import TarnColumns
import TarnIndex
import Testing

@Suite struct BloomFilterTests {
  static let keys = ["a", "key1", "é", "TXN-001"]
  static let simple = "/////wAAAAcBAAAAYOwgAFFgQAZYpAMICA=="
  static let dynamic = "/////wAAAAcBAAAAYAAAAAoAAAAEAAAAAf////8AAAAHAQAAAGDsIABRYEAGWKQDCAg="

  static func filled(_ kind: BloomFilter.Kind, _ sizing: BloomFilter.Sizing, _ keys: [String]) -> BloomFilter
  {
    var filter = BloomFilter(kind, sizing: sizing)
    for key in keys { filter.insert(Array(key.utf8).span.bytes) }
    return filter
  }

  @Test("Keys that are added together set the bits that they set alone", arguments: [0, 1, 2, 3, 36])
  func addingTogetherEqualsAddingAlone(longest: Int) throws {
    var keys = ByteStrings()
    for number in 0..<50 {
      // Runs of one length, with odd ones between, and bytes above 0x7f.
      let length = number % 11 == 0 ? number % 5 : longest
      try keys.append(
        [UInt8]((0..<length).map { UInt8(truncatingIfNeeded: number &* 37 &+ $0 &* 91) }).span.bytes)
    }
    for sizing in [
      BloomFilter.Sizing.perFile(rows: 50), BloomFilter.Sizing(entries: 7, errorExponent: 3, limit: 30),
    ] {
      var alone = BloomFilter(sizing: sizing)
      for row in 0..<keys.count { alone.insert(keys[row]) }
      var together = BloomFilter(sizing: sizing)
      together.insert(keys)
      #expect(together.encoded() == alone.encoded())
    }
  }

  static func has(_ filter: BloomFilter, _ key: String) -> Bool {
    filter.mightContain(Array(key.utf8).span.bytes)
  }

  static func hash(_ key: String, seed: UInt32) -> UInt32 {
    hadoopMurmurHash(Array(key.utf8).span.bytes, seed: seed)
  }

  static func decoded(_ text: String, _ kind: String?) throws(BloomFilterError) -> BloomFilter {
    try BloomFilter(decoding: Array(text.utf8).span.bytes, kindName: kind)
  }

  @Test(
    arguments: [
      ("a", 0x9268_5f5e, 0x808f_c89e), ("ab", 0x5aee_6595, 0x6bec_77b2), ("abc", 0x69d3_cf87, 0x8b8c_f99e),
      ("abcd", 0x2687_3021, 0xf3ae_9675), ("key1", 0xd27b_86fb, 0x3034_1e63), ("é", 0xe91c_0273, 0x55f7_3e81),
      ("TXN-001", 0xaf96_792d, 0xf4fa_bbbd), ("id:1,name:Alice", 0x0445_ff26, 0x6dec_99f5),
    ] as [(String, UInt32, UInt32)]) func hashesAreHadoops(_ key: String, _ zero: UInt32, _ seeded: UInt32)
  {
    #expect(Self.hash(key, seed: 0) == zero)
    #expect(Self.hash(key, seed: 0x1234_5678) == seeded)
  }

  @Test func hashesChainAsHudiChainsThem() {
    var hash: UInt32 = 0
    let expected: [UInt32] = [0x4934_2faf, 0x0741_9b9b, 0xbbbf_9e1b]
    for value in expected {
      hash = Self.hash("1", seed: hash)
      #expect(hash == value)
    }
  }

  @Test func textsAreHudis() throws {
    let sizing = BloomFilter.Sizing(entries: 10, errorExponent: 2, limit: 10)
    #expect(Self.filled(.simple, sizing, Self.keys).encoded() == Self.simple)
    #expect(Self.filled(.dynamic, sizing, Self.keys).encoded() == Self.dynamic)
    for (text, kind) in [(Self.simple, nil), (Self.simple, "SIMPLE"), (Self.dynamic, "DYNAMIC_V0")] {
      let filter = try Self.decoded(text, kind)
      for key in Self.keys { #expect(Self.has(filter, key)) }
      #expect(!Self.has(filter, "absent"))
      #expect(filter.encoded() == text)
    }
  }

  @Test func hudisDefaultHasItsSizeAndHeader() {
    let text = BloomFilter(sizing: .hudi).encoded()
    #expect(text.utf8.count == 431_380)
    let bytes = Base64.decode(Array(text.utf8).span.bytes) ?? []
    let row: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0x1e, 1, 0, 0x27, 0x7d, 0x3e]
    #expect(bytes.prefix(38) == (row + [0, 0, 0xea, 0x60, 0, 0, 0, 0, 0, 0, 0, 1] + row)[...])
  }

  @Test func perFileFilterStaysOneRowAndKeepsItsErrorRate() {
    var filter = BloomFilter(sizing: .perFile(rows: 20_000))
    for key in 0..<20_000 { filter.insert(Array("key-\(key)".utf8).span.bytes) }
    let found = (0..<20_000).filter { Self.has(filter, "key-\($0)") }
    let wrong = (0..<20_000).filter { Self.has(filter, "other-\($0)") }
    #expect(found.count == 20_000)
    #expect(wrong.count < 60)
    #expect(filter.encoded().utf8.count < 20_000 * 15 / 8 * 4 / 3 + 100)
  }

  @Test func fullRowsAreFollowedByOthersUpToTheLimitAndNoKeyIsLost() throws {
    let keys = (0..<100).map { "key-\($0)" }
    let filter = Self.filled(
      .dynamic, BloomFilter.Sizing(entries: 10, errorExponent: 2, limit: 25), keys)
    let again = try Self.decoded(filter.encoded(), "DYNAMIC_V0")
    for key in keys {
      #expect(Self.has(filter, key))
      #expect(Self.has(again, key))
    }
    // Three rows: 10 and 20 keys are below the limit, 30 are not.
    let bytes = Base64.decode(Array(filter.encoded().utf8).span.bytes) ?? []
    #expect(bytes.count == 25 + 3 * (13 + 12))
  }

  @Test func whatIsNoFilterIsRefused() {
    for kind in ["SIMPLE", "DYNAMIC_V0"] {
      let text = kind == "SIMPLE" ? Self.simple : Self.dynamic
      let bytes = Base64.decode(Array(text.utf8).span.bytes) ?? []
      for length in 0..<bytes.count {
        #expect(throws: BloomFilterError.self) {
          try Self.decoded(Base64.encode(Array(bytes[..<length])), kind)
        }
      }
      for position in bytes.indices {
        for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff] {
          var damaged = bytes
          damaged[position] = value
          // Whatever it is taken for, asking it must not trap.
          guard let filter = try? Self.decoded(Base64.encode(damaged), kind) else { continue }
          _ = Self.has(filter, "a")
        }
      }
    }
    #expect(throws: BloomFilterError.self) { try Self.decoded(Self.simple, "OTHER") }
    #expect(throws: BloomFilterError.self) { try Self.decoded("not base64", nil) }
  }

  /// A filter's text with keys added, behind other bytes.
  private static func text(_ filter: BloomFilterText, with keys: ByteStrings) -> String {
    var bytes = [1, 2, 3] + Array(filter.text.utf8)
    filter.add(keys, to: &bytes, from: 3)
    return String(decoding: bytes.dropFirst(3), as: UTF8.self)
  }

  @Test func keysAddedInTheTextAreThoseOfTheDecodedFilter() throws {
    for (kind, sizing, stored, added) in [
      (BloomFilter.Kind.simple, BloomFilter.Sizing(entries: 50, errorExponent: 3, limit: 50), 20, 20),
      (.dynamic, .perFile(rows: 20_000), 15_000, 300), (.dynamic, .hudi, 70_000, 40),
      // Full rows, which take the keys in turn.
      (.dynamic, BloomFilter.Sizing(entries: 10, errorExponent: 2, limit: 25), 100, 7),
      // The last row becomes full.
      (.dynamic, BloomFilter.Sizing(entries: 10, errorExponent: 2, limit: 25), 8, 7),
    ] {
      let filter = Self.filled(kind, sizing, (0..<stored).map { "key-\($0)" })
      let text = filter.encoded()
      var keys = ByteStrings()
      for key in 0..<added { try keys.append("new-\(key)") }
      let patched = try #require(BloomFilterText(text, kindName: kind.rawValue))
      #expect(Self.text(patched, with: ByteStrings()) == text)
      var decoded = try Self.decoded(text, kind.rawValue)
      for key in 0..<added { decoded.insert(keys[key]) }
      #expect(Self.text(patched, with: keys) == decoded.encoded())
    }
  }

  @Test func textsThatAreNoFilterAreNotAddedTo() {
    for kind in ["SIMPLE", "DYNAMIC_V0"] {
      let text = kind == "SIMPLE" ? Self.simple : Self.dynamic
      let bytes = Base64.decode(Array(text.utf8).span.bytes) ?? []
      for length in 0..<bytes.count {
        #expect(BloomFilterText(Base64.encode(Array(bytes[..<length])), kindName: kind) == nil)
      }
      var keys = ByteStrings()
      try? keys.append("a")
      for position in bytes.indices {
        for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff] {
          var damaged = bytes
          damaged[position] = value
          // Whatever it is taken for, adding to it must not trap.
          if let filter = BloomFilterText(Base64.encode(damaged), kindName: kind) {
            _ = Self.text(filter, with: keys)
          }
        }
      }
      for position in text.indices {
        var damaged = text
        damaged.replaceSubrange(position...position, with: "é")
        #expect(BloomFilterText(damaged, kindName: kind) == nil)
      }
    }
    #expect(BloomFilterText(Self.simple, kindName: "OTHER") == nil)
    #expect(BloomFilterText("", kindName: nil) == nil)
  }
}
