/// Why text is no Avro schema that Tarn takes, and which field is meant.
package struct AvroError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds a caller handles differently.
  package enum Code: Sendable, Hashable {
    /// The text is not JSON, or not an Avro schema.
    case malformed
    /// The schema is sound, and uses something that a table cannot hold yet.
    case unsupported
  }

  /// The kind.
  package let code: Code
  /// The dotted path of the field; empty where the schema as a whole is meant.
  package let field: String
  /// What is wrong, for people.
  package let message: String

  /// Makes an error.
  package init(_ code: Code, field: String, _ message: String) {
    self.code = code
    self.field = field
    self.message = message
  }

  /// The field and what is wrong with it.
  package var description: String {
    field.isEmpty ? "Avro schema: \(message)" : "Avro schema, field \(field): \(message)"
  }
}
