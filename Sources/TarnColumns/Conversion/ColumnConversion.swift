internal import TarnBytes

extension DataType {
  /// Whether every value of this type has an exact equal in another.
  public func widens(to wider: DataType) -> Bool {
    switch (self, wider) {
    case _ where self == wider: true
    case (.int8, .int16), (.int8, .int32), (.int8, .int64), (.int16, .int32), (.int16, .int64),
      (.int32, .int64), (.float, .double), (.int8, .float), (.int16, .float), (.int8, .double),
      (.int16, .double), (.int32, .double):
      true
    case (.int8, .decimal(let precision, let scale)): precision - scale >= 3
    case (.int16, .decimal(let precision, let scale)): precision - scale >= 5
    case (.int32, .decimal(let precision, let scale)): precision - scale >= 10
    case (.int64, .decimal(let precision, let scale)): precision - scale >= 19
    case (.decimal(let precision, let scale), .decimal(let widerPrecision, let widerScale)):
      widerScale >= scale && widerPrecision - widerScale >= precision - scale
    case (.timestamp(.milliseconds, let zone), .timestamp(.microseconds, let widerZone)): zone == widerZone
    case (.list(let element), .list(let wider)): element.type.widens(to: wider.type)
    case (.map(let key, let value), .map(let widerKey, let wider)):
      key.type.widens(to: widerKey.type) && value.type.widens(to: wider.type)
    case (.structure(let fields), .structure(let wider)):
      // Fields may be added, and none may go.
      fields.allSatisfy { field in
        wider.contains { $0.name == field.name && field.type.widens(to: $0.type) }
      }
    default: false
    }
  }
}

extension Column {
  /// The same values in a type that this one widens to; see ``DataType/widens(to:)``.
  ///
  /// - Throws: ``ColumnError`` where the type does not widen to the other, or a timestamp would overflow.
  public func converted(to wider: DataType) throws(ColumnError) -> Column {
    if type == wider { return self }
    guard type.widens(to: wider) else {
      throw ColumnError.typeMismatch(expected: wider.name, found: type.name)
    }
    switch (wider, values) {
    case (.list, _), (.map, _), (.structure, _): return try convertedWithin(wider)
    case (.double, .float(let list)):
      return Column(unchecked: wider, .double(list.map(Double.init)), validity)
    case (.double, _): return Column(unchecked: wider, .double(wholeNumbers.map(Double.init)), validity)
    case (.float, _): return Column(unchecked: wider, .float(wholeNumbers.map { Float($0) }), validity)
    case (.timestamp, .int64(let list)):
      var micros: [Int64] = []
      micros.reserveCapacity(list.count)
      for value in list {
        let (product, overflow) = value.multipliedReportingOverflow(by: 1_000)
        guard !overflow else {
          throw ColumnError.malformed("timestamp \(value) is beyond the range of microseconds")
        }
        micros.append(product)
      }
      return Column(unchecked: wider, .int64(micros), validity)
    case (.decimal(_, let scale), .decimal(let list)):
      guard case .decimal(_, let narrow) = type else { break }
      let factor = ExactDecimal.power(scale - narrow)
      return Column(unchecked: wider, .decimal(try Self.scaled(list, by: factor)), validity)
    case (.decimal(_, let scale), _):
      let factor = ExactDecimal.power(scale)
      return Column(unchecked: wider, .decimal(wholeNumbers.map { Int128($0) &* factor }), validity)
    case (.int16, _): return Column(unchecked: wider, .int16(wholeNumbers.map { Int16($0) }), validity)
    case (.int32, _): return Column(unchecked: wider, .int32(wholeNumbers.map { Int32($0) }), validity)
    case (.int64, _): return Column(unchecked: wider, .int64(wholeNumbers), validity)
    default: break
    }
    throw ColumnError.typeMismatch(expected: wider.name, found: type.name)
  }

  /// The same nested values with their parts converted; fields that are missing become null.
  private func convertedWithin(_ wider: DataType) throws(ColumnError) -> Column {
    switch (wider, type, values) {
    case (.list(let element), _, .list(let offsets, let elements)):
      return Column(
        unchecked: wider, .list(offsets: offsets, elements: try elements.converted(to: element.type)),
        validity)
    case (.map(let key, let value), _, .map(let offsets, let keys, let items)):
      return Column(
        unchecked: wider,
        .map(
          offsets: offsets, keys: try keys.converted(to: key.type),
          values: try items.converted(to: value.type)), validity)
    case (.structure(let fields), .structure(let mine), .structure(let columns, let count)):
      var converted: [Column] = []
      for field in fields {
        if let index = mine.firstIndex(where: { $0.name == field.name }) {
          converted.append(try columns[index].converted(to: field.type))
        } else {
          converted.append(Column(nulls: count, of: field.type))
        }
      }
      return Column(unchecked: wider, .structure(converted, count: count), validity)
    default: throw ColumnError.typeMismatch(expected: wider.name, found: type.name)
    }
  }

  /// The values of an integer column of at most 64 bits; empty for another.
  private var wholeNumbers: [Int64] {
    switch values {
    case .int8(let list): list.map(Int64.init)
    case .int16(let list): list.map(Int64.init)
    case .int32(let list): list.map(Int64.init)
    case .int64(let list): list
    default: []
    }
  }

  /// A local timestamp as an instant: the zone's offset is taken off each value.
  ///
  /// - Parameter utcOffset: The zone's offset from UTC at a local time, both in microseconds.
  /// - Throws: ``ColumnError`` where this is no local timestamp.
  public func asInstant(utcOffset: (Int64) -> Int64) throws(ColumnError) -> Column {
    guard case .timestamp(let unit, .local) = type, case .int64(let list) = values else {
      throw ColumnError.typeMismatch(expected: "timestamp without zone", found: type.name)
    }
    let perUnit = 1_000_000 / unit.perSecond
    var shifted: [Int64] = []
    shifted.reserveCapacity(list.count)
    for value in list {
      let (micros, isBeyond) = value.multipliedReportingOverflow(by: perUnit)
      let (instant, overflow) =
        isBeyond ? (0, true) : value.subtractingReportingOverflow(utcOffset(micros) / perUnit)
      guard !overflow else {
        throw ColumnError.malformed("timestamp \(value) is beyond the range of microseconds")
      }
      shifted.append(instant)
    }
    return Column(unchecked: .timestamp(unit, .instant), .int64(shifted), validity)
  }

  /// Decimals with more places; what a file holds may be beyond the precision that it declares.
  private static func scaled(_ list: [Int128], by factor: Int128) throws(ColumnError) -> [Int128] {
    var scaled: [Int128] = []
    scaled.reserveCapacity(list.count)
    for value in list {
      let (product, overflow) = value.multipliedReportingOverflow(by: factor)
      guard !overflow else {
        throw ColumnError.malformed("the decimal \(value) has more digits than its type")
      }
      scaled.append(product)
    }
    return scaled
  }
}
