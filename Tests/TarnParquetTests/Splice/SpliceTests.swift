import TarnBytes
import TarnColumns
import TarnStorage
import TarnTestSupport
import Testing

import TarnParquet

@Suite("Splicing row groups")
struct SpliceTests {
  /// A file, and the rows it should hold: positions in a pool of rows.
  private struct Spliced {
    let pool: RecordBatch
    let options: ParquetWriteOptions
    var storage = InMemoryStorage()
    var rows: [Int32] = []
    var version = 0
    var generator: SeededGenerator

    var schema: Schema { Schema([Field("name", .string)] + pool.schema.fields) }
    var path: String { "v\(version)" }

    init(seed: UInt64) throws {
      generator = SeededGenerator(seed: seed)
      var rows = RandomRows(seed: seed, depth: 0)
      pool = try rows.batch(3_000)
      var options = ParquetWriteOptions(
        compression: [.zstd(level: 1), .snappy, .uncompressed][Int(seed % 3)], rowGroupRows: 150,
        pageRows: 16)
      if seed % 2 == 1 {
        // As for storages that copy ranges themselves.
        options.lateColumns = [0]
        options.rowGroupBytes = 20_000
        options.leastRowGroupBytes = 4_000
      }
      self.options = options
    }

    func batch(_ rows: [Int32]) throws -> RecordBatch {
      let columns = try pool.gather(rows).columns
      return try RecordBatch(
        schema: schema, columns: [try Column(repeating: path, count: rows.count)] + columns, count: rows.count
      )
    }

    mutating func create(_ count: Int) async throws {
      rows = (0..<Int32(count)).map { $0 }
      var writer = try ParquetWriter(
        schema: schema, to: try await storage.writer(at: path), path: path, options: options)
      try await writer.append(try batch(rows))
      _ = try await writer.finish()
    }

    /// Random edits of a row group, and the rows it should hold then.
    mutating func edits(_ layout: [Range<Int>], _ stored: [Int32], appends: Int) -> ([SlotEdit], [Int32]) {
      var edits: [SlotEdit] = []
      var expected: [Int32] = []
      for (number, slot) in layout.enumerated() {
        var edit = SlotEdit(slot: number)
        let style = generator.below(6)
        for (row, value) in stored[slot].enumerated() {
          let roll = style < 3 ? 99 : generator.below(style == 5 ? 3 : 20)
          switch roll {
          case 0:
            edit.deleted.append(Int32(row))
          case 1 where style != 5:
            let fresh = generator.oneIn(4) ? value : Int32(generator.below(pool.count))
            edit.replaced.append(Int32(row))
            edit.replacements.append(fresh)
            expected.append(fresh)
          case _ where style == 5 && generator.oneIn(2): edit.deleted.append(Int32(row))
          default: expected.append(value)
          }
        }
        if number == layout.count - 1, appends > 0 {
          edit.appended = (0..<min(appends, 5)).map { _ in Int32(generator.below(pool.count)) }
          expected += edit.appended
        }
        if !edit.deleted.isEmpty || !edit.replaced.isEmpty || !edit.appended.isEmpty { edits.append(edit) }
      }
      for added in 0..<max(0, appends - 5) / 16 {
        let fresh = (0..<16).map { _ in Int32(generator.below(pool.count)) }
        edits.append(SlotEdit(slot: layout.count + added, appended: fresh))
        expected += fresh
      }
      return (edits, expected)
    }

    /// Splices a new version.
    mutating func splice() async throws -> SpliceCounts {
      let old = path
      let file = try await ParquetFile.open(storage, path: old)
      let layout = try #require(try await file.spliceLayout(for: schema, options: options))
      version += 1
      let splicer = ParquetSplicer(
        file, layout: layout, fresh: try batch((0..<Int32(pool.count)).map { $0 }),
        columns: [.constant(path)] + pool.columns.map { _ in .compared }, options: options)
      var writer = try ParquetWriter(
        schema: schema, to: try await storage.writer(at: path), path: path, options: options)
      var counts = SpliceCounts()
      var start = 0
      var all: [Int32] = []
      for (group, slots) in layout.groups.enumerated() {
        let count = file.rowCount(inGroup: group)
        let isLast = group == layout.groups.count - 1
        let (edits, expected) = edits(
          slots, Array(rows[start..<start + count]), appends: isLast ? generator.below(40) : 0)
        start += count
        let spliced = try await splicer.splice(group: group, edits: edits)
        #expect(spliced.rowCount == expected.count)
        counts += spliced.counts
        try await writer.append(spliced, from: old)
        all += expected
      }
      rows = all
      _ = try await writer.finish()
      return counts
    }
  }

  @Test(arguments: 1...12)
  func splicedFilesHoldTheEditedRowsAndPassTheCheck(_ seed: Int) async throws {
    var spliced = try Spliced(seed: UInt64(seed))
    try await spliced.create(150 + seed * 17)
    for _ in 0..<6 {
      _ = try await spliced.splice()
      let file = try await ParquetFile.open(spliced.storage, path: spliced.path)
      let findings = try await ParquetCheck.run(file).findings
      #expect(findings.isEmpty, "seed \(seed): \(findings.prefix(3))")
      var batches: [RecordBatch] = []
      for group in 0..<file.rowGroupCount {
        batches.append(
          try await file.readRowGroup(group, columns: Array(spliced.schema.fields.indices)))
      }
      #expect(WideRows.lines(batches) == WideRows.lines([try spliced.batch(spliced.rows)]), "seed \(seed)")
      if spliced.rows.isEmpty { break }
    }
  }
}
