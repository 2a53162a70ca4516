internal import TarnBytes

extension DataType {
  /// Whether values of this type may have exact equals in another, though not all of them need to.
  ///
  /// Numbers of any width, whole numbers and decimals go into one another, whole numbers into floating-point ones, and
  /// microseconds into milliseconds. Floating-point numbers go into no others, as hardly one has an equal there.
  package func mayFit(_ other: DataType) -> Bool {
    switch (self, other) {
    case _ where widens(to: other): true
    case (_, .int8) where isExactNumber, (_, .int16) where isExactNumber, (_, .int32) where isExactNumber,
      (_, .int64) where isExactNumber, (_, .decimal) where isExactNumber:
      true
    case (_, .float) where isWholeNumber, (_, .double) where isWholeNumber, (.double, .float): true
    case (.timestamp(.microseconds, let zone), .timestamp(.milliseconds, let other)): zone == other
    default: false
    }
  }

  /// Whether values are integers of at most 64 bits.
  var isWholeNumber: Bool {
    switch self {
    case .int8, .int16, .int32, .int64: true
    default: false
    }
  }

  private var isExactNumber: Bool {
    if case .decimal = self { return true }
    return isWholeNumber
  }

  /// The type that holds all values of two number types exactly, with no more digits than that takes; nil where there
  /// is none.
  package func joined(with other: DataType) -> DataType? {
    if widens(to: other) { return other }
    if other.widens(to: self) { return self }
    switch (self, other) {
    case (.float, .int32), (.int32, .float): return .double
    default: break
    }
    guard let mine = decimalForm, let its = other.decimalForm else { return nil }
    let scale = max(mine.scale, its.scale)
    let precision = scale + max(mine.precision - mine.scale, its.precision - its.scale)
    return precision <= Self.greatestPrecision ? .decimal(precision: precision, scale: scale) : nil
  }

  /// The digits of a whole number or decimal; nil for other types.
  private var decimalForm: (precision: Int, scale: Int)? {
    switch self {
    case .int8: (3, 0)
    case .int16: (5, 0)
    case .int32: (10, 0)
    case .int64: (19, 0)
    case .decimal(let precision, let scale): (precision, scale)
    default: nil
    }
  }
}

extension Column {
  /// The same values in a type that they may fit; see ``DataType/mayFit(_:)``.
  ///
  /// - Returns: The column, and the rows, ascending, of values that have no exact equal there, which are null in it.
  /// - Throws: ``ColumnError`` where values of this type are not looked at for the other.
  package func fitted(to other: DataType) throws(ColumnError) -> (column: Column, misfits: [Int]) {
    // Of all widenings, only that of a time can fail.
    if type.widens(to: other), let column = try? converted(to: other) { return (column, []) }
    guard type.mayFit(other) else {
      throw ColumnError.typeMismatch(expected: other.name, found: type.name)
    }
    var builder = ColumnBuilder(other)
    var misfits: [Int] = []
    for row in 0..<count {
      if isNull(row) {
        builder.appendNulls()
      } else if !append(row, to: &builder, as: other) {
        builder.appendNulls()
        misfits.append(row)
      }
    }
    return (builder.finish(), misfits)
  }

  /// Appends a value that is not null; false where the type has no exact equal.
  private func append(_ row: Int, to builder: inout ColumnBuilder, as other: DataType) -> Bool {
    switch (other, values) {
    case (.float, .double(let list)):
      guard let value = list[row].isNaN ? Float.nan : Float(exactly: list[row]) else { return false }
      builder.append(value)
    case (.float, _):
      guard let value = exactNumber(row).flatMap({ Float(exactly: $0.unscaled) }) else { return false }
      builder.append(value)
    case (.double, _):
      guard let value = exactNumber(row).flatMap({ Double(exactly: $0.unscaled) }) else { return false }
      builder.append(value)
    case (.timestamp(.microseconds, _), .int64(let list)):
      let (micros, overflow) = list[row].multipliedReportingOverflow(by: 1_000)
      guard !overflow else { return false }
      builder.append(micros)
    case (.timestamp, .int64(let list)):
      guard list[row] % 1_000 == 0 else { return false }
      builder.append(list[row] / 1_000)
    case (.decimal(let precision, let scale), _):
      guard let value = exactNumber(row, scale: scale), ExactDecimal.digits(value) <= precision else {
        return false
      }
      builder.append(value)
    default:
      guard let value = exactNumber(row, scale: 0) else { return false }
      return builder.append(exactly: value, as: other)
    }
    return true
  }

  /// The digits of a whole number or decimal.
  private func exactNumber(_ row: Int) -> (unscaled: Int128, scale: Int)? {
    switch values {
    case .int8(let list): return (Int128(list[row]), 0)
    case .int16(let list): return (Int128(list[row]), 0)
    case .int32(let list): return (Int128(list[row]), 0)
    case .int64(let list): return (Int128(list[row]), 0)
    case .decimal(let list):
      guard case .decimal(_, let scale) = type else { return nil }
      return (list[row], scale)
    default: return nil
    }
  }

  /// The digits of a value with so many of them behind the point; nil where that loses some, or there is no room.
  private func exactNumber(_ row: Int, scale: Int) -> Int128? {
    guard let (unscaled, mine) = exactNumber(row) else { return nil }
    if mine > scale {
      let (quotient, rest) = unscaled.quotientAndRemainder(dividingBy: ExactDecimal.power(mine - scale))
      return rest == 0 ? quotient : nil
    }
    let (product, overflow) = unscaled.multipliedReportingOverflow(by: ExactDecimal.power(scale - mine))
    return overflow ? nil : product
  }

  /// The digits before the point that the greatest value has, of whole numbers and decimals.
  package var greatestWholeDigits: Int {
    var digits = 0
    for row in 0..<count where !isNull(row) {
      guard let (unscaled, scale) = exactNumber(row) else { return 0 }
      digits = max(digits, ExactDecimal.digits(unscaled / ExactDecimal.power(scale)))
    }
    return digits
  }
}

extension ColumnBuilder {
  /// Appends a whole number; false where the type, an integer of at most 64 bits, does not hold it.
  fileprivate mutating func append(exactly value: Int128, as type: DataType) -> Bool {
    switch type {
    case .int8:
      guard let value = Int8(exactly: value) else { return false }
      append(value)
    case .int16:
      guard let value = Int16(exactly: value) else { return false }
      append(value)
    case .int32:
      guard let value = Int32(exactly: value) else { return false }
      append(value)
    case .int64:
      guard let value = Int64(exactly: value) else { return false }
      append(value)
    default: return false
    }
    return true
  }
}
