import TarnBytes

/// Turns a schema's JSON into types of Avro.
///
/// Documentation, logical types, aliases and whatever else does not change how values lie in bytes are passed
/// over: who reads values by the names of fields needs no aliases, which are a reader's.
struct AvroTypeParser {
  /// Types with names, by full name.
  var named: [String: AvroType] = [:]
  /// Names that are being defined, which may be referred to within themselves.
  private var open: Set<String> = []

  /// JSON is itself bounded in depth, and each type takes at least one level of it.
  mutating func type(_ json: JSONValue, namespace: String) throws(AvroError) -> AvroType {
    switch json {
    case .string(let name): return try simple(name, namespace: namespace)
    case .array(let branches):
      var types: [AvroType] = []
      for branch in branches {
        guard branch.elements == nil else {
          throw AvroError(.malformed, field: "", "a union within a union")
        }
        types.append(try type(branch, namespace: namespace))
      }
      return .union(types)
    case .object:
      guard let inner = json["type"] else {
        throw AvroError(.malformed, field: "", "a type without \"type\"")
      }
      guard let name = inner.string else { return try type(inner, namespace: namespace) }
      return try complex(name, json, namespace: namespace)
    default: throw AvroError(.malformed, field: "", "a type is a name, an object or a union")
    }
  }

  /// A type by its name alone.
  private func simple(_ name: String, namespace: String) throws(AvroError) -> AvroType {
    switch name {
    case "null": return .null
    case "boolean": return .boolean
    case "int": return .int
    case "long": return .long
    case "float": return .float
    case "double": return .double
    case "bytes": return .bytes
    case "string": return .string
    default: break
    }
    let fullName = name.contains(".") || namespace.isEmpty ? name : namespace + "." + name
    for candidate in [fullName, name] where named[candidate] != nil || open.contains(candidate) {
      return .named(candidate)
    }
    throw AvroError(.malformed, field: "", "there is no type \(name)")
  }

  private mutating func complex(
    _ name: String, _ json: JSONValue, namespace: String
  ) throws(AvroError) -> AvroType {
    switch name {
    case "array":
      guard let items = json["items"] else {
        throw AvroError(.malformed, field: "", "an array without \"items\"")
      }
      return .array(try type(items, namespace: namespace))
    case "map":
      guard let values = json["values"] else {
        throw AvroError(.malformed, field: "", "a map without \"values\"")
      }
      return .map(try type(values, namespace: namespace))
    case "record", "error":
      let (fullName, inner) = try AvroSchema.names(of: json, namespace: namespace, at: "")
      try begin(fullName)
      return define(fullName, as: .record(try record(fullName, json, namespace: inner)))
    case "enum":
      let fullName = try AvroSchema.names(of: json, namespace: namespace, at: "").full
      try begin(fullName)
      guard let symbols = json["symbols"]?.elements else {
        throw AvroError(.malformed, field: "", "an enumeration without \"symbols\"")
      }
      let texts = symbols.compactMap(\.string)
      guard texts.count == symbols.count else {
        throw AvroError(.malformed, field: "", "a symbol of an enumeration is no text")
      }
      return define(fullName, as: .enumeration(.init(fullName: fullName, symbols: texts)))
    case "fixed":
      let fullName = try AvroSchema.names(of: json, namespace: namespace, at: "").full
      try begin(fullName)
      guard let size = json["size"]?.integer, size >= 0 else {
        throw AvroError(.malformed, field: "", "a fixed type without a size")
      }
      return define(fullName, as: .fixed(.init(fullName: fullName, size: size)))
    default: return try simple(name, namespace: namespace)
    }
  }

  private mutating func begin(_ fullName: String) throws(AvroError) {
    guard named[fullName] == nil, open.insert(fullName).inserted else {
      throw AvroError(.malformed, field: "", "two types have the name \(fullName)")
    }
  }

  private mutating func define(_ fullName: String, as type: AvroType) -> AvroType {
    open.remove(fullName)
    named[fullName] = type
    return type
  }

  private mutating func record(
    _ fullName: String, _ json: JSONValue, namespace: String
  ) throws(AvroError) -> AvroType.Record {
    guard let members = json["fields"]?.elements else {
      throw AvroError(.malformed, field: "", "a record without \"fields\"")
    }
    var fields: [AvroType.Field] = []
    var seen: Set<String> = []
    for member in members {
      guard let name = member["name"]?.string, !name.isEmpty else {
        throw AvroError(.malformed, field: "", "a field without a name")
      }
      guard seen.insert(name).inserted else {
        throw AvroError(.malformed, field: name, "two fields have this name")
      }
      guard let inner = member["type"] else {
        throw AvroError(.malformed, field: name, "a field without \"type\"")
      }
      do {
        fields.append(
          .init(name: name, type: try type(inner, namespace: namespace), standard: member["default"]))
      } catch { throw error.within(name) }
    }
    return AvroType.Record(fullName: fullName, fields: fields)
  }
}
