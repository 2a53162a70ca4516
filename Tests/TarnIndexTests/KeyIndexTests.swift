import TarnBytes
import TarnIndex
import TarnStorage
import TarnTestSupport
import Testing

@Suite("Key index") struct KeyIndexTests {
  @Test("A hash is the upper half of XXH64")
  func hash() {
    let key = Array("TXN-001".utf8)
    #expect(KeyIndex.hash(of: key.span.bytes) == UInt32(XXH64.hash(key.span.bytes) >> 32))
    // The published XXH64 of no bytes.
    #expect(KeyIndex.shortened(0xef46_db37_51d8_e999) == 0xef46_db37)
  }

  @Test("The footer's text reads back, and other text is no index")
  func footerText() {
    let reference = KeyIndexReference(offset: 1_000, length: 500, directoryLength: 60)
    #expect(reference.footerText == "1 1000 500 60")
    #expect(KeyIndexReference(footerText: reference.footerText) == reference)
    let others = [
      "", "1", "2 1000 500 60", "1 1000 500", "1 1000 500 485", "1 -1 500 60", "1 1 -5 60", "1 1 500 -1",
      "1 9223372036854775807 500 60", "1 99999999999999999999 500 60", "1  1000 500 60", "1 1000 500 60 ",
      "x",
    ]
    for text in others { #expect(KeyIndexReference(footerText: text) == nil, "\(text)") }
  }

  @Test("An index of one entry has the bytes that the layout says")
  func layout() {
    var builder = KeyIndexBuilder()
    builder.addSlot(hashes: [UInt32(0x0403_0201)].span)
    builder.add(KeyTombstone(key: [0x6b], ordering: [7], time: 5))
    let image = builder.finish()
    let hash = KeyIndex.hash(of: ([0x6b] as [UInt8]).span.bytes)
    var expected: [UInt8] = [1, 2, 3, 4, 0, 0]
    let entryChecksum = CRC32.checksum(expected.span.bytes)
    var tombstone: [UInt8] = []
    tombstone.appendLittleEndian(hash)
    tombstone += [5, 0, 0, 0, 0, 0, 0, 0] + [1, 0, 0, 0] + [1, 0, 0, 0] + [0x6b, 7]
    expected += tombstone
    var directory: [UInt8] = []
    for word in [2, 1, 1, 1, 1, 0x0403_0201, 1, entryChecksum] { directory.appendLittleEndian(word) }
    for word in [hash, 1, 22, CRC32.checksum(tombstone.span.bytes)] { directory.appendLittleEndian(word) }
    directory.appendLittleEndian(Int64(5))
    expected += directory
    expected.appendLittleEndian(UInt32(directory.count))
    expected.appendLittleEndian(CRC32.checksum(directory.span.bytes))
    expected.appendLittleEndian(UInt32(1))
    expected += Array("TKIX".utf8)
    #expect(image.bytes == expected)
  }

  @Test("An empty index holds nothing and reads back")
  func empty() async throws {
    let file = try await IndexedFile(KeyIndexBuilder().finish())
    let directory = try await file.directory()
    #expect(directory.entryCount == 0 && directory.slotRows == [] && directory.oldestTombstone == nil)
    #expect(try await directory.lookUp([0, 1, .max], in: file.storage, at: IndexedFile.path) == [])
    #expect(try await directory.allTombstones(in: file.storage, at: IndexedFile.path) == [])
  }

  @Test("Lookups tell what a dictionary tells", arguments: 0..<40)
  func lookups(seed: Int) async throws {
    var random = SeededGenerator(seed: UInt64(seed))
    var model = IndexModel()
    // Few different hashes give runs that are longer than a block.
    let domain = [3, 40, 1_000, 1 << 32][seed % 4]
    let slots = 1 + random.below(seed % 5 == 0 ? 700 : 30)
    model.slotRows = (0..<slots).map { _ in random.oneIn(6) ? 0 : Int32(1 + random.below(9)) }
    for _ in 0..<random.below(600) {
      model.entries.append(
        KeyIndexEntry(hash: UInt32(random.below(domain)), slot: Int32(random.below(slots))))
    }
    if seed.isMultiple(of: 2) { model.entries.sort { $0.slot < $1.slot } }
    for _ in 0..<random.below(30) {
      let tombstone = random.tombstone()
      model.tombstones[tombstone.key] = tombstone
    }
    let image = model.image(random.sizing())
    let file = try await IndexedFile(image, before: random.below(100))
    let directory = try await file.directory()
    #expect(directory == image.directory(at: file.reference.offset))
    #expect(directory.slotRows == model.slotRows)
    #expect(
      try await directory.allEntries(in: file.storage, at: IndexedFile.path).sorted()
        == model.entries.sorted())
    try await expectSame(directory, file, model, &random, domain)
  }

