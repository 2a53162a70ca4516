import TarnBytes
import TarnColumns

/// What happened to an item.
public enum ChangeKind: Sendable, Hashable {
  case insert, modify, remove

  /// The name that a record carries.
  public var name: String {
    switch self {
    case .insert: "INSERT"
    case .modify: "MODIFY"
    case .remove: "REMOVE"
    }
  }

  /// The kind of this name; nil where the text is none.
  @inline(__always)
  init?(eventName text: JSONText, _ scanner: borrowing JSONScanner) {
    if scanner.matches(text, "INSERT") {
      self = .insert
    } else if scanner.matches(text, "MODIFY") {
      self = .modify
    } else if scanner.matches(text, "REMOVE") {
      self = .remove
    } else {
      return nil
    }
  }
}

/// One change of an item, as it stands in scanned text.
///
/// It keeps offsets only: no tree of values is built. One value is used again and again, for record after record.
/// Scanned by itself, it reads records of Kinesis Data Streams for DynamoDB and of DynamoDB Streams;
/// ``ChangeRecords`` reads every ``ChangeShape``, and what carries such records.
///
/// ```swift
/// let text = Array(lines.utf8)
/// var record = ChangeRecord()
/// var offset = 0
/// while let end = try record.scan(text.span.bytes, from: offset) {
///   print(record.kind, record.eventTime ?? 0)
///   offset = end
/// }
/// ```
public struct ChangeRecord: Sendable {
  /// What happened.
  public internal(set) var kind = ChangeKind.insert
  /// When it happened, in microseconds since 1970-01-01T00:00:00Z; nil where the record does not say.
  public internal(set) var eventTime: Int64?
  /// How finely ``eventTime`` was written; nil where there is none.
  public internal(set) var eventTimePrecision: EventTimePrecision?
  /// Whether DynamoDB itself removed the item, its time to live having passed.
  public private(set) var isExpiry = false
  /// Where the record stands in the text.
  public internal(set) var range = 0..<0
  /// How the record is written.
  public internal(set) var shape = ChangeShape.dynamodb
  /// Where the Keys stand in the text, braces included; nil where the record has none of its own.
  public internal(set) var keysRange: Range<Int>?
  /// Where the NewImage stands in the text; nil where the record has none.
  ///
  /// Of the shapes that keep attributes beside other members it is the whole record.
  public internal(set) var newImageRange: Range<Int>?
  /// Where the OldImage stands in the text, as ``newImageRange``; nil where the record has none.
  public internal(set) var oldImageRange: Range<Int>?
  /// Where the sequence number's digits stand in the text: DynamoDB's own, or that of the Kinesis record which carried
  /// this one; nil where there is none.
  ///
  /// They tell an order within one shard or item only, as a number and not as text.
  public internal(set) var sequenceNumberRange: Range<Int>?
  /// The record's place, from 0, within the Kinesis record that aggregates it with others; nil where none does.
  public internal(set) var aggregateIndex: Int?

  /// Whether the sequence number is that of the Kinesis record which carried this one.
  var isCarriedSequence = false
  var eventIDText: JSONText?
  /// Where the DynamoDB table's name stands, which has no escapes: it is of letters, digits, `_`, `-` and `.`.
  var tableNameRange: Range<Int>?
  /// The DynamoDB table of which the record's file is, where the record does not say.
  var tableOfFile: String?
  /// The attributes of Keys and images, one after the other.
  var values: [ScannedValue] = []
  var keys: Range<Int>?
  var newImage: Range<Int>?
  var oldImage: Range<Int>?

  var identityType: JSONText?
  var identityPrincipal: JSONText?
  private var hasKind = false
  /// Whether the object has the member that makes it a record of DynamoDB's own, whatever else is wrong with it.
  private(set) var hasBody = false
  private var time: Range<Int>?
  private var timeText: JSONText?
  private var precision: JSONText?
  var problem: RejectionReason?

  /// Makes a record to scan into.
  public init() {}

  /// The eventID, taken from the text that the record was scanned in; nil where the record has none.
  public func eventID(in text: RawSpan) -> String? { eventID(in: JSONScanner(text)) }

  /// The name of the DynamoDB table: its tableName, or else that in its eventSourceARN; nil where the record does not
  /// say, as those that DynamoDB Streams itself hands out.
  ///
  /// - Parameter text: What the record was scanned in.
  public func tableName(in text: RawSpan) -> String? { tableName(in: JSONScanner(text)) }

  /// The sequence number, taken from the text that the record was scanned in; see ``sequenceNumberRange``.
  public func sequenceNumber(in text: RawSpan) -> String? {
    let scanner = JSONScanner(text)
    return sequenceNumberRange.map { scanner.string($0) }
  }

