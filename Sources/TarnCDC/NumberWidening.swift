import TarnBytes
import TarnColumns

/// The columns of whole numbers and decimals that get more digits where a value of JSON needs them.
///
/// A value that does not fit such a column does not reject its row: it is left out, and the builder tells a decimal type
/// that holds it, by which the records are to be read again.
struct NumberWidening: Sendable {
  private let mayWiden: [Bool]
  private var types: [DataType?]

  /// - Parameters:
  ///   - schema: The columns.
  ///   - names: Those that may get more digits; others of them than numbers do not.
  init(_ schema: Schema, _ names: Set<String>) {
    mayWiden = schema.fields.map { field in
      switch field.type {
      case .int8, .int16, .int32, .int64, .decimal: names.contains(field.name)
      default: false
      }
    }
    types = schema.fields.map { _ in nil }
  }

  /// Takes note of a number that does not fit its column.
  ///
  /// - Parameters:
  ///   - text: The number.
  ///   - column: The column's position.
  ///   - type: Its type.
  /// - Returns: Whether a type was found that holds the number and those before it.
  mutating func note(_ text: RawSpan, _ column: Int, _ type: DataType) -> Bool {
    guard mayWiden[column], let exact = ExactDecimal(text) else { return false }
    var scale = 0
    for case .decimal(_, let known)? in [type, types[column]] { scale = max(scale, known) }
    while exact.unscaled(scale: scale) == nil, scale < DataType.greatestPrecision { scale += 1 }
    let wider = DataType.decimal(precision: DataType.greatestPrecision, scale: scale)
    guard exact.unscaled(scale: scale) != nil, wider != type else { return false }
    types[column] = wider
    return true
  }

  /// The columns that are to be wider.
  func fields(of schema: Schema) -> [Field] {
    zip(schema.fields, types).compactMap { field, type in
      type.map { Field(field.name, $0, isNullable: field.isNullable) }
    }
  }
}
