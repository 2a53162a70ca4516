import TarnBytes
import TarnColumns

/// The values of an `in`, made ready once, so that a row costs one look-up however many they are.
struct LiteralList {
  private var exact: Set<Int128> = []
  private var strings = ByteStrings()
  private var index: HashIndex
  /// Values of types that are compared one by one.
  private var others: [Column] = []

  /// Makes a list for a column.
  ///
  /// - Throws: ``ExpressionError`` where a value does not fit the column.
  init(_ literals: [Literal], for field: Field) throws(ExpressionError) {
    index = HashIndex(expected: literals.count)
    for literal in literals {
      if let value = ExactValue(literal, type: field.type) {
        // What lies between two values of the column equals none of them.
        if !value.isBetween { exact.insert(value.floor) }
        continue
      }
      let column = try literal.column(for: field)
      if let text = column.strings { try add(text) } else { others.append(column) }
    }
  }

  private mutating func add(_ text: ByteStrings) throws(ExpressionError) {
    let known = strings
    let new = index.findOrInsert(
      hash: text.hash(0), position: strings.count, where: { known.equals($0, text, 0) },
      hashOf: { known.hash($0) })
    guard new == nil else { return }
    do { try strings.append(text, 0..<1) } catch { throw ExpressionError(error.description) }
  }

  private func contains(_ values: ByteStrings, _ row: Int) -> Bool {
    index.find(hash: values.hash(row), where: { strings.equals($0, values, row) }) != nil
  }

  /// The rows whose values are in the list.
  func rows(of column: Column) -> Bitmap {
    switch column.values {
    case .int8(let values): return bits(values.count) { exact.contains(Int128(values[$0])) }
    case .int16(let values): return bits(values.count) { exact.contains(Int128(values[$0])) }
    case .int32(let values) where column.type != .date:
      return bits(values.count) { exact.contains(Int128(values[$0])) }
    case .int64(let values): return bits(values.count) { exact.contains(Int128(values[$0])) }
    case .decimal(let values): return bits(values.count) { exact.contains(values[$0]) }
    case .bytes(let values): return bits(values.count) { contains(values, $0) }
    case .dictionary(let values):
      return values.rows { entries, entry in contains(entries, entry) }
    default: return bits(column.count) { row in others.contains { column.compare(row, to: $0, 0) == 0 } }
    }
  }
}
