import TarnColumns

/// A column as a file stores it, at the end of a path of nested fields.
struct WrittenLeaf: Sendable {
  var element: SchemaElement
  var type: DataType
  /// Names from the schema's root on.
  var path: [String]
  /// Levels of a value that is there, and of one in the deepest list.
  var greatestDefinition: Int
  var greatestRepetition: Int

  var name: String { path.joined(separator: ".") }
}

/// A field of a schema as a file stores it: its part of the schema's tree, depth first, and its leaves.
struct WrittenField: Sendable {
  private(set) var elements: [SchemaElement] = []
  private(set) var leaves: [WrittenLeaf] = []

  /// The deepest nesting that is written; levels stay far below what a page can hold.
  static let greatestDepth = 64

  /// Nil for a type that cannot be stored: a decimal of no digits, a structure of no fields.
  init?(_ field: Field) {
    guard add(field, named: field.name, path: [], definition: 0, repetition: 0, depth: 0) else { return nil }
  }

  /// Lists and maps have the standard three levels, which all readers know.
  private mutating func add(
    _ field: Field, named name: String, path: [String], definition: Int, repetition: Int, depth: Int,
    isNullable: Bool? = nil
  ) -> Bool {
    guard depth <= Self.greatestDepth else { return false }
    let isNullable = isNullable ?? field.isNullable
    let path = path + [name]
    let definition = definition + (isNullable ? 1 : 0)
    func addGroup(_ children: [(Field, String, Bool)], _ path: [String], _ levels: Int) -> Bool {
      children.allSatisfy { child, name, isNullable in
        add(
          child, named: name, path: path, definition: definition + levels, repetition: repetition + levels,
          depth: depth + 1, isNullable: isNullable)
      }
    }
    switch field.type {
    case .list(let element):
      elements.append(.group(name, isNullable, 1, .list, .list))
      elements.append(.repeated("list", 1))
      return addGroup([(element, "element", element.isNullable)], path + ["list"], 1)
    case .map(let key, let value):
      elements.append(.group(name, isNullable, 1, .map, .map))
      elements.append(.repeated("key_value", 2))
      return addGroup(
        [(key, "key", false), (value, "value", value.isNullable)], path + ["key_value"], 1)
    case .structure(let fields):
      guard !fields.isEmpty, Set(fields.map(\.name)).count == fields.count else { return false }
      elements.append(.group(name, isNullable, fields.count, nil, nil))
      return addGroup(fields.map { ($0, $0.name, $0.isNullable) }, path, 0)
    default:
      guard let element = SchemaElement(writing: Field(name, field.type, isNullable: isNullable)) else {
        return false
      }
      elements.append(element)
      leaves.append(
        WrittenLeaf(
          element: element, type: field.type, path: path, greatestDefinition: definition,
          greatestRepetition: repetition))
      return true
    }
  }
}

extension SchemaElement {
  fileprivate static func group(
    _ name: String, _ isNullable: Bool, _ children: Int, _ logical: LogicalType?, _ converted: ConvertedType?
  ) -> SchemaElement {
    var element = SchemaElement()
    element.name = name
    element.repetition = isNullable ? .optional : .required
    element.childCount = children
    element.logical = logical
    element.converted = converted
    return element
  }

  fileprivate static func repeated(_ name: String, _ children: Int) -> SchemaElement {
    var element = group(name, false, children, nil, nil)
    element.repetition = .repeated
    return element
  }

  /// How a field without children is stored; nil for one that has some, or that the format cannot hold.
  ///
  /// Both the logical and the older converted type are given, since readers look at either.
  fileprivate init?(writing field: Field) {
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
