import TarnColumns

/// The least and the greatest of values that were read.
struct ValueBounds {
  typealias Value = ColumnStatistics.Value

  var minimum: Value
  var maximum: Value

  /// The bounds of a leaf's values; nil where there are none, nulls and NaN aside.
  init?(_ column: Column) {
    let found: (Value, Value)? =
      switch column.values {
      case .boolean(let bits):
        Self.bounds((0..<column.count).map { bits[$0] ? 1 : 0 }, column) { .boolean($0 != 0) }
      case .int8(let values): Self.bounds(values, column) { .integer(Int64($0)) }
      case .int16(let values): Self.bounds(values, column) { .integer(Int64($0)) }
      case .int32(let values): Self.bounds(values, column) { .integer(Int64($0)) }
      case .int64(let values): Self.bounds(values, column) { .integer($0) }
      case .float(let values): Self.bounds(values, column) { .number(Double($0)) }
      case .double(let values): Self.bounds(values, column) { .number($0) }
      case .decimal(let values): Self.bounds(values, column) { .decimal($0) }
      case .bytes(let strings): Self.bounds(strings, column) { $0 }
      case .dictionary(let strings): Self.bounds(strings.entries.strings, column, strings.position)
      case .list, .structure, .map: nil
      }
    guard let (least, greatest) = found else { return nil }
    minimum = least
    maximum = greatest
  }

  private static func bounds<T: Comparable>(
    _ values: [T], _ column: Column, _ make: (T) -> Value
  ) -> (Value, Value)? {
    var bounds: (least: T, greatest: T)?
    for row in values.indices where !column.isNull(row) {
      let value = values[row]
      // NaN is not in the order.
      guard value == value else { continue }
      guard let found = bounds else {
        bounds = (value, value)
        continue
      }
      if value < found.least { bounds?.least = value }
      if found.greatest < value { bounds?.greatest = value }
    }
    return bounds.map { (make($0.least), make($0.greatest)) }
  }

  private static func bounds(
    _ strings: ByteStrings, _ column: Column, _ position: (Int) -> Int
  ) -> (Value, Value)? {
    var bounds: (least: Int, greatest: Int)?
    for row in 0..<column.count where !column.isNull(row) {
      let place = position(row)
      guard let found = bounds else {
        bounds = (place, place)
        continue
      }
      if place == found.least || place == found.greatest { continue }
      if strings.precedes(place, strings, found.least) { bounds?.least = place }
      if strings.precedes(found.greatest, strings, place) { bounds?.greatest = place }
    }
    func value(_ row: Int) -> Value { .bytes(Array(strings.bytes[strings.range(row)])) }
    return bounds.map { (value($0.least), value($0.greatest)) }
  }

  /// Takes further values in.
  mutating func join(_ other: ValueBounds) {
    if other.minimum.isLess(minimum) { minimum = other.minimum }
    if maximum.isLess(other.maximum) { maximum = other.maximum }
  }
}

extension ColumnStatistics.Value {
  /// Whether a bound is below another of its kind; one of another kind is not.
  func isLess(_ other: ColumnStatistics.Value) -> Bool {
    switch (self, other) {
    case (.boolean(let a), .boolean(let b)): !a && b
    case (.integer(let a), .integer(let b)): a < b
    case (.decimal(let a), .decimal(let b)): a < b
    case (.number(let a), .number(let b)): a < b
    case (.bytes(let a), .bytes(let b)): a.lexicographicallyPrecedes(b)
    default: false
    }
  }
}
