import TarnBytes

/// A type of Avro as a writer's schema gives it, by which its bytes are read and written.
///
/// Logical types are not told apart here: what counts is how values lie in bytes.
package indirect enum AvroType: Sendable, Hashable {
  case null, boolean, int, long, float, double, bytes, string
  case array(AvroType)
  case map(AvroType)
  case union([AvroType])
  case record(Record)
  case enumeration(Enumeration)
  case fixed(Fixed)
  /// A type that the schema defines elsewhere, by its full name; so a record may hold itself.
  case named(String)

  /// A record.
  package struct Record: Sendable, Hashable {
    /// The name, with its namespace.
    package let fullName: String
    /// The fields, in the order in which they lie in bytes.
    package let fields: [Field]
  }

  /// A field of a record.
  package struct Field: Sendable, Hashable {
    /// The name.
    package let name: String
    /// The type.
    package let type: AvroType
    /// The value of records that do not give one, as JSON; nil where the field has none.
    package let standard: JSONValue?
  }

  /// An enumeration, whose values are numbers in bytes.
  package struct Enumeration: Sendable, Hashable {
    /// The name, with its namespace.
    package let fullName: String
    /// The names of the values, by number.
    package let symbols: [String]
  }

  /// Bytes of one length.
  package struct Fixed: Sendable, Hashable {
    /// The name, with its namespace.
    package let fullName: String
    /// Number of bytes.
    package let size: Int
  }

  /// What the type is called in messages.
  var name: String {
    switch self {
    case .null: "null"
    case .boolean: "boolean"
    case .int: "int"
    case .long: "long"
    case .float: "float"
    case .double: "double"
    case .bytes: "bytes"
    case .string: "string"
    case .array: "array"
    case .map: "map"
    case .union: "union"
    case .record(let record): record.fullName
    case .enumeration(let enumeration): enumeration.fullName
    case .fixed(let fixed): fixed.fullName
    case .named(let name): name
    }
  }
}

/// How values of a schema lie in bytes: its type, and the types in it that have names.
package struct AvroLayout: Sendable, Hashable {
  /// The type of the values.
  package let root: AvroType
  /// The records, enumerations and fixed types, by full name.
  package let named: [String: AvroType]

  /// Makes a layout of one type without names.
  init(_ root: AvroType) {
    self.root = root
    named = [:]
  }

  /// Parses a schema.
  ///
  /// - Throws: ``AvroError``, which names the field.
  package init(parsing text: String) throws(AvroError) { try self.init(parsing: Array(text.utf8)) }

  /// Parses a schema, as UTF-8 JSON.
  ///
  /// - Throws: ``AvroError``, which names the field.
  package init(parsing bytes: [UInt8]) throws(AvroError) {
    let json: JSONValue
    do { json = try JSONValue(parsing: bytes) } catch {
      throw AvroError(.malformed, field: "", "not JSON: \(error.description)")
    }
    var parser = AvroTypeParser()
    root = try parser.type(json, namespace: "")
    named = parser.named
  }

  /// A type with its name resolved.
  func resolved(_ type: AvroType) throws(AvroError) -> AvroType {
    guard case .named(let name) = type else { return type }
    guard let found = named[name] else {
      throw AvroError(.malformed, field: "", "there is no type \(name)")
    }
    return found
  }
}
