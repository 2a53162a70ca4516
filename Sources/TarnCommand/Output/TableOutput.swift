import TarnBytes
import TarnColumns

/// Aligned columns for people; the first rows decide how wide they are.
struct TableOutput: RowOutput {
  /// How many rows are held back to find the widths.
  private static let sample = 1_000

  private let names: [[UInt8]]
  private let isRightAligned: [Bool]
  private var widths: [Int]
  private var held: [[[UInt8]]] = []
  private var isHolding = true
  private var buffer = OutputBuffer()
  private var texts: BatchTexts

  init(_ schema: Schema) {
    texts = BatchTexts(schema)
    names = schema.names.map { Self.printable(Array($0.utf8)) }
    widths = names.map(Self.width)
    isRightAligned = schema.fields.map { field in
      switch field.type {
      case .int8, .int16, .int32, .int64, .float, .double, .decimal: true
      default: false
      }
    }
  }

  mutating func append(_ batch: RecordBatch) throws {
    var rest = 0..<batch.count
    while !rest.isEmpty {
      let rows = texts.make(firstOf: rest, of: batch)
      for row in rows { try append(batch, row) }
      rest = rows.upperBound..<rest.upperBound
    }
  }

  private mutating func append(_ batch: RecordBatch, _ row: Int) throws {
    guard isHolding else {
      for index in names.indices { put(cell(batch.columns[index], row, index), index) }
      buffer.bytes.append(0x0a)
      return try buffer.flushIfFull()
    }
    let cells = names.indices.map { cell(batch.columns[$0], row, $0) }
    for (index, cell) in cells.enumerated() { widths[index] = max(widths[index], Self.width(cell)) }
    held.append(cells.map { Array($0) })
    if held.count == Self.sample { try release() }
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
        let isLast = index == widths.count - 1
        return [UInt8](repeating: 0x2d, count: isLast ? min(width, max(Self.width(names[index]), 40)) : width)
      })
    for cells in held {
      add(cells)
      try buffer.flushIfFull()
    }
    held = []
  }

  private mutating func add(_ cells: [[UInt8]]) {
    for (index, cell) in cells.enumerated() { put(cell[...], index) }
    buffer.bytes.append(0x0a)
  }

  /// Writes the cell of a column.
  private mutating func put(_ cell: ArraySlice<UInt8>, _ index: Int) {
    let padding = max(0, widths[index] - Self.width(cell))
    let isLast = index == names.count - 1
    if index > 0 { buffer.bytes.append(text: "  ") }
    if isRightAligned[index] { pad(padding) }
    buffer.bytes.append(contentsOf: cell)
    if !isRightAligned[index], !isLast { pad(padding) }
  }

  private mutating func pad(_ count: Int) { for _ in 0..<count { buffer.bytes.append(0x20) } }

  private static let null = Array("null".utf8)

  /// The text of a value whose row's texts are made.
  private func cell(_ column: Column, _ row: Int, _ index: Int) -> ArraySlice<UInt8> {
    guard !column.isNull(row) else { return Self.null[...] }
    let text = texts[row, index]
    return Self.mayHoldControls(text) ? Self.printable(Array(text))[...] : text
  }

  /// How many characters a text has; combining and wide ones count as one, too.
  private static func width(_ text: some Collection<UInt8>) -> Int {
    var continuations = 0
    for byte in text where byte & 0xc0 == 0x80 { continuations += 1 }
    return text.count - continuations
  }

  /// Whether there may be control characters: those of ASCII, or those that begin with C2 in UTF-8.
  private static func mayHoldControls(_ text: ArraySlice<UInt8>) -> Bool {
    for byte in text where byte < 0x20 || byte == 0x7f || byte == 0xc2 { return true }
    return false
  }

  /// The text without characters that would move a terminal's cursor.
  static func printable(_ text: [UInt8]) -> [UInt8] {
    var out = ""
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      switch scalar {
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case _ where scalar.properties.generalCategory == .control:
        out += "\\u{\(String(scalar.value, radix: 16))}"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return Array(out.utf8)
  }
}
