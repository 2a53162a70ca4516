/// The type of a column's values.
///
/// The values lie in memory as Arrow lays them out; ``Column`` says how each type does.
public indirect enum DataType: Sendable, Hashable {
  /// True or false, a bit each.
  case boolean
  /// Signed integers of 8 to 64 bits.
  case int8, int16, int32, int64
  /// IEEE 754 numbers of 32 and 64 bits.
  case float, double
  /// A decimal number of at most 38 digits, `scale` of them behind the point; an `Int128` each.
  case decimal(precision: Int, scale: Int)
  /// UTF-8 text.
  case string
  /// Bytes.
  case binary
  /// Days since 1970-01-01.
  case date
  /// Microseconds since midnight.
  case time
  /// A count of units since 1970-01-01T00:00:00, an instant in UTC or a local time without zone.
  case timestamp(TimeUnit, TimeZoneKind)
  /// Any number of values of one type.
  case list(Field)
  /// Named values.
  case structure([Field])
  /// Values under keys.
  case map(key: Field, value: Field)

  /// The greatest number of digits of a decimal.
  public static let greatestPrecision = 38

  /// Whether values hold other values.
  public var isNested: Bool {
    switch self {
    case .list, .structure, .map: true
    default: false
    }
  }

  /// The name users know it by, such as `decimal(10,2)`.
  public var name: String {
    switch self {
    case .boolean: "boolean"
    case .int8: "int8"
    case .int16: "int16"
    case .int32: "int"
    case .int64: "long"
    case .float: "float"
    case .double: "double"
    case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
    case .string: "string"
    case .binary: "binary"
    case .date: "date"
    case .time: "time"
    case .timestamp(let unit, .instant): unit == .microseconds ? "timestamp" : "timestamp(millis)"
    case .timestamp(let unit, .local):
      unit == .microseconds ? "timestamp without zone" : "timestamp(millis) without zone"
    case .list(let element): "list<\(element.type.name)>"
    case .structure(let fields):
      "struct<" + fields.map { "\($0.name): \($0.type.name)" }.joined(separator: ", ") + ">"
    case .map(let key, let value): "map<\(key.type.name), \(value.type.name)>"
    }
  }
}

extension DataType {
  /// The flat type of a name, as ``name`` has it, such as `long` or `decimal(10,2)`; nil where there is none.
  public init?(name: String) {
    let flat: [DataType] = [
      .boolean, .int8, .int16, .int32, .int64, .float, .double, .string, .binary, .date, .time,
      .timestamp(.microseconds, .instant), .timestamp(.milliseconds, .instant),
      .timestamp(.microseconds, .local), .timestamp(.milliseconds, .local),
    ]
    let text = name.filter { $0 != " " }
    if let type = flat.first(where: { $0.name.filter { $0 != " " } == text }) {
      self = type
      return
    }
    guard text.hasPrefix("decimal("), text.hasSuffix(")") else { return nil }
    let digits = text.dropFirst("decimal(".count).dropLast().split(
      separator: ",", omittingEmptySubsequences: false)
    guard digits.count == 2, let precision = Int(digits[0]), let scale = Int(digits[1]),
      (1...Self.greatestPrecision).contains(precision), (0...precision).contains(scale)
    else { return nil }
    self = .decimal(precision: precision, scale: scale)
  }
}

/// The unit of a timestamp.
public enum TimeUnit: Sendable, Hashable {
  case milliseconds, microseconds

  /// How many there are in a second.
  public var perSecond: Int64 { self == .milliseconds ? 1_000 : 1_000_000 }
}

/// What a timestamp means.
public enum TimeZoneKind: Sendable, Hashable {
  /// A point in time, counted in UTC.
  case instant
  /// What a clock on some wall shows.
  case local
}

/// A column's name and type.
public struct Field: Sendable, Hashable {
  /// The name.
  public var name: String
  /// The type.
  public var type: DataType
  /// Whether values may be null.
  public var isNullable: Bool

  /// Makes a field.
  public init(_ name: String, _ type: DataType, isNullable: Bool = true) {
    self.name = name
    self.type = type
    self.isNullable = isNullable
  }
}

/// The columns of a batch, a file or a table, in order.
public struct Schema: Sendable, Hashable {
  /// The columns.
  public var fields: [Field]

  /// Makes a schema.
  public init(_ fields: [Field]) { self.fields = fields }

  /// The position of a column; nil where there is none of that name.
  public func index(of name: String) -> Int? { fields.firstIndex { $0.name == name } }

  /// The positions of many columns, nil for those that are not there: each look through a schema of thousands of columns
  /// would be thousands of comparisons.
  public func positions(of names: [String]) -> [Int?] {
    var known: [String: Int]?
    return names.enumerated().map { number, name in
      // Mostly the order is the same.
      if number < fields.count, fields[number].name == name { return number }
      if let known { return known[name] }
      let found = [String: Int](
        fields.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
      known = found
      return found[name]
    }
  }

  /// The column of a name.
  public subscript(_ name: String) -> Field? { index(of: name).map { fields[$0] } }

  /// The names in order.
  public var names: [String] { fields.map(\.name) }
}
