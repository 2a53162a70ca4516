import TarnBytes
import TarnIndex
import TarnStorage
import TarnTestSupport

/// A file with a key index somewhere in it.
struct IndexedFile {
  static let path = "files/one.parquet"
  let storage = InMemoryStorage()
  private(set) var bytes: [UInt8]
  private(set) var reference: KeyIndexReference

  init(_ image: KeyIndexImage, before: Int = 37) async throws {
    bytes = [UInt8](repeating: 0xa5, count: before) + image.bytes + [1, 2, 3]
    reference = image.reference(at: before)
    try await storage.put(bytes, at: Self.path, if: .always)
  }

  func directory() async throws -> KeyIndexDirectory {
    try await KeyIndexDirectory.read(reference, in: storage, at: Self.path)
  }

  /// Makes the file that a plan tells.
  mutating func apply(_ plan: KeyIndexPlan, before: Int) async throws {
    var region: [UInt8] = []
    for piece in plan.pieces {
      switch piece {
      case .copy(let range): region += bytes[range]
      case .bytes(let fresh): region += fresh
      }
    }
    bytes = [UInt8](repeating: 0x5a, count: before) + region + [9]
    reference = plan.reference(at: before)
    try await storage.put(bytes, at: Self.path, if: .always)
  }

  /// Puts other bytes in the file's place.
  func replace(_ bytes: [UInt8]) async throws {
    try await storage.put(bytes, at: Self.path, if: .always)
  }
}

/// What an index should hold, held plainly.
struct IndexModel {
  var slotRows: [Int32] = []
  var entries: [KeyIndexEntry] = []
  var tombstones: [[UInt8]: KeyTombstone] = [:]

  func image(_ sizing: KeyIndex.Sizing) -> KeyIndexImage {
    var builder = KeyIndexBuilder(sizing: sizing)
    for rows in slotRows { builder.beginSlot(rows: Int(rows)) }
    for entry in entries { builder.add(hash: entry.hash, slot: entry.slot) }
    for tombstone in tombstones.values { builder.add(tombstone) }
    return builder.finish()
  }

  func candidates(_ queries: [UInt32]) -> [KeyIndexCandidate] {
    var found: Set<KeyIndexCandidate> = []
    let slots = Dictionary(grouping: entries, by: \.hash)
    for (query, hash) in queries.enumerated() {
      for entry in slots[hash] ?? [] where slotRows[Int(entry.slot)] > 0 {
        found.insert(KeyIndexCandidate(query: Int32(query), slot: entry.slot))
      }
    }
    return found.sorted { ($0.slot, $0.query) < ($1.slot, $1.query) }
  }

  var sortedTombstones: [KeyTombstone] {
    tombstones.values.sorted { ($0.hash, $0.key.description) < ($1.hash, $1.key.description) }
  }
}

extension SeededGenerator {
  mutating func key() -> [UInt8] { Array("key-\(below(60))".utf8) }

  mutating func tombstone() -> KeyTombstone {
    let ordering: [UInt8]? = oneIn(4) ? nil : (0..<below(9)).map { UInt8($0) }
    return KeyTombstone(key: key(), ordering: ordering, time: Int64(below(100)))
  }

  mutating func sizing() -> KeyIndex.Sizing {
    KeyIndex.Sizing(
      entriesPerBlock: 1 + below(6), tombstonesPerBlock: 1 + below(4),
      tombstoneBytesPerBlock: 40 + below(100),
      minimumSlotWidth: 1 + below(2))
  }
}
