internal import TarnBytes

/// Why text is no DynamoDB JSON, or does not fit a Swift type, at which attribute, and where in the text.
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
    /// The text has more bytes than are read, which are far more than DynamoDB lets an item have.
    public static let tooLong = Code("tooLong")
    /// A Swift value needs an attribute that the item does not have.
    public static let missingAttribute = Code("missingAttribute")
    /// An attribute is of another type than the Swift value.
    public static let wrongType = Code("wrongType")
    /// A Swift value that is not optional stands against NULL.
    public static let nullValue = Code("nullValue")
    /// A number is not one that its Swift type holds, or a Swift value none that an attribute holds.
    public static let misfit = Code("misfit")
    /// A Swift value is not encoded as attributes by name, and so is no item.
    public static let notAnItem = Code("notAnItem")
    /// A Swift set has members that no set of DynamoDB can have.
    public static let badSet = Code("badSet")
    /// A Swift type encodes itself in a way that makes no attribute value, such as twice.
    public static let badEncoding = Code("badEncoding")
    /// A Swift type refused its value; ``DynamoDBJSONError/cause`` is what it threw.
    public static let refused = Code("refused")
  }

  /// The kind.
  public let code: Code
  /// What was wrong, without the place.
  public let reason: String
  /// The attribute, such as `address.lines[2]`; empty for the value itself.
  public internal(set) var path: String
  /// Offset in the text of the byte at which it was noticed; 0 where a Swift value is encoded, or a type of a user's
  /// refused its value.
  public internal(set) var offset: Int
  /// What a Swift type threw that is coded; nil where this module found out.
  public internal(set) var cause: (any Error)?

  init(_ mistake: Mistake, at offset: Int = 0) {
    code = mistake.code
    reason = mistake.reason
    path = ""
    self.offset = offset
  }

  /// Whether kind, reason and place are the same.
  public static func == (left: DynamoDBJSONError, right: DynamoDBJSONError) -> Bool {
    left.code == right.code && left.reason == right.reason && left.path == right.path
      && left.offset == right.offset
  }

  /// Feeds kind, reason and place.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(code)
    hasher.combine(reason)
    hasher.combine(path)
    hasher.combine(offset)
  }

  init(_ error: JSONError) {
    self.init(Mistake(code: .json, reason: error.description), at: error.offset)
  }

  func under(_ name: String) -> DynamoDBJSONError {
    var longer = self
    longer.path = path.isEmpty ? name : path.hasPrefix("[") ? name + path : "\(name).\(path)"
    return longer
  }

  func under(_ index: Int) -> DynamoDBJSONError { under("[\(index)]") }

  func at(_ offset: Int) -> DynamoDBJSONError {
    var placed = self
    placed.offset = offset
    return placed
  }

  /// The attribute, what was wrong, and where.
  public var description: String {
    let what = code == .json || offset == 0 ? reason : "\(reason) at offset \(offset)"
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
  static let tooDeepToStore = Mistake(
    code: .tooDeep,
    reason: "values nested deeper than the \(AttributeValue.storedDepthLimit) levels that DynamoDB stores")
  static let interleaved = Mistake(
    code: .badEncoding, reason: "a type that writes to a container outside of its own encoding")
  static let twice = Mistake(
    code: .badEncoding, reason: "a type that encodes itself in two ways at once, or as two values")
  static let trailingText = Mistake(code: .trailingText, reason: "text after the value")

  static let tooLong = Mistake(code: .tooLong, reason: "text of more than 4 GB")
  static let nullValue = Mistake(code: .nullValue, reason: "NULL where a value is needed; make it optional")
  static let notAnItem = Mistake(
    code: .notAnItem, reason: "it is not encoded as attributes by name, which an item is")

  static func missingAttribute(_ name: String) -> Mistake {
    Mistake(
      code: .missingAttribute, reason: "there is no attribute \"\(name)\"; give it, or make it optional")
  }

  static func wrongType(_ type: Any.Type, found: String) -> Mistake {
    Mistake(code: .wrongType, reason: "\(found) where \(type) was expected")
  }

  static func misfit(_ number: String, _ type: Any.Type, _ why: String) -> Mistake {
    Mistake(code: .misfit, reason: "\(number) does not fit \(type): \(why)")
  }

  static func badSet(_ why: String) -> Mistake { Mistake(code: .badSet, reason: why) }

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
