import Tarn
import TarnBytes
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// NaN, and numbers that are equal though their bits differ.
@Suite struct NaNTests {
  private static let schema = Schema([Field("id", .string), Field("d", .double), Field("f", .float)])

  private static func batch(_ rows: [(String, Double?)]) throws -> RecordBatch {
    var ids = ColumnBuilder(.string)
    var doubles = ColumnBuilder(.double)
    var floats = ColumnBuilder(.float)
    for (id, value) in rows {
      try ids.append(id)
      if let value { doubles.append(value) } else { doubles.appendNulls() }
      // Conversion would keep the bits of a NaN above the lowest.
      if let value { floats.append(value.isNaN ? .nan : Float(value)) } else { floats.appendNulls() }
    }
    return try RecordBatch(schema: schema, columns: [ids.finish(), doubles.finish(), floats.finish()])
  }

  private static func create(_ storage: any Storage, pageRows: Int = 8) async throws -> Table {
    var options = TableOptions()
    options.tarn.pageRows = pageRows
    options.tarn.compression = .uncompressed
    return try await Table.create(
      at: .storage(storage, name: "memory/numbers"), schema: schema, recordKey: ["id"], options: options,
      settings: TableFixture.settings(Collected()))
  }

  private static func numbers(_ snapshot: Snapshot) async throws -> [UInt64] {
    var found: [UInt64] = []
    for try await batch in snapshot {
      guard case .double(let values)? = batch["d"]?.values else { continue }
      found += values.map(\.bitPattern)
    }
    return found
  }

  @Test func zerosAndNaNOfOtherBitsAreOtherValues() async throws {
    let odd = Double(bitPattern: 0x7ff8_0000_0000_0001)
    let storage = InMemoryStorage()
    let table = try await Self.create(storage)
    var stored = 0.0
    try await table.upsert(try Self.batch([("a", stored), ("b", 1)]))
    for value in [-0.0, 0.0, .nan, odd, -.nan, 0.0] {
      for isAgain in [false, true] {
        let report = try await table.upsert(try Self.batch([("a", value)]))
        #expect(report.updated == (isAgain ? 0 : 1) && report.duplicates == (isAgain ? 1 : 0))
        let found = try await Self.numbers(try await table.snapshot().where(.column("id") == "a"))
        #expect(found == [value.bitPattern])
      }
      stored = value
    }
    // Likewise where a condition sets a value, and where a function makes one.
    let isA = ColumnReference.column("id") == "a"
    for (text, value) in [("-0.0", -0.0), ("0.0", 0.0), ("-0", -0.0)] {
      #expect(try await table.update(where: isA, set: ["d": .number(text)]).updated == 1)
      #expect(try await table.update(where: isA, set: ["d": .number(text)]).duplicates == 1)
      #expect(try await Self.numbers(try await table.snapshot().where(isA)) == [value.bitPattern])
    }
    let merged = try await table.upsert(try Self.batch([("a", 5)])) { stored, incoming in
      var rows = incoming
      var zero = ColumnBuilder(.double)
      zero.append(0.0)
      rows.columns[1] = zero.finish()
      rows.columns[2] = stored["f"] ?? rows.columns[2]
      return rows
    }
    #expect(merged.updated == 1)
    #expect(try await Self.numbers(try await table.snapshot().where(isA)) == [Double(0).bitPattern])
  }

  @Test func aConditionFindsEitherZero() async throws {
    let table = try await Self.create(InMemoryStorage(), pageRows: 2)
    let rows: [(String, Double?)] = (0..<40).map { row in
      let zero = row % 3 == 0 ? -0.0 : 0.0
      return (row < 10 ? "0\(row)" : "\(row)", row / 2 % 4 == 1 ? zero : row % 7 == 0 ? .nan : Double(row))
    }
    try await table.upsert(try Self.batch(rows))
    let zeros = rows.count { $0.1 == 0 }
    #expect(zeros > 8)
    for text in ["0", "0.0", "-0.0", "-0", "0e5", "-0.00"] {
      for column in ["d", "f"] {
        let snapshot = try await table.snapshot()
        let field = ColumnReference.column(column)
        #expect(try await snapshot.where(field == .number(text)).count() == zeros, "\(column) = \(text)")
        #expect(try await snapshot.where(field.isIn([.number(text), .number("1e9")])).count() == zeros)
        #expect(try await snapshot.where(field >= .number(text) && field <= .number(text)).count() == zeros)
        #expect(try await snapshot.where(field < .number(text)).count() == 0)
        #expect(try await snapshot.where(field != .number(text)).count() == rows.count - zeros)
      }
    }
  }

