import TarnColumns

extension SchemaElement {
  /// How a field is stored; nil for a type that is not written yet.
  ///
  /// Both the logical and the older converted type are given, since readers look at either.
  init?(writing field: Field) {
    name = field.name
    repetition = field.isNullable ? .optional : .required
    switch field.type {
    case .boolean: physical = .boolean
    case .int8: annotate(.int32, .integer(bits: 8, isSigned: true), .int8)
    case .int16: annotate(.int32, .integer(bits: 16, isSigned: true), .int16)
    case .int32: physical = .int32
    case .int64: physical = .int64
    case .float: physical = .float
    case .double: physical = .double
    case .decimal(let digits, let scale):
      guard digits > 0, digits <= DataType.greatestPrecision, scale >= 0, scale <= digits else { return nil }
      annotate(.fixedByteArray, .decimal(precision: digits, scale: scale), .decimal)
      byteLength = Self.decimalByteLength(digits)
      precision = digits
      self.scale = scale
    case .string: annotate(.byteArray, .string, .utf8)
    case .binary: physical = .byteArray
    case .date: annotate(.int32, .date, .date)
    case .time: annotate(.int64, .time(isAdjustedToUTC: true, unit: .microseconds), .timeMicros)
    case .timestamp(let unit, let zone):
      let isInstant = zone == .instant
      let isMillis = unit == .milliseconds
      // The converted type always means an instant.
      annotate(
        .int64,
        .timestamp(isAdjustedToUTC: isInstant, unit: isMillis ? .milliseconds : .microseconds),
        isInstant ? (isMillis ? .timestampMillis : .timestampMicros) : nil)
    case .list, .structure, .map: return nil
    }
  }

  private mutating func annotate(
    _ physical: PhysicalType, _ logical: LogicalType, _ converted: ConvertedType?
  ) {
    self.physical = physical
    self.logical = logical
    self.converted = converted
  }

  /// The least number of bytes which hold every decimal of so many digits with its sign.
  static func decimalByteLength(_ digits: Int) -> Int {
    let greatest = powerOfTen(digits) - 1
    var length = 1
    while length < 16, greatest >> (8 * length - 1) != 0 { length += 1 }
    return length
  }

  /// Ten to a power of at most 38.
  static func powerOfTen(_ exponent: Int) -> Int128 {
    (0..<exponent).reduce(1) { power, _ in power * 10 }
  }
}
