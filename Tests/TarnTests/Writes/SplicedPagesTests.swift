import Tarn
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// What a splice leaves as it was, looked up in the files themselves.
@Suite struct SplicedPagesTests {
  /// The pages of a base file, and its values as JSON.
  private struct Pages {
    /// By row group, column and slot.
    var bytes: [[[[UInt8]]]] = []
    /// By row group, column and row.
    var values: [[[String]]] = []
    /// By row group the rows of each slot, whose pages are the same in all columns.
    var slots: [[Range<Int>]] = []
    var names: [String] = []

    var count: Int { bytes.joined().reduce(0) { $0 + $1.count } }

    init(_ table: SmallTable) async throws {
      let slice = try #require(try await table.table.snapshot().slices.first)
      let file = try await ParquetFile.open(table.storage, path: slice.path)
      let parts = try ParquetParts(try await table.storage.readAll(slice.path))
      names = file.schema.names
      for group in 0..<file.rowGroupCount {
        var columns: [[[UInt8]]] = []
        var ranges: [[Range<Int>]] = []
        for column in names.indices {
          var pages: [[UInt8]] = []
          var rows: [Range<Int>] = []
          for page in parts.dataPages(group: group, column: column) {
            let start = rows.last?.upperBound ?? 0
            rows.append(start..<start + (page.valueCount ?? 0))
            pages.append(page.bytes)
          }
          columns.append(pages)
          ranges.append(rows)
        }
        #expect(Set(ranges).count == 1)
        bytes.append(columns)
        slots.append(ranges[0])
        values.append(
          try await file.readRowGroup(group, columns: Array(names.indices)).columns.map { json($0) })
      }
    }

    func keys(_ group: Int) throws -> [String] {
      values[group][try #require(names.firstIndex(of: "_hoodie_record_key"))]
    }
  }

  /// The pages that a splice should copy, each found in the new file with the bytes it had.
  private func copiedPages(_ old: Pages, _ new: Pages, touching touched: Set<String>) throws -> Int {
    var copied = 0
    for (group, slots) in old.slots.enumerated() {
      let (before, after) = (try old.keys(group), try new.keys(group))
      let left = Set(after)
      var place = 0
      for (slot, rows) in slots.enumerated() {
        let stay = before[rows].filter(left.contains)
        // A slot without rows has no pages.
        guard !stay.isEmpty else { continue }
        let now = new.slots[group][place]
        #expect(Array(after[now].prefix(stay.count)) == stay)
        let keepsPlaces = stay.count == rows.count && now.count == rows.count
        let isUntouched = keepsPlaces && touched.isDisjoint(with: stay)
        for (column, name) in old.names.enumerated() where keepsPlaces {
          let isEqual =
            name == "_hoodie_file_name"
            || old.values[group][column][rows] == new.values[group][column][now]
          #expect(isEqual || !isUntouched, "\(name) of slot \(slot)")
          guard isEqual else { continue }
          copied += 1
          #expect(
            new.bytes[group][column][place] == old.bytes[group][column][slot], "\(name) of slot \(slot)")
        }
        place += 1
      }
    }
    return copied
  }

  @Test(arguments: 0..<12)
  func pagesWithoutTouchedRowsKeepTheirBytesAndTheReportCountsThem(seed: Int) async throws {
    var random = SeededGenerator(seed: UInt64(seed))
    var options = TableOptions()
    options.tarn.pageRows = 16
    options.tarn.rowGroupSize = [30_000, 32 << 20][seed % 2]
    options.tarn.compression = [.zstd(level: 1), .snappy, .uncompressed][seed % 3]
    let table = try await SmallTable(WideRows.schema, orderedBy: "ts", options: options)
    try await table.table.upsert(try WideRows.batch(400))
    var old = try await Pages(table)
    var fresh = 400
    for round in 2..<8 {
      let kind = random.below(4)
      var batch: RecordBatch
      if kind == 3 {
        // Inserts.
        batch = try WideRows.batch(1 + random.below(40), first: fresh, ordering: Int64(round))
        fresh += batch.count
      } else {
        let first = random.below(380)
        batch = try WideRows.batch(
          1 + random.below(20), first: first, ordering: Int64(round), seed: UInt64(round + seed))
      }
      let keys = Set(json(batch["id"]))
      if kind == 1 {
        // A partial update: of the other columns all pages stay.
        batch = try batch.select(["id", "ts", "note", "price"])
      }
      let report =
        kind == 2
        ? try await table.table.delete(try batch.select(["id", "ts"])) : try await table.table.upsert(batch)
      let new = try await Pages(table)
      guard report.instant != nil else { continue }
      let what = "seed \(seed), round \(round): \(report)"
      #expect(report.files == 1 && report.splicedFiles == 1, "\(what)")
      let copied = try copiedPages(old, new, touching: keys)
      #expect(report.pagesCopied == copied, "\(what)")
      #expect(report.pagesEncoded == new.count - copied, "\(what)")
      // At most twenty rows in a row lie in three pages; inserts touch one, and make new ones.
      let touchedSlots = kind == 3 ? 1 : 3
      let slots = old.slots.joined().count
      #expect(copied >= (slots - touchedSlots) * old.names.count, "\(what)")
      old = new
    }
  }
}
