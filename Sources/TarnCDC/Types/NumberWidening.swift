import TarnBytes
import TarnColumns

/// The columns of whole numbers and decimals that get more digits where a value of JSON needs them.
///
/// A value that does not fit such a column does not reject its row: it is left out, and the builder tells a type that
/// holds it. Where the records are read again, the next builder is given that type, so that types only grow from one
/// reading to the next, and what one asked for is never taken back for another.
struct NumberWidening: Sendable {
  /// The narrowest type so far that holds what a table's column does, and what rows asked for that were taken; nil for
  /// columns that stay as they are.
  private var types: [DataType?]
  private var isWider: [Bool]
  /// Whether whole numbers become at once the decimals that fractions of change records are given, so that a column does
  /// not widen again with each finer one.
  private let isGenerous: Bool
  /// The types that the present row asks for.
  private var asked: [(column: Int, type: DataType)] = []

  /// - Parameters:
  ///   - schema: The columns.
  ///   - types: The types of those that may get more digits: the table's, or those that an earlier reading found.
  ///   - origin: Whose values come.
  init(_ schema: Schema, _ types: [String: DataType], of origin: ColumnName.Origin) {
    isGenerous = origin == .attributes
    self.types = schema.fields.map { field in
      switch field.type {
      case .int8, .int16, .int32, .int64, .decimal: types[field.name]
      default: nil
      }
    }
    isWider = schema.fields.map { _ in false }
  }

  /// Whether a column may get more digits.
  func mayWiden(_ column: Int) -> Bool { types[column] != nil }

  /// Takes note of a number of the present row that does not fit its column.
  ///
  /// - Returns: Whether a type would hold it, all that the table's column does, and those before it.
  mutating func ask(_ text: RawSpan, _ column: Int) -> Bool {
    guard let known = types[column], let exact = ExactDecimal(text) else { return false }
    var scale = 0
    while exact.unscaled(scale: scale) == nil, scale < DataType.greatestPrecision { scale += 1 }
    guard let unscaled = exact.unscaled(scale: scale) else { return false }
    let precision = max(ExactDecimal.digits(unscaled), scale, 1)
    guard precision <= DataType.greatestPrecision,
      let joined = known.joined(with: .decimal(precision: precision, scale: scale)),
      joined != known || isWider[column]
    else { return false }
    if isGenerous, scale > 0, exact.unscaled(scale: 18) != nil, known.isWhole,
      let wide = known.joined(with: InferredType.wideDecimal)
    {
      asked.append((column, wide))
    } else {
      asked.append((column, joined))
    }
    return true
  }

  /// Forgets what a row that is rejected asked for.
  mutating func forget() { asked.removeAll(keepingCapacity: true) }

  /// Grants what a row that is taken asked for.
  mutating func grant() {
    for (column, type) in asked {
      // A type may exist for each of two values, and none for both.
      guard let joined = types[column]?.joined(with: type) else { continue }
      types[column] = joined
      isWider[column] = true
    }
    forget()
  }

  /// The columns that are to be wider, with their new types.
  func fields(of schema: Schema) -> [Field] {
    schema.fields.indices.compactMap { column in
      guard isWider[column], let type = types[column] else { return nil }
      return Field(schema.fields[column].name, type, isNullable: schema.fields[column].isNullable)
    }
  }
}

extension DataType {
  /// Whether values are whole numbers.
  fileprivate var isWhole: Bool {
    switch self {
    case .int8, .int16, .int32, .int64: true
    default: false
    }
  }
}