  @Test("Long runs of equal hashes in blocks of the usual size are found whole")
  func longRuns() async throws {
    var model = IndexModel(slotRows: [Int32](repeating: 4_096, count: 5_000))
    for slot in 0..<5_000 {
      model.entries.append(KeyIndexEntry(hash: 7, slot: Int32(slot)))
      model.entries.append(KeyIndexEntry(hash: UInt32(slot) * 3, slot: Int32(slot)))
    }
    let file = try await IndexedFile(model.image(KeyIndex.Sizing()))
    let directory = try await file.directory()
    let queries: [UInt32] = [0, 6, 7, 7, 8, 14_997, 14_998, .max]
    let found = try await directory.lookUp(queries, in: file.storage, at: IndexedFile.path)
    #expect(found == model.candidates(queries))
    #expect(found.count == 10_000 + 3)
  }

  @Test("A tombstone with a key of 64 KB, and many of one hash block, come back")
  func largeTombstones() async throws {
    var builder = KeyIndexBuilder()
    let large = KeyTombstone(key: [UInt8](repeating: 0x61, count: 65_536), ordering: nil, time: -1)
    builder.add(large)
    for number in 0..<3_000 {
      builder.add(KeyTombstone(key: Array("k\(number)".utf8), ordering: [1, 2], time: Int64(number)))
    }
    let file = try await IndexedFile(builder.finish())
    let directory = try await file.directory()
    #expect(directory.tombstoneCount == 3_001 && directory.oldestTombstone == -1)
    #expect(
      try await directory.tombstones(for: [large.hash], in: file.storage, at: IndexedFile.path) == [large])
  }

  @Test("A file that is gone is the storage's error")
  func goneFile() async throws {
    let storage = InMemoryStorage()
    await #expect {
      try await KeyIndexDirectory.read(
        KeyIndexReference(offset: 0, length: 100, directoryLength: 50), in: storage, at: "a")
    } throws: { error in
      if case .storage(let inner) = error as? KeyIndexError { inner.code == .notFound } else { false }
    }
  }
}

/// Compares what an index answers with what the model does.
func expectSame(
  _ directory: KeyIndexDirectory, _ file: IndexedFile, _ model: IndexModel, _ random: inout SeededGenerator,
  _ domain: Int
) async throws {
  var queries = (0..<random.below(12)).map { _ in UInt32(random.below(domain)) }
  for _ in 0..<5 where !model.entries.isEmpty {
    queries.append(model.entries[random.below(model.entries.count)].hash)
  }
  queries.sort()
  #expect(
    try await directory.lookUp(queries, in: file.storage, at: IndexedFile.path) == model.candidates(queries))
  func ordered(_ tombstones: [KeyTombstone]) -> [KeyTombstone] {
    tombstones.sorted { ($0.hash, $0.key.description) < ($1.hash, $1.key.description) }
  }
  #expect(
    ordered(try await directory.allTombstones(in: file.storage, at: IndexedFile.path))
      == model.sortedTombstones)
  let keys = (0..<4).map { _ in random.key() }
  let hashes = keys.map { KeyIndex.hash(of: $0.span.bytes) }.sorted()
  #expect(
    ordered(try await directory.tombstones(for: hashes, in: file.storage, at: IndexedFile.path))
      == model.sortedTombstones.filter { hashes.contains($0.hash) })
}
