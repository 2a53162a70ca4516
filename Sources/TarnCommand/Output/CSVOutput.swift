import TarnBytes
import TarnColumns

/// The texts of a batch's values, which are made for some rows at once, column by column.
struct BatchTexts {
  private var columns: [ColumnTexts]
  private var first = 0

  /// Rows whose texts are made at once, and about how many bytes their values take, save where one takes more.
  private static let (stepRows, stepBytes) = (512, 128 << 10)

  init(_ schema: Schema) {
    columns = [ColumnTexts](repeating: ColumnTexts(.plain), count: schema.fields.count)
  }

  /// Makes the texts of the first of some rows, of which there is at least one.
  ///
  /// - Returns: Those whose texts were made.
  mutating func make(firstOf rows: Range<Int>, of batch: RecordBatch) -> Range<Int> {
    let part = batch.first(of: rows.prefix(Self.stepRows), atMost: Self.stepBytes, isWrittenOut: true)
    for (index, column) in batch.columns.enumerated() { columns[index].make(column, part) }
    first = part.lowerBound
    return part
  }

  /// The text of a value of those rows; empty for a null.
  subscript(row: Int, column: Int) -> ArraySlice<UInt8> { columns[column][row - first] }
}

/// Comma-separated values as RFC 4180 has them, with a header; a null is empty, an empty text `""`.
struct CSVOutput: RowOutput {
  private var buffer = OutputBuffer()
  private var texts: BatchTexts

  init(_ schema: Schema) {
    texts = BatchTexts(schema)
    for (index, field) in schema.fields.enumerated() {
      if index > 0 { buffer.bytes.append(0x2c) }
      append(Array(field.name.utf8)[...])
    }
    buffer.bytes.append(text: "\r\n")
  }

  mutating func append(_ batch: RecordBatch) throws {
    var rest = 0..<batch.count
    while !rest.isEmpty {
      let rows = texts.make(firstOf: rest, of: batch)
      for row in rows {
        for (index, column) in batch.columns.enumerated() {
          if index > 0 { buffer.bytes.append(0x2c) }
          if !column.isNull(row) { append(texts[row, index]) }
        }
        buffer.bytes.append(text: "\r\n")
        try buffer.flushIfFull()
      }
      rest = rows.upperBound..<rest.upperBound
    }
  }

  mutating func finish() throws { try buffer.flush() }

  /// Appends a value, in quotes where it needs them.
  private mutating func append(_ value: ArraySlice<UInt8>) {
    guard value.isEmpty || value.contains(where: { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d })
    else { return buffer.bytes.append(contentsOf: value) }
    buffer.bytes.append(0x22)
    for byte in value {
      if byte == 0x22 { buffer.bytes.append(0x22) }
      buffer.bytes.append(byte)
    }
    buffer.bytes.append(0x22)
  }
}
