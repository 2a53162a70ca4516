import TarnBytes
import TarnColumns

/// The text of a value within record keys and partition paths: Java's `toString` of the Avro value.
///
/// Source: format-tables 4.2 and 5.2 (Hudi's `KeyGenUtils`, `PartitionPathEncodeUtils`).
package enum KeyText {
  /// Why values of a type cannot serve as keys or partitions; nil where they can.
  package static func objection(to type: DataType) -> String? {
    switch type {
    case .float, .double: "floating-point numbers have no one text"
    case .binary: "bytes have no text"
    case .list, .structure, .map: "nested values have no text"
    default: nil
    }
  }

  /// Appends the text of a value that is not null.
  package static func append(_ column: Column, _ row: Int, to out: inout [UInt8]) {
    switch column.values {
    case .boolean(let bits): out.append(text: bits[row] ? "true" : "false")
    case .int8(let values): out.append(decimal: values[row])
    case .int16(let values): out.append(decimal: values[row])
    case .int32(let values):
      if column.type == .date {
        CivilTime.append(date: Int(values[row]), to: &out)
      } else {
        out.append(decimal: values[row])
      }
    case .int64(let values): out.append(decimal: values[row])
    case .decimal(let values):
      guard case .decimal(_, let scale) = column.type else { return }
      append(unscaled: values[row], scale: scale, to: &out)
    case .bytes(let strings): out.append(strings[row])
    case .dictionary(let strings):
      let entries = strings.entries.strings
      out.append(entries[strings.position(row)])
    case .float, .double, .list, .structure, .map:
      preconditionFailure("refused by objection(to:)")
    }
  }

  /// The texts of all values of a column, whose type is asked for once; nulls have empty ones.
  ///
  /// - Throws: ``ColumnError`` where they would pass 2 GiB.
  static func texts(of column: Column) throws(ColumnError) -> ByteStrings {
    var texts = ByteStrings()
    switch column.values {
    case .boolean(let bits): try fill(&texts, column) { $1.append(text: bits[$0] ? "true" : "false") }
    case .int8(let values): try fill(&texts, column) { $1.append(decimal: values[$0]) }
    case .int16(let values): try fill(&texts, column) { $1.append(decimal: values[$0]) }
    case .int32(let values) where column.type == .date:
      try fill(&texts, column) { CivilTime.append(date: Int(values[$0]), to: &$1) }
    case .int32(let values): try fill(&texts, column) { $1.append(decimal: values[$0]) }
    case .int64(let values): try fill(&texts, column) { $1.append(decimal: values[$0]) }
    case .decimal(let values):
      guard case .decimal(_, let scale) = column.type else { return texts }
      try fill(&texts, column) { append(unscaled: values[$0], scale: scale, to: &$1) }
    case .bytes(let strings): return strings
    case .dictionary(let strings): return try strings.plain()
    case .float, .double, .list, .structure, .map:
      preconditionFailure("refused by objection(to:)")
    }
    return texts
  }

  /// Appends a text for each value; what is given becomes a part of the loop.
  @inline(__always)
  private static func fill(
    _ texts: inout ByteStrings, _ column: Column, _ append: (Int, inout [UInt8]) -> Void
  ) throws(ColumnError) {
    texts.reserve(strings: column.count, bytes: column.count * 8)
    for row in 0..<column.count {
      if column.isNull(row) { texts.appendEmpty() } else { try texts.appendBuilt { append(row, &$0) } }
    }
  }

  /// Appends a decimal as `BigDecimal.toString` does: plain, unless it begins with more than six zeros.
  static func append(unscaled: Int128, scale: Int, to out: inout [UInt8]) {
    let digits = ExactDecimal.digits(unscaled)
    let exponent = digits - 1 - scale
    guard exponent < -6 else {
      out.append(unscaled: unscaled, scale: scale)
      return
    }
    var text: [UInt8] = []
    text.append(decimal: unscaled.magnitude)
    if unscaled < 0 { out.append(0x2d) }
    out.append(text[0])
    if text.count > 1 {
      out.append(0x2e)
      out.append(contentsOf: text[1...])
    }
    out.append(text: "E\(exponent)")
  }
}

extension DataType {
  /// Whether a value has one text in keys as this type and as another, which whole numbers have whatever their width.
  package func hasSameTexts(as other: DataType) -> Bool {
    let whole: [DataType] = [.int8, .int16, .int32, .int64]
    return self == other || whole.contains(self) && whole.contains(other)
  }
}
