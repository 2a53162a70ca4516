import TarnBytes
import TarnColumns

/// Where a text is no JSON, and why.
public struct BrokenJSON: Sendable, Hashable, CustomStringConvertible {
  package let error: JSONError

  package init(_ error: JSONError) { self.error = error }

  /// Offset of the byte at which it was noticed: in the record, or in the whole text where that was scanned.
  public var offset: Int { error.offset }

  /// What is wrong, and at which offset.
  public var description: String { error.description }
}

/// Why a record or row cannot be taken.
public struct RejectionReason: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds a caller handles differently; more may come, so that a `switch` needs a `default`.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    private let name: String

    private init(_ name: String) { self.name = name }

    /// The kind's name, as `missingKey`.
    public var description: String { name }

    /// The text is no JSON object; ``RejectionReason/json`` says where.
    public static let notJSON = Code("notJSON")
    /// It is JSON, but no change record.
    public static let notAChangeRecord = Code("notAChangeRecord")
    /// What carries records is damaged: bytes that are no base64, or an aggregated record with a wrong checksum.
    public static let badEnvelope = Code("badEnvelope")
    /// An attribute is no DynamoDB attribute value.
    public static let badAttribute = Code("badAttribute")
    /// An INSERT or MODIFY has no NewImage, so that there is nothing to store.
    public static let noNewImage = Code("noNewImage")
    /// A key column has no value.
    public static let missingKey = Code("missingKey")
    /// A key column's value is none that a key can have.
    public static let badKey = Code("badKey")
    /// An attribute or member is there twice.
    public static let duplicate = Code("duplicate")
    /// Two members of one row have the same column; ``RejectionReason/names`` has both.
    public static let sameColumn = Code("sameColumn")
    /// The record is of another DynamoDB table than those that are read: the first of ``RejectionReason/names``, and not
    /// the second.
    public static let otherTable = Code("otherTable")
    /// A value is not what its type says, such as a number that is none.
    public static let badValue = Code("badValue")
    /// A value does not fit its column.
    public static let misfit = Code("misfit")
    /// A member has no column.
    public static let unknownMember = Code("unknownMember")
    /// A name would be one more than are told apart.
    public static let tooManyNames = Code("tooManyNames")
    /// One record is longer than is read.
    public static let tooLong = Code("tooLong")
    /// The table cannot hold the row.
    public static let refused = Code("refused")
    /// The text is the rest of a broken record, whose beginning was rejected before.
    public static let passedOver = Code("passedOver")
    /// The columns of one batch would grow beyond what they can hold.
    public static let columns = Code("columns")
  }

  /// The kind.
  public let code: Code
  /// The column that it is about; nil where it is about none, or several.
  public let column: String?
  /// The names that it is about: of attributes, members, or DynamoDB tables.
  public let names: [String]
  /// Where the text is no JSON, and why; nil for other kinds.
  public let json: BrokenJSON?
  /// What is wrong, but for text that is no JSON, whose own is made when somebody asks: the search for the next record
  /// behind a broken one goes through many.
  private let message: String

  init(_ code: Code, column: String? = nil, names: [String] = [], _ message: String) {
    self.code = code
    self.column = column
    self.names = names
    self.message = message
    json = nil
  }

  private init(_ json: BrokenJSON) {
    code = .notJSON
    column = nil
    names = []
    message = ""
    self.json = json
  }

  /// The reason of a caller that does not take a row.
  public static func refused(why: String) -> RejectionReason { RejectionReason(.refused, why) }

  /// What is wrong, and what to do.
  public var description: String { json.map { "not JSON: \($0)" } ?? message }
}

extension RejectionReason {
  /// The reason with the offset of text that is no JSON counted from another place.
  func relative(to start: Int) -> RejectionReason {
    guard let error = json?.error else { return self }
    return .notJSON(BrokenJSON(JSONError(error.kind, at: error.offset - start)))
  }

  package static func notJSON(_ error: BrokenJSON) -> RejectionReason { RejectionReason(error) }

  static func notAChangeRecord(_ what: String) -> RejectionReason {
    RejectionReason(.notAChangeRecord, "not a change record: \(what)")
  }

  static func badEnvelope(_ what: String) -> RejectionReason { RejectionReason(.badEnvelope, what) }

  static func badAttribute(image: String, name: String, what: String) -> RejectionReason {
    RejectionReason(.badAttribute, names: [name], "attribute \"\(name)\" of \(image): \(what)")
  }

  static func noNewImage(eventName: String) -> RejectionReason {
    RejectionReason(
      .noNewImage, "\(eventName) without NewImage cannot be applied; let the stream carry new images")
  }

  package static func missingKey(column: String) -> RejectionReason {
    RejectionReason(.missingKey, column: column, "no value for the key column \(column)")
  }

  static func badKey(column: String, value: String, why: String) -> RejectionReason {
    RejectionReason(.badKey, column: column, "key column \(column): \(value) \(why)")
  }

  package static func duplicate(name: String) -> RejectionReason {
    RejectionReason(.duplicate, names: [name], "\"\(name)\" is there twice")
  }

  package static func sameColumn(column: String, names: [String]) -> RejectionReason {
    let both = names.map { "\"\($0)\"" }.joined(separator: " and ")
    return RejectionReason(
      .sameColumn, column: column, names: names, "\(both) both go to the column \(column): give one of them")
  }

  package static func otherTable(name: String, expected: String) -> RejectionReason {
    RejectionReason(
      .otherTable, names: [name, expected],
      "the record is of the DynamoDB table \(name), not of \(expected)")
  }

  static func badValue(column: String, value: String, why: String) -> RejectionReason {
    RejectionReason(.badValue, column: column, "column \(column): \(value) is broken: \(why)")
  }

  static func misfit(column: String, type: String, value: String, why: String) -> RejectionReason {
    RejectionReason(
      .misfit, column: column,
      "column \(column): \(value) does not fit \(type): \(why); "
        + "mend the value, or give the column a type that holds it (create --schema, or --widen)")
  }

  package static func unknownMember(name: String) -> RejectionReason {
    RejectionReason(
      .unknownMember, names: [name],
      "no column \"\(name)\"; add it to the table's schema, or leave it out")
  }

  package static func tooManyNames(name: String, limit: Int) -> RejectionReason {
    RejectionReason(
      .tooManyNames, names: [name],
      "\"\(name)\" is one name too many: a table and its records may have \(limit) together; "
        + "keep what has names without end, such as a map by id, in one attribute")
  }

  package static func tooLong(limit: Int) -> RejectionReason {
    RejectionReason(.tooLong, "the record is longer than \(limit) bytes")
  }

  package static var passedOver: RejectionReason {
    RejectionReason(.passedOver, "passed over behind a broken record, up to the next beginning of one")
  }

  static func columns(_ error: ColumnError) -> RejectionReason {
    RejectionReason(.columns, error.description)
  }
}
