import TarnBytes
import TarnColumns
import TarnParquet

/// `tarn parquet show`.
enum ParquetShowCommand {
  static let command = Command(
    name: "parquet show",
    summary: "Tells a Parquet file's schema, row groups, columns, statistics and metadata.",
    operands: [.parquetFile], options: []
  ) { arguments in
    try await ParquetAccess.open(arguments) { file, path in
      try write(
        "\(path): \(Readable.bytes(file.size)), \(file.rowCount) rows, \(file.rowGroupCount) row groups, "
          + "written by \(file.createdBy ?? "an unnamed program")")
      try write("")
      for line in file.schemaText.split(separator: "\n") { try write(String(line)) }
      for (name, reason) in file.unreadable.sorted(by: { $0.key < $1.key }) {
        try write("column \(name) cannot be read: \(reason)")
      }
      for group in 0..<file.rowGroupCount { try await show(group, of: file) }
      guard !file.keyValues.isEmpty else { return }
      try write("")
      for entry in file.keyValues { try write("\(entry.key): \(Readable.shortened(entry.value, to: 100))") }
    }
  }

  private static func write(_ line: String) throws {
    try StandardOutput.write(Readable.printable(line) + [0x0a])
  }

  private static func show(_ group: Int, of file: ParquetFile) async throws {
    let chunks = try await file.chunkSummaries(group: group)
    let stored = chunks.reduce(0) { $0 &+ $1.compressedSize }
    let plain = chunks.reduce(0) { $0 &+ $1.uncompressedSize }
    try write("")
    try write(
      "row group \(group): \(file.rowCount(inGroup: group)) rows, \(Readable.bytes(stored)), "
        + "\(Readable.bytes(plain)) uncompressed")
    var rows = ReportRows([
      "column": .string, "codec": .string, "encodings": .string, "pages": .int64, "values": .int64,
      "nulls": .int64, "bytes": .int64, "uncompressed": .int64, "minimum": .string, "maximum": .string,
      "indexes": .string,
    ])
    for chunk in chunks {
      func bound(_ value: ColumnStatistics.Value?) throws -> ReportRows.Cell {
        guard let value, let type = chunk.type else { return .text(nil) }
        return .text(Readable.shortened(try text(of: value, type), to: 24))
      }
      let indexes = [
        (chunk.hasOffsetIndex, "offset"), (chunk.hasColumnIndex, "column"), (chunk.hasBloomFilter, "bloom"),
      ].filter(\.0).map(\.1)
      try rows.append([
        .text(chunk.column), .text(chunk.codec), .text(chunk.encodings.joined(separator: ",")),
        .number(chunk.pageCount.map { Int64($0) }), .number(Int64(chunk.valueCount)),
        .number(chunk.statistics?.nullCount.map { Int64($0) }), .number(Int64(chunk.compressedSize)),
        .number(Int64(chunk.uncompressedSize)), try bound(chunk.statistics?.minimum),
        try bound(chunk.statistics?.maximum), .text(indexes.joined(separator: ",")),
      ])
    }
    try await OutputFormat.table.write(try rows.batch())
  }

  /// A bound as a value of its column is written.
  private static func text(of value: ColumnStatistics.Value, _ type: DataType) throws -> String {
    var builder = ColumnBuilder(type)
    switch (value, type) {
    case (.boolean(let bit), _): builder.append(bit)
    case (.integer(let number), .int8): builder.append(Int8(truncatingIfNeeded: number))
    case (.integer(let number), .int16): builder.append(Int16(truncatingIfNeeded: number))
    case (.integer(let number), .int32), (.integer(let number), .date):
      builder.append(Int32(truncatingIfNeeded: number))
    case (.integer(let number), _): builder.append(number)
    case (.decimal(let unscaled), _): builder.append(unscaled)
    case (.number(let number), .float): builder.append(Float(number))
    case (.number(let number), _): builder.append(number)
    case (.bytes(let bytes), _): try builder.append(bytes.span.bytes)
    }
    var text: [UInt8] = []
    builder.finish().appendText(0, to: &text)
    return String(decoding: text, as: UTF8.self)
  }
}
