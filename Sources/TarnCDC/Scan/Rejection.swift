import TarnBytes
public import TarnColumns
public import TarnStorage

/// Where a text is no JSON, and why.
public struct BrokenJSON: Error, Sendable, Hashable, CustomStringConvertible {
  package let error: JSONError

  package init(_ error: JSONError) { self.error = error }

  /// Offset of the byte at which it was noticed: in the record, or in the whole text where that was scanned.
  public var offset: Int { error.offset }

  /// What is wrong, and at which offset.
  public var description: String { error.description }
}

/// Why a record or row cannot be taken.
public enum RejectionReason: Error, Sendable, Hashable, CustomStringConvertible {
  /// The text is no JSON object.
  case notJSON(BrokenJSON)
  /// It is JSON, but no change record; says what is missing or odd.
  case notAChangeRecord(String)
  /// An attribute is no DynamoDB attribute value.
  case badAttribute(image: String, name: String, what: String)
  /// An INSERT or MODIFY has no NewImage, so that there is nothing to store.
  case noNewImage(eventName: String)
  /// A key column has no value.
  case missingKey(column: String)
  /// A key column's value is none that a key can have.
  case badKey(column: String, value: String, why: String)
  /// An attribute or member is there twice.
  case duplicate(name: String)
  /// Two members of one row have the same column.
  case sameColumn(column: String, names: [String])
  /// The record is of another DynamoDB table than those that are read.
  case otherTable(name: String, expected: String)
  /// A value is not what its type says, such as a number that is none.
  case badValue(column: String, value: String, why: String)
  /// A value does not fit its column.
  case misfit(column: String, type: String, value: String, why: String)
  /// A member has no column.
  case unknownMember(name: String)
  /// A name would be one more than are told apart.
  case tooManyNames(name: String, limit: Int)
  /// One record is longer than is read.
  case tooLong(limit: Int)
  /// The table cannot hold the row.
  case refused(why: String)
  /// The text is the rest of a broken record, whose beginning was rejected before.
  case passedOver
  /// The columns of one batch would grow beyond what they can hold.
  case columns(ColumnError)

  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .notJSON(let error): "not JSON: \(error)"
    case .notAChangeRecord(let what): "not a change record: \(what)"
    case .badAttribute(let image, let name, let what): "attribute \"\(name)\" of \(image): \(what)"
    case .noNewImage(let eventName):
      "\(eventName) without NewImage cannot be applied; let the stream carry new images"
    case .missingKey(let column): "no value for the key column \(column)"
    case .passedOver: "passed over behind a broken record, up to the next beginning of one"
    case .badKey(let column, let value, let why): "key column \(column): \(value) \(why)"
    case .badValue(let column, let value, let why): "column \(column): \(value) is broken: \(why)"
    case .duplicate(let name): "\"\(name)\" is there twice"
    case .sameColumn(let column, let names):
      "\(names.map { "\"\($0)\"" }.joined(separator: " and ")) both go to the column \(column): give one of them"
    case .otherTable(let name, let expected):
      "the record is of the DynamoDB table \(name), not of \(expected)"
    case .misfit(let column, let type, let value, let why):
      "column \(column): \(value) does not fit \(type): \(why); "
        + "mend the value, or give the column a type that holds it (create --schema, or --widen)"
    case .unknownMember(let name): "no column \"\(name)\"; add it to the table's schema, or leave it out"
    case .tooManyNames(let name, let limit):
      "\"\(name)\" is one name too many: a table and its records may have \(limit) together; "
        + "keep what has names without end, such as a map by id, in one attribute"
    case .tooLong(let limit): "the record is longer than \(limit) bytes"
    case .refused(let why): why
    case .columns(let error): error.description
    }
  }
}

