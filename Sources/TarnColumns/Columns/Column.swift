internal import TarnBytes

/// Values of one type, some of which may be null, in Arrow's layout.
///
/// In a null's place stands zero, or an empty string. Without a validity bitmap no value is null.
public struct Column: Sendable {
  /// The type.
  public let type: DataType
  /// A bit a value, set where it is not null; nil where none is null.
  public internal(set) var validity: Bitmap?
  /// The values.
  public internal(set) var values: Values

  /// The values, by their layout in memory.
  public enum Values: Sendable {
    case boolean(Bitmap)
    case int8([Int8])
    case int16([Int16])
    /// Integers of 32 bits, and dates.
    case int32([Int32])
    /// Integers of 64 bits, timestamps, and times of the day.
    case int64([Int64])
    case float([Float])
    case double([Double])
    case decimal([Int128])
    /// Strings and binary.
    case bytes(ByteStrings)
    /// Strings and binary as positions in a dictionary: only where a reader was asked to keep it.
    case dictionary(DictionaryStrings)
    /// Lists: where each begins among the elements, and at last where the last ends.
    indirect case list(offsets: [Int32], elements: Column)
    /// A column a field.
    case structure([Column], count: Int)
    /// Maps: as lists, of keys and values.
    indirect case map(offsets: [Int32], keys: Column, values: Column)

    /// Number of values.
    public var count: Int {
      switch self {
      case .boolean(let bits): bits.count
      case .int8(let values): values.count
      case .int16(let values): values.count
      case .int32(let values): values.count
      case .int64(let values): values.count
      case .float(let values): values.count
      case .double(let values): values.count
      case .decimal(let values): values.count
      case .bytes(let strings): strings.count
      case .dictionary(let strings): strings.count
      case .list(let offsets, _), .map(let offsets, _, _): max(offsets.count - 1, 0)
      case .structure(_, let count): count
      }
    }
  }

  /// Makes a column of its parts.
  ///
  /// - Throws: ``ColumnError`` where the layout is not that of the type, or the validity has another length.
  public init(type: DataType, values: Values, validity: Bitmap? = nil) throws(ColumnError) {
    guard Self.layoutFits(type, values) else {
      throw ColumnError.typeMismatch(expected: type.name, found: "another layout")
    }
    try Self.checkParts(type, values)
    if let validity, validity.count != values.count {
      throw ColumnError.malformed("\(validity.count) validity bits for \(values.count) values")
    }
    self.type = type
    self.values = values
    self.validity = validity.flatMap { $0.isAllSet ? nil : $0 }
  }

  init(unchecked type: DataType, _ values: Values, _ validity: Bitmap?) {
    self.type = type
    self.values = values
    self.validity = validity
  }

  static func layoutFits(_ type: DataType, _ values: Values) -> Bool {
    switch (type, values) {
    case (.boolean, .boolean), (.int8, .int8), (.int16, .int16), (.int32, .int32), (.date, .int32),
      (.int64, .int64), (.timestamp, .int64), (.time, .int64), (.float, .float), (.double, .double),
      (.decimal, .decimal), (.string, .bytes), (.binary, .bytes), (.string, .dictionary),
      (.binary, .dictionary), (.list, .list),
      (.structure, .structure), (.map, .map):
      true
    default: false
    }
  }

  /// Checks the columns within a nested column: their types, lengths and offsets.
  private static func checkParts(_ type: DataType, _ values: Values) throws(ColumnError) {
    switch (type, values) {
    case (.list(let field), .list(let offsets, let elements)):
      try check([field], [elements])
      try check(offsets, of: elements)
    case (.map(let key, let value), .map(let offsets, let keys, let items)):
      try check([key, value], [keys, items])
      guard keys.count == items.count else {
        throw ColumnError.malformed("\(keys.count) keys for \(items.count) values of maps")
      }
      try check(offsets, of: keys)
    case (.structure(let fields), .structure(let columns, let count)):
      try check(fields, columns)
      for (field, column) in zip(fields, columns) where column.count != count {
        throw ColumnError.malformed("field \(field.name) has \(column.count) values, not \(count)")
      }
    default: break
    }
  }

  private static func check(_ fields: [Field], _ columns: [Column]) throws(ColumnError) {
    guard fields.map(\.type) == columns.map(\.type) else {
      throw ColumnError.typeMismatch(
        expected: fields.map(\.type.name).joined(separator: ", "),
        found: columns.map(\.type.name).joined(separator: ", "))
    }
  }

  private static func check(_ offsets: [Int32], of elements: Column) throws(ColumnError) {
    guard offsets.first == 0, let last = offsets.last, Int(last) <= elements.count else {
      throw ColumnError.malformed("offsets do not lie among \(elements.count) elements")
    }
    for index in offsets.indices.dropFirst() where offsets[index] < offsets[index - 1] {
      throw ColumnError.malformed("offsets fall at \(index)")
    }
  }

  /// A column that repeats one string.
  ///
  /// - Throws: ``ColumnError`` where it would pass 2 GiB.
  public init(repeating string: String, count: Int) throws(ColumnError) {
    var strings = ByteStrings()
    let bytes = Array(string.utf8)
    strings.reserve(strings: count, bytes: bytes.count * count)
    for _ in 0..<count { try strings.append(bytes.span.bytes) }
    self.init(unchecked: .string, .bytes(strings), nil)
  }

  /// Number of values, nulls among them.
  public var count: Int { values.count }

  /// Whether a value is null; the index must be below ``count``.
  @inlinable
  public func isNull(_ index: Int) -> Bool {
    guard let validity else { return false }
    return !validity[index]
  }

  /// Number of nulls.
  public var nullCount: Int { validity.map { $0.count - $0.setCount } ?? 0 }

  /// The strings of a string or binary column; nil for another type.
  ///
  /// Strings that are positions in a dictionary are copied, and nil where they would pass 2 GiB so.
  public var strings: ByteStrings? {
    switch values {
    case .bytes(let strings): strings
    case .dictionary(let strings): try? strings.plain()
    default: nil
    }
  }

  /// About how many bytes of memory the values take.
  public var byteCount: Int {
    let nulls = validity == nil ? 0 : count / 8
    return switch values {
    case .boolean: nulls + count / 8
    case .int8: nulls + count
    case .int16: nulls + count * 2
    case .int32, .float: nulls + count * 4
    case .int64, .double: nulls + count * 8
    case .decimal: nulls + count * 16
    case .bytes(let strings): nulls + strings.bytes.count + count * 4
    case .dictionary(let strings):
      nulls + count * 4 + strings.entries.strings.bytes.count + strings.entries.strings.count * 4
    case .list(_, let elements): nulls + count * 4 + elements.byteCount
    case .structure(let columns, _): columns.reduce(nulls) { $0 + $1.byteCount }
    case .map(_, let keys, let values): nulls + count * 4 + keys.byteCount + values.byteCount
    }
  }
}
