import TarnBytes
import TarnColumns

/// Aligned columns for people; the first rows decide how wide they are.
struct TableOutput: RowOutput {
  /// How many rows are held back to find the widths.
  private static let sample = 1_000

  private let names: [String]
  private let isRightAligned: [Bool]
  private var widths: [Int]
  private var held: [[String]] = []
  private var isHolding = true
  private var buffer = OutputBuffer()

  init(_ schema: Schema) {
    names = schema.names.map(Self.printable)
    widths = names.map(\.count)
    isRightAligned = schema.fields.map { field in
      switch field.type {
      case .int8, .int16, .int32, .int64, .float, .double, .decimal: true
      default: false
      }
    }
  }

  mutating func append(_ batch: RecordBatch) throws {
    for row in 0..<batch.count {
      let cells = batch.columns.map { Self.cell($0, row) }
      guard isHolding else {
        add(cells)
        try buffer.flushIfFull()
        continue
      }
      for (index, cell) in cells.enumerated() { widths[index] = max(widths[index], cell.count) }
      held.append(cells)
      if held.count == Self.sample { try release() }
    }
  }

  mutating func finish() throws {
    if isHolding { try release() }
    try buffer.flush()
  }

  /// Writes the header and the rows held back.
  private mutating func release() throws {
    isHolding = false
    add(names)
    add(
      widths.enumerated().map { index, width in
        // Nothing stands behind the last column, so that its rule need not be as long as its longest cell.
        String(
          repeating: "-", count: index == widths.count - 1 ? min(width, max(names[index].count, 40)) : width)
      })
    for cells in held {
      add(cells)
      try buffer.flushIfFull()
    }
    held = []
  }

  private mutating func add(_ cells: [String]) {
    for (index, cell) in cells.enumerated() {
      let padding = max(0, widths[index] - cell.count)
      let isLast = index == cells.count - 1
      if index > 0 { buffer.bytes.append(text: "  ") }
      if isRightAligned[index] { buffer.bytes.append(contentsOf: repeatElement(0x20, count: padding)) }
      buffer.bytes.append(text: cell)
      if !isRightAligned[index], !isLast {
        buffer.bytes.append(contentsOf: repeatElement(0x20, count: padding))
      }
    }
    buffer.bytes.append(0x0a)
  }

  private static func cell(_ column: Column, _ row: Int) -> String {
    guard !column.isNull(row) else { return "null" }
    var bytes: [UInt8] = []
    column.appendText(row, to: &bytes)
    return printable(String(decoding: bytes, as: UTF8.self))
  }

  /// The text without characters that would move a terminal's cursor.
  private static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case _ where isControl(scalar): out += "\\u{\(String(scalar.value, radix: 16))}"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control
  }
}
