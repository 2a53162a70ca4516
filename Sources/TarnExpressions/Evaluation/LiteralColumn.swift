internal import TarnBytes
import TarnColumns

extension Literal {
  /// A column of this one value in a column's type, so that rows can be compared with it.
  ///
  /// - Throws: ``ExpressionError`` where the text is no value of the type.
  func column(for field: Field) throws(ExpressionError) -> Column {
    var builder = ColumnBuilder(field.type)
    guard append(to: &builder, type: field.type) else {
      throw ExpressionError(
        .typeMismatch,
        "column \(field.name) is \(field.type.name): it cannot be compared with \(text)\(hint(for: field.type))"
      )
    }
    return builder.finish()
  }

  /// What to write instead, where digits of an exact number may have been lost.
  func hint(for type: DataType) -> String {
    switch (self, type) {
    case (.floating, .decimal), (.floating, .int8), (.floating, .int16), (.floating, .int32),
      (.floating, .int64):
      ", whose last digits may be lost, since a Double keeps 15: write its text, as in .number(\"1.25\")"
    default: ""
    }
  }

  private func append(to builder: inout ColumnBuilder, type: DataType) -> Bool {
    switch (type, self) {
    case (.boolean, .boolean(let value)):
      builder.append(value)
      return true
    case (.string, .string(let text)): return (try? builder.append(text)) != nil
    case (.binary, .string(let text)):
      guard let bytes = Base64.decode(Array(text.utf8).span.bytes) else { return false }
      return (try? builder.append(bytes.span.bytes)) != nil
    case (.date, .string(let text)):
      guard let days = CivilTime.parseDate(Array(text.utf8).span.bytes) else { return false }
      builder.append(Int32(truncatingIfNeeded: days))
      return true
    case (.float, .number(let text)):
      guard let value = Float(text) else { return false }
      builder.append(value)
      return true
    case (.double, .number(let text)):
      guard let value = Double(text) else { return false }
      builder.append(value)
      return true
    case (.float, .floating(let value)):
      builder.append(Float(value))
      return true
    case (.double, .floating(let value)):
      builder.append(value)
      return true
    default: return false
    }
  }
}

extension Literal {
  /// A column of this one value, to be stored in a table's column.
  ///
  /// - Throws: ``ExpressionError`` where the value is none of the column's type, or would lose digits.
  package func stored(in field: Field) throws(ExpressionError) -> Column {
    guard let exact = ExactValue(self, type: field.type) else {
      do { return try column(for: field) } catch { throw misfit(field) }
    }
    var builder = ColumnBuilder(field.type)
    guard !exact.isBetween, builder.append(exact: exact.floor) else { throw misfit(field) }
    return builder.finish()
  }

  private func misfit(_ field: Field) -> ExpressionError {
    ExpressionError(
      .typeMismatch,
      "column \(field.name) is \(field.type.name): it cannot hold \(text)\(hint(for: field.type))")
  }
}

extension ColumnBuilder {
  /// Appends a whole number, the digits of a decimal, or a time in the column's unit; false where it does not fit.
  package mutating func append(exact value: Int128) -> Bool {
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
