internal import TarnBytes

/// Why text is no DynamoDB JSON, at which attribute, and where in the text.
public struct DynamoDBJSONError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of mistakes; more may come, so that a `switch` needs a `default`.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// The kind's name, as `badNumber`.
    public var description: String { name }

    /// It is not even JSON, or has a JSON value of another type than the tag asks for.
    public static let json = Code("json")
    /// The type tag is none of the ten.
    public static let unknownType = Code("unknownType")
    /// A value does not have exactly one type tag.
    public static let notOneType = Code("notOneType")
    /// `NULL` is not `true`.
    public static let nullNotTrue = Code("nullNotTrue")
    /// A set has no members.
    public static let emptySet = Code("emptySet")
    /// A set has a member twice.
    public static let duplicateMember = Code("duplicateMember")
    /// A map has an attribute twice.
    public static let duplicateAttribute = Code("duplicateAttribute")
    /// The text of a number is none, or has more than 38 significant digits.
    public static let badNumber = Code("badNumber")
    /// A number's magnitude is not from 1E-130 to 9.99…E+125.
    public static let numberOutOfRange = Code("numberOutOfRange")
    /// The text of bytes is not base64 with padding.
    public static let badBase64 = Code("badBase64")
    /// Maps and lists are nested deeper than 64 levels.
    public static let tooDeep = Code("tooDeep")
    /// Text follows the value.
    public static let trailingText = Code("trailingText")
  }

  /// The kind.
  public let code: Code
  /// What was wrong, without the place.
  public let reason: String
  /// The attribute, such as `address.lines[2]`; empty for the value itself.
  public internal(set) var path: String
  /// Offset in the text of the byte at which it was noticed.
  public internal(set) var offset: Int

  init(_ mistake: Mistake, at offset: Int = 0) {
    code = mistake.code
    reason = mistake.reason
    path = ""
    self.offset = offset
  }

  init(_ error: JSONError) {
    self.init(Mistake(code: .json, reason: error.description), at: error.offset)
  }

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

  /// The attribute, what was wrong, and where.
  public var description: String {
    let what = code == .json ? reason : "\(reason) at offset \(offset)"
    return path.isEmpty ? what : "\(path): \(what)"
  }
}

/// A kind of mistake, and what was wrong.
struct Mistake {
  let code: DynamoDBJSONError.Code
  let reason: String

  static let notOneType = Mistake(
    code: .notOneType, reason: "a value needs exactly one type tag, such as {\"S\":\"text\"}")
  static let nullNotTrue = Mistake(code: .nullNotTrue, reason: "NULL can only be true")
  static let emptySet = Mistake(code: .emptySet, reason: "a set without members")
  static let badBase64 = Mistake(code: .badBase64, reason: "text that is not base64")
  static let tooDeep = Mistake(
    code: .tooDeep, reason: "values nested deeper than \(AttributeValue.depthLimit) levels")
  static let trailingText = Mistake(code: .trailingText, reason: "text after the value")

  static func unknownType(_ tag: String) -> Mistake {
    Mistake(
      code: .unknownType, reason: "\"\(tag)\" is none of the types S, N, B, BOOL, NULL, M, L, SS, NS, BS")
  }

  static func duplicateMember(_ member: String) -> Mistake {
    Mistake(code: .duplicateMember, reason: "a set with \(member) twice")
  }

  static func duplicateAttribute(_ name: String) -> Mistake {
    Mistake(code: .duplicateAttribute, reason: "the attribute \"\(name)\" twice")
  }

  static func badNumber(_ text: String) -> Mistake {
    Mistake(code: .badNumber, reason: "\"\(text)\" is no number of at most 38 digits")
  }

  static func numberOutOfRange(_ text: String) -> Mistake {
    Mistake(code: .numberOutOfRange, reason: "the number \(text) is beyond 1E-130 to 9.99E+125")
  }
}
