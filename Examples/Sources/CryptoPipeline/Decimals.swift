import TarnColumns

/// Exact arithmetic on decimals as columns hold them: as integers, of which `scale` digits stand behind the point.
enum Decimals {
  /// The numbers of a column, with zero for null.
  struct Numbers {
    var name = "a number"
    var values: [Int128]
    var scale: Int
    var precision = 38
    var validity: Bitmap?

    init(_ values: [Int128], scale: Int, validity: Bitmap?) {
      self.values = values
      self.scale = scale
      self.validity = validity
    }

    /// The numbers of a decimal column; nil for another.
    init?(_ name: String, _ column: Column) {
      guard case .decimal(let precision, let scale) = column.type, case .decimal(let values) = column.values
      else { return nil }
      self.init(values, scale: scale, validity: column.validity)
      self.name = name
      self.precision = precision
    }

    /// The numbers with the digits of a decimal type, rounded half up.
    ///
    /// - Throws: ``TransformError`` where a number has too many digits before the point.
    func rounded(to type: DataType) throws(TransformError) -> Numbers {
      guard case .decimal(let precision, let places) = type, places <= scale else {
        throw TransformError("\(name) cannot be rounded to \(type.name)")
      }
      let divisor = power(scale - places)
      let limit = power(precision)
      var rounded = self
      for row in values.indices {
        rounded.values[row] = divide(values[row], by: divisor)
        guard rounded.values[row].magnitude < limit.magnitude else {
          throw TransformError("\(name) of row \(row) does not fit \(type.name)")
        }
      }
      rounded.scale = places
      rounded.precision = precision
      return rounded
    }

    func column() throws -> Column {
      try Column(
        type: .decimal(precision: precision, scale: scale), values: .decimal(values), validity: validity)
    }
  }

  /// Ten to a power from 0 to 38.
  static func power(_ exponent: Int) -> Int128 { (0..<exponent).reduce(1) { product, _ in product * 10 } }

  /// A quotient rounded half up, away from zero; the divisor is positive.
  static func divide(_ dividend: Int128, by divisor: Int128) -> Int128 {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    guard remainder.magnitude >= divisor.magnitude - remainder.magnitude else { return quotient }
    return quotient + (dividend < 0 ? -1 : 1)
  }
}
