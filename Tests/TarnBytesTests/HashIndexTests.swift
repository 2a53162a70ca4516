import TarnBytes
import TarnTestSupport
import Testing

@Suite struct HashIndexTests {
  /// A hash of few values in its low half and its high one, so that slots and tags collide.
  static func poor(_ key: Int) -> UInt64 { UInt64(key % 7) << 32 | UInt64(key % 5) }
  static func good(_ key: Int) -> UInt64 { XXH64.hash(UInt64(bitPattern: Int64(key))) }

  @Test(arguments: [poor, good] as [@Sendable (Int) -> UInt64])
  func itFindsWhatADictionaryFinds(_ hash: @Sendable (Int) -> UInt64) {
    var generator = SeededGenerator(seed: 5)
    var keys: [Int] = []
    var index = HashIndex()
    var expected: [Int: Int] = [:]
    for _ in 0..<1_500 {
      let key = generator.below(900)
      let found = index.findOrInsert(
        hash: hash(key), position: keys.count, where: { keys[$0] == key }, hashOf: { hash(keys[$0]) })
      #expect(found == expected[key])
      if found == nil {
        expected[key] = keys.count
        keys.append(key)
      }
    }
    #expect(index.count == expected.count)
    for key in 0..<1_000 {
      #expect(index.find(hash: hash(key), where: { keys[$0] == key }) == expected[key])
    }
    index.removeAll()
    #expect(index.count == 0)
    #expect(index.find(hash: hash(keys[0]), where: { _ in true }) == nil)
  }

  @Test func aMovedKeyIsFoundAtItsNewPosition() {
    var keys = (0..<200).map { $0 }
    var index = HashIndex(expected: 200)
    for (position, key) in keys.enumerated() {
      _ = index.findOrInsert(
        hash: Self.poor(key), position: position, where: { keys[$0] == key },
        hashOf: { Self.poor(keys[$0]) })
    }
    keys += (0..<200).map { $0 }
    for key in stride(from: 0, to: 200, by: 3) { index.move(hash: Self.poor(key), from: key, to: 200 + key) }
    // A position that is not held moves nothing.
    index.move(hash: Self.poor(1), from: 999, to: 0)
    for key in 0..<200 {
      let found = index.find(hash: Self.poor(key), where: { keys[$0] == key })
      #expect(found == (key % 3 == 0 ? 200 + key : key))
    }
    #expect(index.count == 200)
  }
}