  /// Who made the change where that was not a user, as DynamoDB itself once an item's time to live has passed; nil
  /// where the record does not say.
  ///
  /// - Parameter text: What the record was scanned in.
  public func userIdentity(in text: RawSpan) -> UserIdentity? {
    let scanner = JSONScanner(text)
    guard identityType != nil || identityPrincipal != nil else { return nil }
    return UserIdentity(
      type: identityType.map { scanner.string($0) }, principalID: identityPrincipal.map { scanner.string($0) }
    )
  }

  package func eventID(in scanner: borrowing JSONScanner) -> String? {
    eventIDText.map { scanner.string($0) }
  }

  package func tableName(in scanner: borrowing JSONScanner) -> String? {
    tableNameRange.map { scanner.string($0) } ?? tableOfFile
  }

  /// Takes the next record of a text, in which records follow one another with or without blanks between them.
  ///
  /// - Parameters:
  ///   - text: The whole text.
  ///   - offset: Where to go on; from 0 to the number of its bytes.
  /// - Returns: The offset behind the record; nil where nothing is left.
  /// - Throws: ``RejectionReason``: `notJSON` where the text is no JSON object, as at its end where it is cut off; any
  ///   other, and ``range`` says where the object stands, behind which the next one is.
  public mutating func scan(_ text: RawSpan, from offset: Int = 0) throws(RejectionReason) -> Int? {
    var scanner = JSONScanner(text, at: min(max(offset, 0), text.byteCount))
    guard !scanner.isAtEnd() else { return nil }
    try scan(&scanner)
    return scanner.offset
  }

  /// Takes the next record from a scanner.
  ///
  /// - Throws: ``RejectionReason``: `notJSON` where the text is no JSON object, and the scanner stands somewhere
  ///   in it; any other, and the scanner stands behind the object.
  @_lifetime(scanner: copy scanner)
  package mutating func scan(_ scanner: inout JSONScanner) throws(RejectionReason) {
    reset()
    do {
      scanner.skipWhitespace()
      let start = scanner.offset
      try scanFields(&scanner)
      range = start..<scanner.offset
    } catch {
      throw .notJSON(BrokenJSON(error))
    }
    if let problem { throw problem }
    guard hasKind else { throw .notAChangeRecord("eventName is missing") }
    guard hasBody else { throw .notAChangeRecord("the member dynamodb is missing") }
    guard keys != nil || newImage != nil || oldImage != nil else {
      throw .notAChangeRecord("it has neither Keys nor an image")
    }
    if let time {
      let found = try EventTime(scanner.raw(time), precision: precision.map { scanner.string($0) })
      (eventTime, eventTimePrecision) = (found.microseconds, found.precision)
    } else if let timeText {
      let found = try EventTime(scanner.raw(timeText))
      (eventTime, eventTimePrecision) = (found.microseconds, found.precision)
    }
  }

  mutating func reset() {
    (eventTime, eventTimePrecision) = (nil, nil)
    isExpiry = false
    shape = .dynamodb
    (sequenceNumberRange, aggregateIndex, isCarriedSequence) = (nil, nil, false)
    (identityType, identityPrincipal, tableOfFile) = (nil, nil, nil)
    (keysRange, newImageRange, oldImageRange) = (nil, nil, nil)
    (keys, newImage, oldImage) = (nil, nil, nil)
    (eventIDText, tableNameRange, problem) = (nil, nil, nil)
    (time, timeText, precision) = (nil, nil, nil)
    (hasKind, hasBody) = (false, false)
    values.removeAll(keepingCapacity: true)
  }

  mutating func note(_ what: String) {
    if problem == nil { problem = .notAChangeRecord(what) }
  }

