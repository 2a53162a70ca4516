import TarnColumns
import TarnExpressions

/// What a file tells of the values of a column in a row group.
public struct ColumnStatistics: Sendable, Hashable {
  /// Number of nulls, where the file tells it.
  public var nullCount: Int?
  /// A value that none is below, where the file tells one.
  public var minimum: Value?
  /// A value that none is above, where the file tells one.
  public var maximum: Value?

  /// Makes statistics of their parts.
  public init(nullCount: Int?, minimum: Value?, maximum: Value?) {
    self.nullCount = nullCount
    self.minimum = minimum
    self.maximum = maximum
  }

  /// A bound of values, by their layout in memory.
  public enum Value: Sendable, Hashable {
    case boolean(Bool)
    /// Integers, dates, and timestamps in the column's unit.
    case integer(Int64)
    case decimal(Int128)
    case number(Double)
    /// Strings and binary; possibly cut short, yet still a bound.
    case bytes([UInt8])
  }
}

extension ColumnStatistics {
  /// Whether the parts cannot all be true of so many values.
  func contradicts(values: Int, of leaf: LeafColumn) -> Bool {
    guard let nullCount else { return false }
    if nullCount > values || leaf.greatestDefinition == 0 && nullCount > 0 { return true }
    return nullCount == values && (minimum != nil || maximum != nil)
  }
}

extension ParquetFile {
  /// Bounds and null count of a flat column in a row group; nil where the file has none.
  ///
  /// Left out is what may not be relied on: bounds whose order the format does not define, as those of geometries and
  /// of files without `column_orders`, and what is damaged or contradicts itself.
  public func statistics(group: Int, column: Int) -> ColumnStatistics? {
    guard metadata.groups.indices.contains(group), nodes.indices.contains(column) else { return nil }
    guard let leaf = nodes[column].flatLeaf,
      let stored = metadata.groups[group].columns[leaf.chunk].statistics
    else { return nil }
    return Self.statistics(stored, leaf, values: metadata.groups[group].columns[leaf.chunk].valueCount)
  }

  /// What the statistics of so many values tell, as far as it may be relied on.
  ///
  /// Without the footer's `column_orders`, the format gives `min_value` and `max_value` no meaning; `min` and `max` are
  /// ordered by sign. Parts that contradict each other tell nothing.
  static func statistics(
    _ stored: ChunkStatistics, _ leaf: LeafColumn, values: Int
  ) -> ColumnStatistics {
    let takesLegacy = takesLegacyBounds(leaf)
    let (minimum, maximum) = bounds(
      (leaf.hasOrderOfType ? stored.minimum : nil) ?? (takesLegacy ? stored.legacyMinimum : nil),
      (leaf.hasOrderOfType ? stored.maximum : nil) ?? (takesLegacy ? stored.legacyMaximum : nil), leaf)
    let result = ColumnStatistics(
      nullCount: stored.nullCount.flatMap { $0 >= 0 ? $0 : nil }, minimum: minimum, maximum: maximum)
    return result.contradicts(values: values, of: leaf)
      ? ColumnStatistics(nullCount: nil, minimum: nil, maximum: nil) : result
  }

  /// Whether the older fields bound a leaf's values: they were ordered by signed comparison, which is right
  /// for plain numbers only.
  static func takesLegacyBounds(_ leaf: LeafColumn) -> Bool {
    switch leaf.physical {
    case .int32, .int64, .float, .double: leaf.order == .signed
    default: false
    }
  }

  /// Bounds of values; none where the format does not define the order, or one of them is none or beyond the other.
  static func bounds(
    _ minimum: [UInt8]?, _ maximum: [UInt8]?, _ leaf: LeafColumn
  ) -> (minimum: ColumnStatistics.Value?, maximum: ColumnStatistics.Value?) {
    guard leaf.order != .undefined else { return (nil, nil) }
    let least = minimum.flatMap { bound($0, leaf, isMaximum: false) }
    let greatest = maximum.flatMap { bound($0, leaf, isMaximum: true) }
    if minimum != nil && least == nil || maximum != nil && greatest == nil { return (nil, nil) }
    if let least, let greatest, greatest.isLess(least) { return (nil, nil) }
    return (least, greatest)
  }

