import TarnBytes
import TarnIndex
import TarnStorage
import TarnTestSupport
import Testing

@Suite("Key index, updated") struct KeyIndexUpdateTests {
  @Test("Thousands of random changes leave what an index built anew would hold", arguments: 0..<48)
  func randomChanges(seed: Int) async throws {
    var random = SeededGenerator(seed: UInt64(seed) + 1_000)
    let sizing = random.sizing()
    let domain = [4, 60, 1 << 32][seed % 3]
    var model = IndexModel()
    var file = try await IndexedFile(model.image(sizing))
    var directory = try await file.directory()
    for _ in 0..<60 {
      let changes = random.changes(&model, domain, manySlots: seed % 4 == 0)
      let plan = try await directory.plan(changes, in: file.storage, at: IndexedFile.path, sizing: sizing)
      let before = random.below(50)
      try await file.apply(plan, before: before)
      #expect(plan.length == plan.pieces.reduce(0) { $0 + $1.length })
      #expect(file.bytes.count == before + plan.length + 1)
      directory = try await file.directory()
      #expect(directory == plan.directory(at: before))
      #expect(directory.slotRows == model.slotRows)
      let entries = try await directory.allEntries(in: file.storage, at: IndexedFile.path)
      #expect(entries.map(\.hash) == entries.map(\.hash).sorted())
      #expect(entries.sorted() == model.entries.sorted())
      try await expectSame(directory, file, model, &random, domain)
    }
  }

  @Test("A small change copies all blocks but those it touches")
  func copiesWhatItDoesNotTouch() async throws {
    var model = IndexModel(slotRows: [Int32](repeating: 4_096, count: 10))
    for number in 0..<40_960 {
      model.entries.append(KeyIndexEntry(hash: UInt32(number) * 100, slot: Int32(number / 4_096)))
    }
    let file = try await IndexedFile(model.image(KeyIndex.Sizing()))
    let directory = try await file.directory()
    #expect(directory.entryBlockCount == 40)
    var changes = KeyIndexChanges(slotRows: model.slotRows + [1])
    changes.added = [KeyIndexEntry(hash: 2_000_001, slot: 10)]
    let plan = try await directory.plan(changes, in: file.storage, at: IndexedFile.path)
    #expect(plan.pieces.count == 4)
    let copied = plan.pieces.reduce(0) { sum, piece in
      if case .copy(let range) = piece { sum + range.count } else { sum }
    }
    // All but one block of 1,024, which is now two; 512 or 513 entries in each.
    #expect(copied == 39 * 1_024 * 6)
    #expect(plan.directory(at: 0).entryBlockCount == 41)
    // Without changes it is one copy and the directory.
    let same = try await directory.plan(
      KeyIndexChanges(slotRows: model.slotRows), in: file.storage, at: IndexedFile.path)
    #expect(same.pieces.count == 2)
    #expect(same.length == file.reference.length)
  }

  @Test("Tombstones of before a time go, and blocks without such are copied")
  func expiry() async throws {
    var builder = KeyIndexBuilder(sizing: KeyIndex.Sizing(tombstonesPerBlock: 2))
    for time in 0..<20 {
      builder.add(KeyTombstone(key: Array("k\(time)".utf8), ordering: nil, time: Int64(time)))
    }
    var file = try await IndexedFile(builder.finish())
    var changes = KeyIndexChanges(slotRows: [])
    changes.expiry = 15
    let plan = try await file.directory().plan(changes, in: file.storage, at: IndexedFile.path)
    try await file.apply(plan, before: 3)
    let left = try await file.directory().allTombstones(in: file.storage, at: IndexedFile.path)
    #expect(left.map(\.time).sorted() == [15, 16, 17, 18, 19])
  }
}

extension SeededGenerator {
  /// Changes of every kind, which it makes in the model too.
  fileprivate mutating func changes(
    _ model: inout IndexModel, _ domain: Int, manySlots: Bool
  ) -> KeyIndexChanges {
    for slot in model.slotRows.indices where oneIn(5) { model.slotRows[slot] = Int32(below(4)) }
    for _ in 0..<below(manySlots ? 40 : 3) { model.slotRows.append(Int32(1 + below(5))) }
    var changes = KeyIndexChanges(slotRows: model.slotRows)
    // Sometimes all goes.
    let deletes = oneIn(12) ? model.entries.count : below(6)
    for _ in 0..<min(deletes, model.entries.count) {
      changes.removed.append(model.entries.remove(at: below(model.entries.count)))
    }
    if oneIn(5), !model.slotRows.isEmpty {
      let absent = KeyIndexEntry(hash: UInt32(below(domain)), slot: Int32(below(model.slotRows.count)))
      if !model.entries.contains(absent), !changes.removed.contains(absent) { changes.removed.append(absent) }
    }
    for _ in 0..<below(oneIn(8) ? 60 : 8) where !model.slotRows.isEmpty {
      let entry = KeyIndexEntry(hash: UInt32(below(domain)), slot: Int32(below(model.slotRows.count)))
      changes.added.append(entry)
      model.entries.append(entry)
    }
    for _ in 0..<below(3) {
      changes.removedTombstones.append(key())
      model.tombstones[changes.removedTombstones[changes.removedTombstones.count - 1]] = nil
    }
    if oneIn(6) {
      let expiry = Int64(below(60))
      changes.expiry = expiry
      model.tombstones = model.tombstones.filter { $0.value.time >= expiry }
    }
    for _ in 0..<below(4) {
      let tombstone = tombstone()
      changes.addedTombstones.append(tombstone)
      model.tombstones[tombstone.key] = tombstone
    }
    return changes
  }
}
