import TarnBytes
import TarnColumns

extension AvroSchema {
  /// Parses the schema of records into columns.
  ///
  /// Taken are both orders of a union with null, decimals as bytes or fixed, enumerations and UUIDs as
  /// strings, and references to types by name. Members that mean nothing to a column (documentation,
  /// aliases, defaults) are passed over.
  ///
  /// - Throws: ``AvroError``, which names the field.
  package static func parse(_ text: String) throws(AvroError) -> Schema { try parse(Array(text.utf8)) }

  /// Parses the schema of records, as UTF-8 JSON, into columns; see ``parse(_:)-(String)``.
  package static func parse(_ bytes: [UInt8]) throws(AvroError) -> Schema {
    let json: JSONValue
    do { json = try JSONValue(parsing: bytes) } catch {
      throw AvroError(.malformed, field: "", "not JSON: \(error.description)")
    }
    var parser = AvroSchemaParser()
    let field = try parser.field("", json, namespace: "", at: "")
    guard case .structure(let fields) = field.type, !field.isNullable else {
      throw AvroError(.malformed, field: "", "the top level must be a record, and is \(field.type.name)")
    }
    return Schema(fields)
  }
}

/// Turns a schema's JSON into types, and remembers the types that have names.
struct AvroSchemaParser {
  /// Types by full name, with the number of fields they hold in all.
  var named: [String: (type: DataType, fieldCount: Int)] = [:]
  /// Names of the records that are being parsed, so that one that holds itself is told.
  var open: Set<String> = []
  /// Fields so far, those of references included: they must not multiply beyond sense.
  var fieldCount = 0
  static let fieldLimit = 100_000

  /// A type in the place of a field: its union with null is the field's nullability.
  mutating func field(
    _ name: String, _ json: JSONValue, namespace: String, at path: String
  ) throws(AvroError) -> Field {
    guard case .array(let branches) = json else {
      return Field(name, try type(json, namespace: namespace, at: path), isNullable: false)
    }
    let bare = branches.filter { $0.string != "null" && $0["type"]?.string != "null" }
    guard bare.count == 1, branches.count <= 2, let only = bare.first else {
      throw AvroError(
        .unsupported, field: path,
        "a union of \(branches.count) types; a column takes one type, or null and one type")
    }
    return Field(name, try type(only, namespace: namespace, at: path), isNullable: branches.count == 2)
  }

  mutating func type(
    _ json: JSONValue, namespace: String, at path: String
  ) throws(AvroError) -> DataType {
    switch json {
    case .string(let name): return try primitive(name, json: nil, namespace: namespace, at: path)
    case .object:
      guard let inner = json["type"] else {
        throw AvroError(.malformed, field: path, "a type without \"type\"")
      }
      guard let name = inner.string else { return try type(inner, namespace: namespace, at: path) }
      return try complex(name, json, namespace: namespace, at: path)
    case .array: throw AvroError(.unsupported, field: path, "a union within a union or at the top level")
    default: throw AvroError(.malformed, field: path, "a type is a name, an object or a union")
    }
  }

  mutating func complex(
    _ name: String, _ json: JSONValue, namespace: String, at path: String
  ) throws(AvroError) -> DataType {
    switch name {
    case "record", "error": return try record(json, namespace: namespace, at: path)
    case "enum":
      return try remember(.string, json, namespace: namespace, at: path)
    case "fixed":
      guard let size = json["size"]?.integer, size >= 0 else {
        throw AvroError(.malformed, field: path, "a fixed type without a size")
      }
      let type = json["logicalType"]?.string == "decimal" ? try decimal(json, at: path) : .binary
      return try remember(type, json, namespace: namespace, at: path)
    case "array":
      guard let items = json["items"] else {
        throw AvroError(.malformed, field: path, "an array without \"items\"")
      }
      return .list(try field("element", items, namespace: namespace, at: path + ".element"))
    case "map":
      guard let values = json["values"] else {
        throw AvroError(.malformed, field: path, "a map without \"values\"")
      }
      return .map(
        key: Field("key", .string, isNullable: false),
        value: try field("value", values, namespace: namespace, at: path + ".value"))
    default: return try primitive(name, json: json, namespace: namespace, at: path)
    }
  }

