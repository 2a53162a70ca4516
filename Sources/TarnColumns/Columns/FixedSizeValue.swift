/// A Swift type whose values are those of a column, each of one size: integers, floating-point numbers, and the
/// digits of decimals.
public protocol FixedSizeValue: AdditiveArithmetic, Sendable {
  /// The values of a column in this layout; nil for one in another.
  static func columnValues(in values: Column.Values) -> [Self]?
  /// A column's values of a list.
  static func columnValues(_ list: [Self]) -> Column.Values
}

extension Int8: FixedSizeValue {
  /// The values of a column of 8-bit integers.
  @inlinable
  public static func columnValues(in values: Column.Values) -> [Int8]? {
    if case .int8(let list) = values { list } else { nil }
  }

  /// A column's values of a list.
  @inlinable public static func columnValues(_ list: [Int8]) -> Column.Values { .int8(list) }
}

extension Int16: FixedSizeValue {
  /// The values of a column of 16-bit integers.
  @inlinable
  public static func columnValues(in values: Column.Values) -> [Int16]? {
    if case .int16(let list) = values { list } else { nil }
  }

  /// A column's values of a list.
  @inlinable public static func columnValues(_ list: [Int16]) -> Column.Values { .int16(list) }
}

extension Int32: FixedSizeValue {
  /// The values of a column of 32-bit integers or dates.
  @inlinable
  public static func columnValues(in values: Column.Values) -> [Int32]? {
    if case .int32(let list) = values { list } else { nil }
  }

  /// A column's values of a list.
  @inlinable public static func columnValues(_ list: [Int32]) -> Column.Values { .int32(list) }
}

extension Int64: FixedSizeValue {
  /// The values of a column of 64-bit integers, timestamps or times of the day.
  @inlinable
  public static func columnValues(in values: Column.Values) -> [Int64]? {
    if case .int64(let list) = values { list } else { nil }
  }

  /// A column's values of a list.
  @inlinable public static func columnValues(_ list: [Int64]) -> Column.Values { .int64(list) }
}

extension Int128: FixedSizeValue {
  /// The digits of a column of decimals.
  @inlinable
  public static func columnValues(in values: Column.Values) -> [Int128]? {
    if case .decimal(let list) = values { list } else { nil }
  }

  /// A column's values of a list.
  @inlinable public static func columnValues(_ list: [Int128]) -> Column.Values { .decimal(list) }
}

extension Float: FixedSizeValue {
  /// The values of a column of 32-bit floating-point numbers.
  @inlinable
  public static func columnValues(in values: Column.Values) -> [Float]? {
    if case .float(let list) = values { list } else { nil }
  }

  /// A column's values of a list.
  @inlinable public static func columnValues(_ list: [Float]) -> Column.Values { .float(list) }
}

extension Double: FixedSizeValue {
  /// The values of a column of 64-bit floating-point numbers.
  @inlinable
  public static func columnValues(in values: Column.Values) -> [Double]? {
    if case .double(let list) = values { list } else { nil }
  }

  /// A column's values of a list.
  @inlinable public static func columnValues(_ list: [Double]) -> Column.Values { .double(list) }
}
