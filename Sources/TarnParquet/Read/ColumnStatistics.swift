import TarnColumns

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

extension ParquetFile {
  /// Bounds and null count of a flat column in a row group; nil where the file has none.
  ///
  /// Bounds whose order the format did not define, or that are damaged, are left out.
  public func statistics(group: Int, column: Int) -> ColumnStatistics? {
    guard metadata.groups.indices.contains(group), nodes.indices.contains(column) else { return nil }
    guard let leaf = nodes[column].flatLeaf,
      let stored = metadata.groups[group].columns[leaf.chunk].statistics
    else { return nil }
    return Self.statistics(stored, leaf)
  }

  static func statistics(_ stored: ChunkStatistics, _ leaf: LeafColumn) -> ColumnStatistics {
    let takesLegacy = takesLegacyBounds(leaf)
    let minimum = stored.minimum ?? (takesLegacy ? stored.legacyMinimum : nil)
    let maximum = stored.maximum ?? (takesLegacy ? stored.legacyMaximum : nil)
    return ColumnStatistics(
      nullCount: stored.nullCount.flatMap { $0 >= 0 ? $0 : nil },
      minimum: minimum.flatMap { bound($0, leaf, isMaximum: false) },
      maximum: maximum.flatMap { bound($0, leaf, isMaximum: true) })
  }

  /// Whether the older fields bound a leaf's values: they were ordered by signed comparison, which is right
  /// for plain numbers only.
  static func takesLegacyBounds(_ leaf: LeafColumn) -> Bool {
    switch leaf.physical {
    case .int32, .int64, .float, .double: ![.uint8, .uint16, .uint32, .uint64].contains(leaf.conversion)
    default: false
    }
  }

  static func bound(_ bytes: [UInt8], _ leaf: LeafColumn, isMaximum: Bool) -> ColumnStatistics.Value? {
    func number<T: FixedWidthInteger>(_ type: T.Type) -> T? {
      guard bytes.count == MemoryLayout<T>.size else { return nil }
      return bytes.reversed().reduce(0) { $0 << 8 | T(truncatingIfNeeded: $1) }
    }
    switch (leaf.physical, leaf.conversion) {
    case (.boolean, _): return bytes.count == 1 ? .boolean(bytes[0] != 0) : nil
    case (.int32, .uint8), (.int32, .uint16), (.int32, .uint32):
      return number(UInt32.self).map { .integer(Int64($0)) }
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
      return Conversions.decimal(bytes.span).map { .decimal($0) }
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
