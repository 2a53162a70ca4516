import TarnBytes
import TarnIndex
import TarnStorage
import TarnTestSupport
import Testing

@Suite("Key index, damaged") struct KeyIndexDamageTests {
  static let queries: [UInt32] = (0..<40).map { $0 * 5 }

  static func file() async throws -> IndexedFile {
    var random = SeededGenerator(seed: 5)
    var builder = KeyIndexBuilder(sizing: KeyIndex.Sizing(entriesPerBlock: 8, tombstonesPerBlock: 4))
    for slot in 0..<12 {
      builder.beginSlot(rows: 10)
      for _ in 0..<10 { builder.add(hash: UInt32(random.below(200)), slot: Int32(slot)) }
    }
    for _ in 0..<30 { builder.add(random.tombstone()) }
    return try await IndexedFile(builder.finish())
  }

  /// All that is read of an index.
  struct Answer: Equatable {
    var candidates: [KeyIndexCandidate]
    var tombstones: [KeyTombstone]
    var planned: [KeyIndexEntry]
  }

  static func ask(_ file: IndexedFile, _ reference: KeyIndexReference) async throws(KeyIndexError) -> Answer {
    let path = IndexedFile.path
    let directory = try await KeyIndexDirectory.read(reference, in: file.storage, at: path)
    var changes = KeyIndexChanges(slotRows: directory.slotRows)
    changes.removed = [KeyIndexEntry(hash: 100, slot: 1)]
    changes.expiry = 50
    _ = try await directory.plan(changes, in: file.storage, at: path)
    return Answer(
      candidates: try await directory.lookUp(queries, in: file.storage, at: path),
      tombstones: try await directory.allTombstones(in: file.storage, at: path),
      planned: try await directory.allEntries(in: file.storage, at: path))
  }

  @Test("A changed byte anywhere in the region is an error")
  func changedByte() async throws {
    let file = try await Self.file()
    for position in file.reference.range {
      for change in [UInt8(1), 0x80, 0xff] {
        var bytes = file.bytes
        bytes[position] ^= change
        try await file.replace(bytes)
        await #expect(throws: KeyIndexError.self, "byte \(position)") {
          try await Self.ask(file, file.reference)
        }
      }
    }
  }

  @Test("Random changes of many bytes, and wrong references, are errors or change nothing", arguments: 0..<8)
  func randomDamage(seed: Int) async throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let file = try await Self.file()
    let right = try await Self.ask(file, file.reference)
    for _ in 0..<400 {
      var bytes = file.bytes
      var reference = file.reference
      for _ in 0..<random.below(6) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      if random.oneIn(3) { bytes.removeLast(random.below(bytes.count)) }
      if random.oneIn(3) {
        reference = KeyIndexReference(
          offset: max(reference.offset + random.below(9) - 4, 0),
          length: reference.length + random.below(9) - 4,
          directoryLength: random.oneIn(2) ? reference.directoryLength : random.below(600))
      }
      try await file.replace(bytes)
      do {
        let answer = try await Self.ask(file, reference)
        #expect(answer == right)
      } catch {
        guard case .damaged(let path, let offset, _) = error else {
          Issue.record("\(error)")
          continue
        }
        #expect(path == IndexedFile.path && offset >= 0 && !error.description.isEmpty)
      }
    }
  }

  /// An index whose checksums are right.
  static func forged(_ directory: [UInt32], blocks: [UInt8] = []) -> [UInt8] {
    var body: [UInt8] = []
    for word in directory { body.appendLittleEndian(word) }
    var bytes = blocks + body
    bytes.appendLittleEndian(UInt32(body.count))
    bytes.appendLittleEndian(CRC32.checksum(body.span.bytes))
    bytes.appendLittleEndian(UInt32(1))
    return bytes + Array("TKIX".utf8)
  }

  @Test("A directory that lies with right checksums is an error")
  func lyingDirectory() throws {
    let lies: [[UInt32]] = [
      [0, 0, 0, 0], [5, 0, 0, 0], [2, 1, 0, 0], [2, .max, .max, .max], [2, 0, 1, 0, 1, 0, 0],
      [2, 0, 1, 0, 1, .max, 0], [2, 0, 1, 0, 1, 1, 0], [2, 1, 0, 0, .max],
      [2, 0, 0, 1, 1, 1, .max, 0, 0, 0], [2, 0, 0, 1, 1, 1, 10, 0, 0, 0],
    ]
    for lie in lies {
      let bytes = Self.forged(lie)
      #expect(throws: KeyIndexError.self, "\(lie)") {
        try KeyIndexDirectory(decoding: bytes.span.bytes, region: 0..<bytes.count, path: "a")
      }
    }
    let fine = Self.forged([2, 1, 0, 0, 10])
    #expect(
      try KeyIndexDirectory(decoding: fine.span.bytes, region: 0..<fine.count, path: "a").slotRows == [10])
  }

  @Test("Blocks that lie with right checksums are errors")
  func lyingBlocks() async throws {
    // A slot that is not there; tombstones longer than their block; blocks out of order.
    let entry: [UInt8] = [1, 0, 0, 0, 9, 0]
    let long: [UInt8] = [1, 0, 0, 0] + [UInt8](repeating: 0, count: 8) + [200, 0, 0, 0, 255, 255, 255, 255]
    let checksum = CRC32.checksum(entry.span.bytes)
    let files = [
      Self.forged([2, 1, 1, 0, 10, 1, 1, checksum], blocks: entry),
      Self.forged([2, 0, 0, 1, 1, 1, 20, CRC32.checksum(long.span.bytes), 0, 0], blocks: long),
      Self.forged([2, 1, 2, 0, 10, 2, 1, checksum, 1, 1, checksum], blocks: entry + entry),
    ]
    for bytes in files {
      let storage = InMemoryStorage()
      try await storage.put(bytes, at: "a", if: .always)
      await #expect(throws: KeyIndexError.self) {
        let length = Int(bytes[bytes.count - 16])
        let directory = try await KeyIndexDirectory.read(
          KeyIndexReference(offset: 0, length: bytes.count, directoryLength: length), in: storage, at: "a")
        _ = try await directory.lookUp([1], in: storage, at: "a")
        _ = try await directory.allTombstones(in: storage, at: "a")
      }
    }
  }
}
