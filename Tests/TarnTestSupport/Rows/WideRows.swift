import TarnColumns

/// Rows with a column of every flat type, some of them null, made from a seed.
public enum WideRows {
  /// The columns: `id` is the key, `ts` orders, `part` partitions.
  public static let schema = Schema([
    Field("id", .string), Field("ts", .int64), Field("part", .string), Field("flag", .boolean),
    Field("i", .int32), Field("f", .float), Field("d", .double),
    Field("price", .decimal(precision: 10, scale: 2)), Field("big", .decimal(precision: 38, scale: 18)),
    Field("day", .date), Field("at", .timestamp(.microseconds, .instant)), Field("bin", .binary),
    Field("note", .string),
  ])

  /// So many rows with keys `key-N`, N from `first` on.
  public static func batch(
    _ count: Int, first: Int = 0, ordering: Int64 = 1, partitions: [String] = ["alpha", "beta", "gamma"],
    seed: UInt64 = 7
  ) throws -> RecordBatch {
    var generator = SeededGenerator(seed: seed)
    var builders = schema.fields.map { ColumnBuilder($0.type) }
    for row in first..<first + count {
      try builders[0].append("key-\(row)")
      builders[1].append(ordering)
      try builders[2].append(partitions[row % partitions.count])
      for column in 3..<builders.count {
        if generator.oneIn(5) {
          builders[column].appendNulls()
        } else {
          try fill(&builders[column], &generator)
        }
      }
    }
    return try RecordBatch(schema: schema, columns: builders.map { $0.finish() }, count: count)
  }

  private static func fill(_ builder: inout ColumnBuilder, _ generator: inout SeededGenerator) throws {
    let bits = generator.next()
    switch builder.type {
    case .boolean: builder.append(bits & 1 == 0)
    case .int32: builder.append(Int32(truncatingIfNeeded: bits))
    case .float: builder.append(Float(Int32(truncatingIfNeeded: bits)) / 8)
    case .double: builder.append(Double(Int64(bitPattern: bits)) / 1_024)
    case .decimal(10, _): builder.append(Int128(Int64(bitPattern: bits) % 10_000_000_000))
    case .decimal: builder.append(Int128(Int64(bitPattern: bits)) * 1_000_000_000_000_000_000 + 1)
    case .date: builder.append(Int32(bits % 40_000) - 10_000)
    case .timestamp: builder.append(Int64(bits % 4_000_000_000_000_000) - 1_000_000_000_000_000)
    case .binary: try builder.appendBuilt { $0.append(contentsOf: [0, 0xff, UInt8(bits & 0xff)]) }
    default: try builder.append(["", "plain", "with \"quotes\"", "ünï 😀", "tab\there"][Int(bits % 5)])
    }
  }

  /// The rows of batches as the normal form's lines, sorted as text.
  public static func lines(_ batches: [RecordBatch]) -> [String] {
    var lines: [String] = []
    for batch in batches {
      for row in 0..<batch.count {
        var line: [UInt8] = []
        batch.appendJSONLine(row, to: &line)
        lines.append(String(decoding: line.dropLast(), as: UTF8.self))
      }
    }
    return TestWorld.sortedAsText(lines)
  }
}
