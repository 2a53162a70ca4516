import TarnColumns
import TarnParquet
import Testing

@Suite struct StatisticsTests {
  private func statistics(_ column: Column) async throws -> ColumnStatistics? {
    let schema = Schema([Field("c", column.type)])
    let shelf = Shelf()
    _ = try await shelf.write([try RecordBatch(schema: schema, columns: [column])], schema)
    return try await shelf.open().statistics(group: 0, column: 0)
  }

  private func strings(_ values: [String?], _ type: DataType = .string) async throws -> ColumnStatistics? {
    var builder = ColumnBuilder(type)
    for value in values {
      if let value { try builder.append(value) } else { builder.appendNulls() }
    }
    return try await statistics(builder.finish())
  }

  private func doubles(_ values: [Double]) async throws -> ColumnStatistics? {
    var builder = ColumnBuilder(.double)
    for value in values { builder.append(value) }
    return try await statistics(builder.finish())
  }

  @Test func stringsAreBoundedByTheirUnsignedBytes() async throws {
    let found = try await strings(["b", nil, "a", "é", "z", nil])
    #expect(
      found == ColumnStatistics(nullCount: 2, minimum: .bytes([0x61]), maximum: .bytes(Array("é".utf8))))
    #expect(try await strings([nil, nil]) == ColumnStatistics(nullCount: 2, minimum: nil, maximum: nil))
    #expect(
      try await strings(["", "prefix", "prefix1", "prefix0"])
        == ColumnStatistics(nullCount: 0, minimum: .bytes([]), maximum: .bytes(Array("prefix1".utf8))))
  }

  @Test func longBoundsAreCutAndStillBound() async throws {
    let long = String(repeating: "a", count: 60) + "öäü" + String(repeating: "z", count: 60)
    let found = try await strings([long])
    guard case .bytes(let minimum) = found?.minimum, case .bytes(let maximum) = found?.maximum else {
      Issue.record("no bounds")
      return
    }
    #expect(minimum.count <= 64 && maximum.count <= 64)
    #expect(!Array(long.utf8).lexicographicallyPrecedes(minimum))
    #expect(Array(long.utf8).lexicographicallyPrecedes(maximum))
    #expect(String(validating: minimum, as: UTF8.self) != nil)
    #expect(String(validating: maximum, as: UTF8.self) != nil)
    #expect(
      try await strings([String(repeating: "ü", count: 100)])?.maximum
        == .bytes(Array((String(repeating: "ü", count: 31) + "ý").utf8)))
    // Nothing short is above these.
    #expect(try await strings([String(repeating: "\u{10ffff}", count: 100)])?.maximum == nil)
  }

  @Test func nothingIsBoundedBesideANaN() async throws {
    let none = ColumnStatistics(nullCount: 0, minimum: nil, maximum: nil)
    let numbers: [[Double]] = [
      [.nan, 1, .nan, -2], [1, -.nan], [.nan], [-.infinity, .nan], [.infinity, .signalingNaN],
    ]
    for values in numbers {
      #expect(try await doubles(values) == none, "\(values)")
    }
    for value in [Double.infinity, -.infinity] {
      #expect(
        try await doubles([value])
          == ColumnStatistics(nullCount: 0, minimum: .number(value), maximum: .number(value)))
    }
  }

  @Test func zerosBoundEachOtherWhicheverSignTheyHave() async throws {
    for values in [[0.0], [-0.0], [0.0, -0.0]] {
      guard case .number(let least) = try await doubles(values)?.minimum,
        case .number(let greatest) = try await doubles(values)?.maximum
      else {
        Issue.record("no bounds")
        return
      }
      #expect(least.sign == .minus && greatest.sign == .plus)
    }
  }

  @Test func signedNumbersAndDecimalsAreBoundedBySign() async throws {
    for type in [DataType.int8, .int16, .int32, .int64, .date, .timestamp(.microseconds, .instant)] {
      var builder = ColumnBuilder(type)
      for value in [3, -5, 7] {
        switch type {
        case .int8: builder.append(Int8(value))
        case .int16: builder.append(Int16(value))
        case .int32, .date: builder.append(Int32(value))
        default: builder.append(Int64(value))
        }
      }
      let found = try await statistics(builder.finish())
      #expect(found == ColumnStatistics(nullCount: 0, minimum: .integer(-5), maximum: .integer(7)))
    }
    var builder = ColumnBuilder(.decimal(precision: 30, scale: 3))
    for value in [3, -5, Int128(1) << 90] { builder.append(value) }
    let found = try await statistics(builder.finish())
    #expect(found == ColumnStatistics(nullCount: 0, minimum: .decimal(-5), maximum: .decimal(1 << 90)))
  }
}