  mutating func primitive(
    _ name: String, json: JSONValue?, namespace: String, at path: String
  ) throws(AvroError) -> DataType {
    let logicalType = json?["logicalType"]?.string
    switch (name, logicalType) {
    case ("int", "time-millis"):
      throw AvroError(.unsupported, field: path, "the logical type time-millis; use time-micros")
    case ("long", "time-micros"): return .time
    case ("int", "date"): return .date
    case ("long", "timestamp-millis"): return .timestamp(.milliseconds, .instant)
    case ("long", "timestamp-micros"): return .timestamp(.microseconds, .instant)
    case ("long", "local-timestamp-millis"): return .timestamp(.milliseconds, .local)
    case ("long", "local-timestamp-micros"): return .timestamp(.microseconds, .local)
    case ("bytes", "decimal"): return try decimal(json ?? .null, at: path)
    case ("boolean", _): return .boolean
    case ("int", _): return .int32
    case ("long", let logical?) where logical.hasSuffix("timestamp-nanos"):
      throw AvroError(.unsupported, field: path, "the logical type \(logical); use microseconds")
    case ("long", _): return .int64
    case ("float", _): return .float
    case ("double", _): return .double
    case ("string", _): return .string
    case ("bytes", _): return .binary
    case ("null", _): throw AvroError(.unsupported, field: path, "a column that is always null")
    default: return try reference(name, namespace: namespace, at: path)
    }
  }

  mutating func reference(
    _ name: String, namespace: String, at path: String
  ) throws(AvroError) -> DataType {
    let fullName = name.contains(".") || namespace.isEmpty ? name : namespace + "." + name
    if let known = named[fullName] ?? named[name] {
      try count(known.fieldCount, at: path)
      return known.type
    }
    if open.contains(fullName) || open.contains(name) {
      throw AvroError(.unsupported, field: path, "the record \(name) holds itself")
    }
    throw AvroError(.malformed, field: path, "there is no type \(name)")
  }

  func decimal(_ json: JSONValue, at path: String) throws(AvroError) -> DataType {
    guard let precision = json["precision"]?.integer, precision >= 1 else {
      throw AvroError(.malformed, field: path, "a decimal without a precision")
    }
    let scale = json["scale"]?.integer ?? 0
    guard precision <= DataType.greatestPrecision else {
      throw AvroError(
        .unsupported, field: path,
        "a decimal of \(precision) digits; at most \(DataType.greatestPrecision) are kept")
    }
    guard scale >= 0, scale <= precision else {
      throw AvroError(.malformed, field: path, "a decimal of \(precision) digits and scale \(scale)")
    }
    return .decimal(precision: precision, scale: scale)
  }

  mutating func record(
    _ json: JSONValue, namespace: String, at path: String
  ) throws(AvroError) -> DataType {
    let (fullName, inner) = try AvroSchema.names(of: json, namespace: namespace, at: path)
    guard let members = json["fields"]?.elements else {
      throw AvroError(.malformed, field: path, "a record without \"fields\"")
    }
    open.insert(fullName)
    defer { open.remove(fullName) }
    let before = fieldCount
    var fields: [Field] = []
    var seen: Set<String> = []
    for member in members {
      guard let name = member["name"]?.string, !name.isEmpty else {
        throw AvroError(.malformed, field: path, "a field without a name")
      }
      let place = path.isEmpty ? name : path + "." + name
      guard seen.insert(name).inserted else {
        throw AvroError(.malformed, field: place, "two fields have this name")
      }
      guard let type = member["type"] else {
        throw AvroError(.malformed, field: place, "a field without \"type\"")
      }
      fields.append(try field(name, type, namespace: inner, at: place))
    }
    try count(fields.count, at: path)
    named[fullName] = (.structure(fields), fieldCount - before)
    return .structure(fields)
  }

  mutating func count(_ fields: Int, at path: String) throws(AvroError) {
    fieldCount += fields
    guard fieldCount <= Self.fieldLimit else {
      throw AvroError(.unsupported, field: path, "more than \(Self.fieldLimit) fields")
    }
  }

  mutating func remember(
    _ type: DataType, _ json: JSONValue, namespace: String, at path: String
  ) throws(AvroError) -> DataType {
    named[try AvroSchema.names(of: json, namespace: namespace, at: path).full] = (type, 0)
    return type
  }
}

extension AvroSchema {
  /// A definition's full name, and the namespace that holds within it.
  static func names(
    of json: JSONValue, namespace: String, at path: String
  ) throws(AvroError) -> (full: String, namespace: String) {
    guard let name = json["name"]?.string, !name.isEmpty else {
      throw AvroError(.malformed, field: path, "a named type without a name")
    }
    if let dot = name.lastIndex(of: ".") { return (name, String(name[..<dot])) }
    let space = json["namespace"]?.string ?? namespace
    return (space.isEmpty ? name : space + "." + name, space)
  }
}