  @_lifetime(scanner: copy scanner)
  private mutating func scanFields(_ scanner: inout JSONScanner) throws(JSONError) {
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      if scanner.matches(key, "dynamodb") {
        guard try isObject(&scanner, "dynamodb") else { continue }
        if hasBody { note("the member dynamodb is there twice") }
        hasBody = true
        try scanBody(&scanner)
      } else if scanner.matches(key, "eventName") {
        guard let text = try string(&scanner, "eventName") else { continue }
        if hasKind { note("the member eventName is there twice") }
        hasKind = true
        if let found = ChangeKind(eventName: text, scanner) {
          kind = found
        } else {
          note("eventName is \"\(scanner.string(text).prefix(32))\", not INSERT, MODIFY or REMOVE")
        }
      } else if scanner.matches(key, "eventID") {
        eventIDText = try string(&scanner, "eventID")
      } else if scanner.matches(key, "tableName") {
        tableNameRange = try string(&scanner, "tableName")?.range
      } else if scanner.matches(key, "eventSourceARN") {
        if let text = try string(&scanner, "eventSourceARN"), tableNameRange == nil {
          tableNameRange = Self.tableName(inARN: text.range, scanner)
        }
      } else if scanner.matches(key, "userIdentity"), try scanner.peek() == .object {
        try scanIdentity(&scanner)
      } else {
        try scanner.skipValue()
      }
    }
  }

  @_lifetime(scanner: copy scanner)
  private mutating func scanBody(_ scanner: inout JSONScanner) throws(JSONError) {
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      if scanner.matches(key, "NewImage") {
        (newImageRange, newImage) = try scanImage(&scanner, "NewImage", newImage != nil)
      } else if scanner.matches(key, "OldImage") {
        (oldImageRange, oldImage) = try scanImage(&scanner, "OldImage", oldImage != nil)
      } else if scanner.matches(key, "Keys") {
        (keysRange, keys) = try scanImage(&scanner, "Keys", keys != nil)
      } else if scanner.matches(key, "ApproximateCreationDateTime") {
        switch try scanner.peek() {
        case .number: time = try scanner.readNumber()
        case .string: timeText = try scanner.readString()
        default:
          note("ApproximateCreationDateTime is neither a number nor a text")
          try scanner.skipValue()
        }
      } else if scanner.matches(key, "ApproximateCreationDateTimePrecision") {
        precision = try string(&scanner, "ApproximateCreationDateTimePrecision")
      } else if scanner.matches(key, "SequenceNumber") {
        if let text = try string(&scanner, "SequenceNumber") {
          sequenceNumberRange = SequenceNumber.digits(text, scanner)
          if sequenceNumberRange == nil { note("SequenceNumber is no number") }
        }
      } else if scanner.matches(key, "SubsequenceNumber"), try scanner.peek() == .number {
        // None of DynamoDB's: where the normal form keeps the place of a record that was aggregated with others.
        aggregateIndex = Int(scanner.string(try scanner.readNumber()))
      } else {
        try scanner.skipValue()
      }
    }
  }

  @_lifetime(scanner: copy scanner)
  mutating func scanImage(
    _ scanner: inout JSONScanner, _ name: String, _ isAgain: Bool
  ) throws(JSONError) -> (Range<Int>?, Range<Int>?) {
    guard try scanner.peek() != .null else {
      try scanner.readNull()
      return (nil, nil)
    }
    if isAgain { note("\(name) is there twice") }
    guard try isObject(&scanner, name) else { return (nil, nil) }
    let start = (scanner.offset, values.count)
    var found: ScanProblem?
    try scanner.scanAttributes(into: &values, &found)
    if let found, problem == nil {
      problem = .badAttribute(image: name, name: found.name, what: found.what)
    }
    return (start.0..<scanner.offset, start.1..<values.count)
  }

  @_lifetime(scanner: copy scanner)
  private mutating func scanIdentity(_ scanner: inout JSONScanner) throws(JSONError) {
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      if scanner.matches(key, "principalId"), try scanner.peek() == .string {
        let principal = try scanner.readString()
        identityPrincipal = principal
        isExpiry = scanner.matches(principal, "dynamodb.amazonaws.com")
      } else if scanner.matches(key, "type"), try scanner.peek() == .string {
        identityType = try scanner.readString()
      } else {
        try scanner.skipValue()
      }
    }
  }

  /// Whether an object comes next; another value is passed over and noted.
  @_lifetime(scanner: copy scanner)
  mutating func isObject(_ scanner: inout JSONScanner, _ name: String) throws(JSONError) -> Bool {
    let found = try scanner.peek()
    if found == .object { return true }
    note("\(name) is \(found), not an object")
    try scanner.skipValue()
    return false
  }

  /// A string, or nil for null; another value is passed over and noted.
  @_lifetime(scanner: copy scanner)
  mutating func string(_ scanner: inout JSONScanner, _ name: String) throws(JSONError) -> JSONText? {
    let found = try scanner.peek()
    if found == .string { return try scanner.readString() }
    if found != .null { note("\(name) is \(found), not a string") }
    try scanner.skipValue()
    return nil
  }

  /// The table's name in `arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/TIME`; nil where the text is none such.
  private static func tableName(inARN range: Range<Int>, _ scanner: borrowing JSONScanner) -> Range<Int>? {
    scanner.raw(range).withUnsafeBytes { bytes in
      let word = Array(":table/".utf8)
      guard bytes.count > word.count else { return nil }
      let starts = 0..<bytes.count - word.count
      guard let found = starts.first(where: { bytes[$0..<$0 + word.count].elementsEqual(word) }) else {
        return nil
      }
      let start = found + word.count
      let end = bytes[start...].firstIndex(of: 0x2f) ?? bytes.count
      return end > start ? range.lowerBound + start..<range.lowerBound + end : nil
    }
  }
}
