import TarnBytes
import TarnColumns

extension Literal {
  /// A column of this one value, to be stored in a table's column.
  ///
  /// - Throws: ``TableError`` with code `mismatch` where the value is none of the column's type, or would lose digits.
  func stored(in field: Field) throws(TableError) -> Column {
    guard let exact = ExactValue(self, type: field.type) else {
      do { return try column(for: field) } catch { throw misfit(field) }
    }
    var builder = ColumnBuilder(field.type)
    guard !exact.isBetween, builder.append(exact: exact.floor) else { throw misfit(field) }
    return builder.finish()
  }

  private func misfit(_ field: Field) -> TableError {
    TableError(
      .mismatch,
      "column \(field.name) is \(field.type.name): it cannot hold \(text)\(hint(for: field.type))")
  }
}

extension ColumnBuilder {
  /// Appends a whole number, the digits of a decimal, or a time in the column's unit; false where it does not fit.
  mutating func append(exact value: Int128) -> Bool {
    switch type {
    case .int8: return append(Int8(exactly: value)) { $0.append($1) }
    case .int16: return append(Int16(exactly: value)) { $0.append($1) }
    case .int32: return append(Int32(exactly: value)) { $0.append($1) }
    case .int64, .timestamp: return append(Int64(exactly: value)) { $0.append($1) }
    case .decimal(let precision, _):
      guard ExactDecimal.digits(value) <= precision else { return false }
      append(value)
      return true
    default: return false
    }
  }

  private mutating func append<T>(_ value: T?, _ body: (inout ColumnBuilder, T) -> Void) -> Bool {
    guard let value else { return false }
    body(&self, value)
    return true
  }
}