/// A record or row that could not be taken: where it stands, why, and its bytes.
public struct RejectedRecord: Sendable, Hashable, CustomStringConvertible {
  /// Path of the file.
  public var source: String
  /// Line of the record's first byte, from 1.
  public var line: Int
  /// Offset of the record's first byte in the file's text, decompressed.
  public var offset: Int
  /// What is wrong with it.
  public var reason: RejectionReason
  /// Its bytes, or as many of them as ``keptBytes``: others come in further pieces.
  public var bytes: [UInt8]
  /// How many records seem to begin in it; 0 for a further piece of one.
  public var records: Int
  /// Offset of the first piece of a further one.
  public var continues: Int?

  /// How many bytes one piece has at most: more than DynamoDB or a stream lets a record have.
  public static let keptBytes = 4 << 20

  /// Makes a rejected record of its parts.
  public init(
    source: String, line: Int, offset: Int, reason: RejectionReason, bytes: [UInt8], records: Int = 1,
    continues: Int? = nil
  ) {
    self.source = source
    self.line = line
    self.offset = offset
    self.reason = reason
    self.bytes = bytes
    self.records = records
    self.continues = continues
  }

  /// Where it stands and why it was rejected.
  public var description: String { "\(source), line \(line) (offset \(offset)): \(reason)" }

  /// One line of a dead-letter file, its line end included.
  ///
  /// `record` is the text, or base64 where it is not UTF-8; `encoding` is then `base64`. A further piece of a long
  /// record has `continues`, the offset of the first.
  public func jsonLine() -> [UInt8] {
    var out: [UInt8] = []
    out.append(text: "{\"source\":")
    out.appendJSON(string: source)
    out.append(text: ",\"line\":\(line),\"offset\":\(offset)")
    if let continues { out.append(text: ",\"continues\":\(continues)") }
    out.append(text: ",\"reason\":")
    out.appendJSON(string: reason.description)
    out.append(text: ",\"record\":")
    if UTF8Text.isValid(bytes.span.bytes) {
      out.appendJSON(string: bytes.span.bytes)
    } else {
      out.append(0x22)
      Base64.append(bytes.span.bytes, to: &out)
      out.append(text: "\",\"encoding\":\"base64\"")
    }
    out.append(text: "}\n")
    return out
  }
}

/// Why reading of changes or rows stopped.
public enum ChangeError: Error, Sendable, CustomStringConvertible {
  /// A record was rejected, and the caller's policy is to stop there.
  case rejected(RejectedRecord)
  /// A file could not be read.
  case storage(StorageError)
  /// A compressed file is malformed, or ends in the middle.
  case compression(path: String, message: String)
  /// Under this path there is nothing to read.
  case nothingToRead(path: String)
  /// A column's type is none that changes can be written into.
  case unsupportedColumn(name: String, type: String)
  /// The schema lacks a column that it needs.
  case missingColumn(name: String)
  /// A column has types in two inputs of which neither holds the other.
  case differentTypes(column: String, one: String, other: String)
  /// A column's type does not hold less than the one that it is to have.
  case notWider(column: String, found: String, wanted: String)
  /// The columns do not fit together.
  case columns(ColumnError)
  /// What the caller's handler of rejected records threw, as text.
  case handler(String)
  /// The task that reads was cancelled.
  case cancelled

  /// What went wrong and where.
  public var description: String {
    switch self {
    case .rejected(let record): record.description
    case .storage(let error): error.description
    case .compression(let path, let message): "\(path): \(message)"
    case .nothingToRead(let path):
      "\(path): no file is there, but perhaps hidden ones and markers such as _SUCCESS"
    case .unsupportedColumn(let name, let type): "column \(name): \(type) cannot be filled from JSON"
    case .missingColumn(let name): "the schema has no column \(name)"
    case .differentTypes(let column, let one, let other):
      "column \(column) is \(one) in one input and \(other) in another: "
        + "convert it, or write them one after the other"
    case .notWider(let column, let found, let wanted):
      "column \(column) is \(found) in the input and is to be \(wanted): convert it"
    case .columns(let error): error.description
    case .handler(let what): what
    case .cancelled: "the reading was cancelled"
    }
  }
}