  // MARK: - Seeded search

  /// Finds what an engine would lose to which NaN is greater than all numbers, and which trusts every bound.
  private static func losses(_ file: ParquetFile) async throws -> [String] {
    var losses: [String] = []
    for name in ["d", "f"] {
      let column = try file.columnIndex(name)
      for group in 0..<file.rowGroupCount {
        let values = try await file.readRowGroup(group, columns: [column]).columns[0]
        func check(_ bounds: ColumnStatistics?, _ rows: Range<Int>, _ part: String, isChunk: Bool) {
          for row in rows where !values.isNull(row) {
            let number = values.values.number(row)
            guard case .number(let least) = bounds?.minimum, case .number(let greatest) = bounds?.maximum
            else {
              continue
            }
            let holds =
              number.isNaN ? !isChunk && greatest == .infinity : least <= number && number <= greatest
            if !holds { losses.append("\(name), \(part): \(number) beside \(least) to \(greatest)") }
          }
        }
        let rows = file.rowCount(inGroup: group)
        check(file.statistics(group: group, column: column), 0..<rows, "chunk", isChunk: true)
        for page in try await file.pageStatistics(group: group, column: column) ?? [] {
          check(page.values, page.rows, "page \(page.rows)", isChunk: false)
        }
      }
    }
    return losses
  }

  @Test(arguments: 1...8) func noRowIsLostBesideNaNHoweverFilesCameAbout(seed: Int) async throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let storage = InMemoryStorage()
    var table = try await Self.create(storage, pageRows: [4, 16, 50][seed % 3])
    var expected: [String: Double?] = [:]
    var spliced = 0
    for round in 0..<8 {
      let rate = [2, 10, 40, 1_000][random.below(4)]
      let first = random.below(200)
      let rows = (0..<(round == 0 ? 200 : 1 + random.below(12))).map { offset -> (String, Double?) in
        let id = round == 0 ? offset : (first + offset * (1 + random.below(3)))
        let value = Double(random.below(1_800) - 900) / 4
        return ("k\(id)", random.oneIn(9) ? nil : random.oneIn(rate) ? .nan : value)
      }
      let report = try await table.upsert(try Self.batch(rows))
      spliced += report.splicedFiles
      for (id, value) in rows { expected[id] = value }
      for slice in try await table.snapshot().slices {
        let file = try await ParquetFile.open(storage, path: slice.path)
        // A file that the last write did not touch may be an earlier build's still.
        guard slice.instant == report.instant else { continue }
        let losses = try await Self.losses(file)
        #expect(losses.isEmpty, "seed \(seed), round \(round): \(losses.prefix(3))")
        #expect(try await ParquetCheck.run(file).findings.isEmpty)
      }
      for limit in [-100.0, 0, 10, 200] {
        let found = try await table.snapshot().where(.column("d") > .number("\(limit)")).count()
        let wanted = expected.values.count { value in value.map { $0.isNaN || $0 > limit } ?? false }
        #expect(found == wanted, "seed \(seed), round \(round): d > \(limit)")
      }
      guard random.oneIn(2) else { continue }
      for slice in try await table.snapshot().slices {
        let bytes = try await storage.readAll(slice.path)
        let old = ForeignBytes.leavingNaNOut(bytes, limit: 1_000)
        _ = try await storage.put(old, at: slice.path, if: .always)
      }
      table = try await Table.open(
        at: .storage(storage, name: "memory/numbers"), settings: TableFixture.settings(Collected()))
    }
    #expect(spliced > 4, "seed \(seed): \(spliced) files were spliced")
  }
}

extension Column.Values {
  /// A floating-point number.
  fileprivate func number(_ row: Int) -> Double {
    switch self {
    case .float(let values): Double(values[row])
    case .double(let values): values[row]
    default: 0
    }
  }
}