  /// What a bound stands for; nil where it is none of the leaf's values.
  static func bound(_ bytes: [UInt8], _ leaf: LeafColumn, isMaximum: Bool) -> ColumnStatistics.Value? {
    func number<T: FixedWidthInteger>(_ type: T.Type) -> T? {
      guard bytes.count == MemoryLayout<T>.size else { return nil }
      return bytes.reversed().reduce(0) { $0 << 8 | T(truncatingIfNeeded: $1) }
    }
    switch (leaf.physical, leaf.conversion) {
    case (.boolean, _): return bytes.count == 1 ? .boolean(bytes[0] != 0) : nil
    // Values beyond the type are cut when they are read, so that such bounds bound nothing.
    case (.int32, .uint8):
      return number(UInt32.self).flatMap { UInt8(exactly: $0) }.map { .integer(Int64($0)) }
    case (.int32, .uint16):
      return number(UInt32.self).flatMap { UInt16(exactly: $0) }.map { .integer(Int64($0)) }
    case (.int32, .int8): return number(Int32.self).flatMap { Int8(exactly: $0) }.map { .integer(Int64($0)) }
    case (.int32, .int16):
      return number(Int32.self).flatMap { Int16(exactly: $0) }.map { .integer(Int64($0)) }
    case (.int32, .uint32): return number(UInt32.self).map { .integer(Int64($0)) }
    case (.int32, .decimal): return number(Int32.self).map { .decimal(Int128($0)) }
    case (.int32, .milliseconds): return number(Int32.self).map { .integer(Int64($0) * 1_000) }
    case (.int32, _): return number(Int32.self).map { .integer(Int64($0)) }
    case (.int64, .uint64): return number(UInt64.self).map { .decimal(Int128($0)) }
    case (.int64, .decimal): return number(Int64.self).map { .decimal(Int128($0)) }
    case (.int64, .nanoseconds):
      return number(Int64.self).map {
        let floor = CivilTime.floorDivide($0, 1_000)
        return .integer(isMaximum && $0 % 1_000 != 0 ? floor + 1 : floor)
      }
    case (.int64, _): return number(Int64.self).map { .integer($0) }
    case (.float, _): return real(number(UInt32.self).map { Double(Float(bitPattern: $0)) })
    case (.double, _): return real(number(UInt64.self).map { Double(bitPattern: $0) })
    case (.int96, _): return nil
    case (.byteArray, .decimal), (.fixedByteArray, .decimal):
      return bytes.isEmpty ? nil : Conversions.decimal(bytes.span).map { .decimal($0) }
    case (.fixedByteArray, .float16):
      return real(number(UInt16.self).map { Double(HalfLoader.float($0)) })
    case (.fixedByteArray, .uuid):
      guard bytes.count == 16 else { return nil }
      var text: [UInt8] = []
      Conversions.appendUUID(bytes[...], to: &text)
      return .bytes(text)
    case (.byteArray, _), (.fixedByteArray, _): return .bytes(bytes)
    }
  }

  /// A bound that is no number bounds nothing.
  private static func real(_ value: Double?) -> ColumnStatistics.Value? {
    value.flatMap { $0.isNaN ? nil : .number($0) }
  }
}

extension ParquetFile {
  /// What the footer tells of a column in a row group, as values of a type; nil where it tells nothing.
  package func bounds(group: Int, column: Int, as type: DataType) -> ColumnBounds? {
    guard let statistics = statistics(group: group, column: column) else { return nil }
    return bounds(
      column, type, [PageStatistics(rows: 0..<rowCount(inGroup: group), values: statistics, isAllNull: false)]
    )
  }

  /// What the page index tells of a column in the pages of a row group; nil where there is none, or a single page.
  ///
  /// - Throws: ``ParquetError`` where the page index cannot be read.
  package func pageBounds(
    group: Int, column: Int, as type: DataType
  ) async throws(ParquetError) -> ColumnBounds? {
    guard let pages = try await pageStatistics(group: group, column: column), pages.count > 1 else {
      return nil
    }
    return bounds(column, type, pages)
  }

  private func bounds(_ column: Int, _ type: DataType, _ parts: [PageStatistics]) -> ColumnBounds {
    func values(_ bounds: [ColumnStatistics.Value?]) -> Column? {
      var builder = ColumnBuilder(schema.fields[column].type)
      for bound in bounds {
        if let bound, builder.append(bound) { continue }
        builder.appendNulls()
      }
      return try? builder.finish().converted(to: type)
    }
    return ColumnBounds(
      type,
      parts.map {
        ColumnBounds.Part(rows: $0.rows, nullCount: $0.values.nullCount, isAllNull: $0.isAllNull)
      }, least: values(parts.map(\.values.minimum)), greatest: values(parts.map(\.values.maximum)))
  }
}

extension ColumnBuilder {
  /// Appends a bound; false where it has another layout than the column, or is beyond it.
  fileprivate mutating func append(_ bound: ColumnStatistics.Value) -> Bool {
    switch (type, bound) {
    case (.boolean, .boolean(let value)): append(value)
    case (.int8, .integer(let value)):
      guard let value = Int8(exactly: value) else { return false }
      append(value)
    case (.int16, .integer(let value)):
      guard let value = Int16(exactly: value) else { return false }
      append(value)
    case (.int32, .integer(let value)), (.date, .integer(let value)):
      guard let value = Int32(exactly: value) else { return false }
      append(value)
    case (.int64, .integer(let value)), (.timestamp, .integer(let value)), (.time, .integer(let value)):
      append(value)
    case (.decimal, .decimal(let value)): append(value)
    case (.float, .number(let value)): append(Float(value))
    case (.double, .number(let value)): append(value)
    case (.string, .bytes(let value)), (.binary, .bytes(let value)):
      return (try? append(value.span.bytes)) != nil
    default: return false
    }
    return true
  }
}
