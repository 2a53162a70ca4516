/// Why text is no Avro schema, or bytes are no Avro data, that Tarn takes, and which field or byte is meant.
package struct AvroError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds a caller handles differently.
  package enum Code: Sendable, Hashable {
    /// The text is not JSON or not an Avro schema; or bytes are not what their schema says.
    case malformed
    /// It is sound, and uses something that is not taken yet.
    case unsupported
    /// A value is to be written that its schema has no place for.
    case mismatch
  }

  /// The kind.
  package let code: Code
  /// The dotted path of the field; empty where the schema or the value as a whole is meant.
  package let field: String
  /// Offset of the byte that is meant; nil where a schema or a value is.
  package let offset: Int?
  /// What is wrong, for people.
  package let message: String

  /// Makes an error of a schema, or of a value that does not fit one.
  package init(_ code: Code, field: String, _ message: String) {
    self.init(code, field: field, offset: nil, message)
  }

  /// Makes an error of bytes.
  package init(_ code: Code, at offset: Int, _ message: String) {
    self.init(code, field: "", offset: offset, message)
  }

  private init(_ code: Code, field: String, offset: Int?, _ message: String) {
    self.code = code
    self.field = field
    self.offset = offset
    self.message = message
  }

  /// The same error, of a field in whose value it was met.
  func within(_ outer: String) -> AvroError {
    let path = field.isEmpty ? outer : outer + "." + field
    return AvroError(code, field: path, offset: offset, message)
  }

  /// The place and what is wrong there.
  package var description: String {
    var place = offset.map { "Avro data at byte \($0)" } ?? "Avro schema"
    if code == .mismatch { place = "Avro value" }
    return field.isEmpty ? "\(place): \(message)" : "\(place), field \(field): \(message)"
  }
}
