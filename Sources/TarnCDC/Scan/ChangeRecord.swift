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
}

/// One change of a DynamoDB item, as it stands in scanned text.
///
/// It reads records of Kinesis Data Streams for DynamoDB and of DynamoDB Streams, and keeps offsets only:
/// no tree of values is built. One value is used again and again, for record after record.
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
  public private(set) var kind = ChangeKind.insert
  /// When it happened, in microseconds since 1970-01-01T00:00:00Z; nil where the record does not say.
  public private(set) var eventTime: Int64?
  /// Whether DynamoDB itself removed the item, its time to live having passed.
  public private(set) var isExpiry = false
  /// Where the record stands in the text.
  public private(set) var range = 0..<0
  /// Where the Keys stand in the text, braces included.
  public private(set) var keysRange: Range<Int>?
  /// Where the NewImage stands in the text; nil where the record has none.
  public private(set) var newImageRange: Range<Int>?
  /// Where the OldImage stands in the text; nil where the record has none.
  public private(set) var oldImageRange: Range<Int>?

  var eventIDText: JSONText?
  /// Where the DynamoDB table's name stands, which has no escapes: it is of letters, digits, `_`, `-` and `.`.
  var tableNameRange: Range<Int>?
  /// The attributes of Keys and images, one after the other.
  var values: [ScannedValue] = []
  var keys: Range<Int>?
  var newImage: Range<Int>?
  var oldImage: Range<Int>?

  private var hasKind = false
  private var hasBody = false
  private var time: Range<Int>?
  private var timeText: JSONText?
  private var precision: JSONText?
  private var problem: RejectionReason?

  /// Makes a record to scan into.
  public init() {}

  /// The eventID, taken from the text that the record was scanned in; nil where the record has none.
  public func eventID(in text: RawSpan) -> String? { eventID(in: JSONScanner(text)) }

  /// The name of the DynamoDB table: its tableName, or else that in its eventSourceARN; nil where the record does not
  /// say, as those that DynamoDB Streams itself hands out.
  ///
  /// - Parameter text: What the record was scanned in.
  public func tableName(in text: RawSpan) -> String? { tableName(in: JSONScanner(text)) }

  package func eventID(in scanner: borrowing JSONScanner) -> String? {
    eventIDText.map { scanner.string($0) }
  }

  package func tableName(in scanner: borrowing JSONScanner) -> String? {
    tableNameRange.map { scanner.string($0) }
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
      eventTime = try Self.microseconds(scanner.raw(time), precision: precision.map { scanner.string($0) })
    } else if let timeText {
      eventTime = try Self.microseconds(scanner.raw(timeText))
    }
  }

  private mutating func reset() {
    eventTime = nil
    isExpiry = false
    (keysRange, newImageRange, oldImageRange) = (nil, nil, nil)
    (keys, newImage, oldImage) = (nil, nil, nil)
    (eventIDText, tableNameRange, problem) = (nil, nil, nil)
    (time, timeText, precision) = (nil, nil, nil)
    (hasKind, hasBody) = (false, false)
    values.removeAll(keepingCapacity: true)
  }

  private mutating func note(_ what: String) {
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
        if scanner.matches(text, "INSERT") {
          kind = .insert
        } else if scanner.matches(text, "MODIFY") {
          kind = .modify
        } else if scanner.matches(text, "REMOVE") {
          kind = .remove
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
      } else {
        try scanner.skipValue()
      }
    }
  }

  @_lifetime(scanner: copy scanner)
  private mutating func scanImage(
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
        isExpiry = scanner.matches(try scanner.readString(), "dynamodb.amazonaws.com")
      } else {
        try scanner.skipValue()
      }
    }
  }

  /// Whether an object comes next; another value is passed over and noted.
  @_lifetime(scanner: copy scanner)
  private mutating func isObject(_ scanner: inout JSONScanner, _ name: String) throws(JSONError) -> Bool {
    let found = try scanner.peek()
    if found == .object { return true }
    note("\(name) is \(found), not an object")
    try scanner.skipValue()
    return false
  }

  /// A string, or nil for null; another value is passed over and noted.
  @_lifetime(scanner: copy scanner)
  private mutating func string(_ scanner: inout JSONScanner, _ name: String) throws(JSONError) -> JSONText? {
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

  /// A creation time that is written as ISO 8601 has it, in microseconds; without zone it is in UTC.
  private static func microseconds(_ text: RawSpan) throws(RejectionReason) -> Int64 {
    guard let time = CivilTime.parse(text), !time.lostDigits else {
      let shown = text.withUnsafeBytes { String(decoding: $0.prefix(40), as: UTF8.self) }
      throw .notAChangeRecord(
        "ApproximateCreationDateTime \"\(shown)\" is no time such as 2024-01-31T12:00:00Z, of microseconds at most"
      )
    }
    return time.microseconds
  }

  /// A creation time in microseconds.
  ///
  /// Where the record names no precision, the magnitude tells it: 16 digits are microseconds, 13 milliseconds,
  /// 10 seconds, as in DynamoDB Streams, perhaps with a fraction or an exponent.
  static func microseconds(_ text: RawSpan, precision: String?) throws(RejectionReason) -> Int64 {
    func bad() -> RejectionReason {
      let shown = text.withUnsafeBytes { String(decoding: $0.prefix(40), as: UTF8.self) }
      return .notAChangeRecord("ApproximateCreationDateTime \(shown) is no time")
    }
    guard let value = ExactDecimal(text), let whole = value.rounded(scale: 0) else { throw bad() }
    let scale: Int
    switch precision {
    case "MICROSECOND": scale = 0
    case "MILLISECOND": scale = 3
    case nil:
      scale =
        switch whole.magnitude {
        case 100_000_000_000_000...: 0
        case 100_000_000_000...: 3
        default: 6
        }
    case .some(let other):
      throw .notAChangeRecord("ApproximateCreationDateTimePrecision \"\(other.prefix(32))\" is not known")
    }
    guard let micros = value.rounded(scale: scale), let result = Int64(exactly: micros) else { throw bad() }
    return result
  }
}
