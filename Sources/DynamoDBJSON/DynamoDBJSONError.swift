internal import TarnBytes

/// Why text is no DynamoDB JSON, at which attribute, and where in the text.
public struct DynamoDBJSONError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of mistakes.
  public enum Kind: Sendable, Hashable {
    /// It is not even JSON, or has a JSON value of another type than the tag asks for: what is wrong, and where.
    case json(String)
    /// The type tag is none of the ten.
    case unknownType(String)
    /// A value does not have exactly one type tag.
    case notOneType
    /// `NULL` is not `true`.
    case nullNotTrue
    /// A set has no members.
    case emptySet
    /// A set has a member twice.
    case duplicateMember(String)
    /// A map has an attribute twice.
    case duplicateAttribute(String)
    /// The text of a number is none, or has more than 38 significant digits.
    case badNumber(String)
    /// A number's magnitude is not from 1E-130 to 9.99…E+125.
    case numberOutOfRange(String)
    /// The text of bytes is not base64 with padding.
    case badBase64
    /// Maps and lists are nested deeper than 64 levels.
    case tooDeep
    /// Text follows the value.
    case trailingText
  }

  /// The kind.
  public let kind: Kind
  /// The attribute, such as `address.lines[2]`; empty for the value itself.
  public internal(set) var path: String
  /// Offset in the text of the byte at which it was noticed.
  public internal(set) var offset: Int

  init(_ kind: Kind, at offset: Int = 0) {
    self.kind = kind
    path = ""
    self.offset = offset
  }

  init(_ error: JSONError) { self.init(.json(error.description), at: error.offset) }

  func under(_ name: String) -> DynamoDBJSONError {
    var longer = self
    longer.path = path.isEmpty ? name : path.hasPrefix("[") ? name + path : "\(name).\(path)"
    return longer
  }

  func at(_ offset: Int) -> DynamoDBJSONError {
    var placed = self
    placed.offset = offset
    return placed
  }

  /// What was wrong, without the place.
  public var reason: String {
    switch kind {
    case .json(let what): what
    case .unknownType(let tag): "\"\(tag)\" is none of the types S, N, B, BOOL, NULL, M, L, SS, NS, BS"
    case .notOneType: "a value needs exactly one type tag, such as {\"S\":\"text\"}"
    case .nullNotTrue: "NULL can only be true"
    case .emptySet: "a set without members"
    case .duplicateMember(let member): "a set with \(member) twice"
    case .duplicateAttribute(let name): "the attribute \"\(name)\" twice"
    case .badNumber(let text): "\"\(text)\" is no number of at most 38 digits"
    case .numberOutOfRange(let text): "the number \(text) is beyond 1E-130 to 9.99E+125"
    case .badBase64: "text that is not base64"
    case .tooDeep: "values nested deeper than \(AttributeValue.depthLimit) levels"
    case .trailingText: "text after the value"
    }
  }

  /// The attribute, what was wrong, and where.
  public var description: String {
    let what =
      if case .json = kind { reason } else { "\(reason) at offset \(offset)" }
    return path.isEmpty ? what : "\(path): \(what)"
  }
}
