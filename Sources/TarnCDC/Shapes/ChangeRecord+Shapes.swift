import TarnBytes

extension ChangeRecord {
  /// Takes the next record, of a shape that is known.
  ///
  /// - Throws: ``RejectionReason``, as ``scan(_:)`` does: `notJSON`, and the scanner stands somewhere in the object; any
  ///   other, and it stands behind it.
  @_lifetime(scanner: copy scanner)
  mutating func scan(_ scanner: inout JSONScanner, as shape: ChangeShape) throws(RejectionReason) {
    guard shape != .dynamodb else { return try scan(&scanner) }
    reset()
    self.shape = shape
    var times = ScannedTimes()
    do {
      scanner.skipWhitespace()
      let start = scanner.offset
      switch shape {
      case .export: try scanExport(&scanner, &times)
      case .debezium: try scanDebezium(&scanner, &times)
      case .dms: try scanRow(&scanner, DMSMembers(), &times)
      case .eventName: try scanRow(&scanner, EventMembers(), &times)
      case .dynamodb: break
      }
      range = start..<scanner.offset
      if shape == .dms || shape == .eventName {
        if newImage != nil { newImageRange = range }
        if oldImage != nil { oldImageRange = range }
      }
    } catch {
      throw .notJSON(BrokenJSON(error))
    }
    if let problem { throw problem }
    guard let found = try times.finest(scanner) else { return }
    (eventTime, eventTimePrecision) = (found.microseconds, found.precision)
  }
}

/// Where the members stand that tell a record's time, each finer one before the others.
struct ScannedTimes {
  private var found: (range: Range<Int>, rank: Int, member: StaticString, isText: Bool)?

  /// Takes the time that comes next, unless a finer one is known; null is none.
  ///
  /// - Parameter rank: The higher, the finer.
  /// - Returns: Whether it was a number, a text or null.
  @_lifetime(scanner: copy scanner)
  mutating func take(_ scanner: inout JSONScanner, _ member: StaticString, rank: Int) throws(JSONError)
    -> Bool
  {
    let isFiner = found.map { rank > $0.rank } ?? true
    switch try scanner.peek() {
    case .number:
      let range = try scanner.readNumber()
      if isFiner { found = (range, rank, member, false) }
    case .string:
      let text = try scanner.readString()
      if isFiner { found = (text.range, rank, member, true) }
    case .null: try scanner.readNull()
    default:
      try scanner.skipValue()
      return false
    }
    return true
  }

  /// The time; nil where there is none.
  func finest(_ scanner: borrowing JSONScanner) throws(RejectionReason) -> EventTime? {
    guard let found else { return nil }
    let text = scanner.raw(found.range)
    let isDigits = text.withUnsafeBytes { bytes in
      !bytes.isEmpty && bytes.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2e || $0 == 0x2d }
        && bytes.dropFirst().allSatisfy { $0 != 0x2d }
    }
    if found.isText, !isDigits { return try EventTime(text, of: found.member.description) }
    let precision = found.member.description.hasSuffix("Micros") ? "MICROSECOND" : nil
    return try EventTime(text, precision: precision, of: found.member.description)
  }
}

// MARK: Exports

extension ChangeRecord {
  /// Takes a line of an export, by "Output format of DynamoDB table exports" in the Amazon DynamoDB Developer Guide.
  ///
  /// A line of a full export has an `Item`, which is an insertion. One of an incremental export has `Keys`, and images as
  /// far as the export's view has them: without `NewImage` the item was removed; without `OldImage` nothing tells whether
  /// it was there before, and it counts as inserted.
  @_lifetime(scanner: copy scanner)
  fileprivate mutating func scanExport(
    _ scanner: inout JSONScanner, _ times: inout ScannedTimes
  ) throws(JSONError) {
    var hasItem = false
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      if scanner.matches(key, "Item") {
        (newImageRange, newImage) = try scanImage(&scanner, "Item", newImage != nil)
        hasItem = newImage != nil
      } else if scanner.matches(key, "Keys") {
        (keysRange, keys) = try scanImage(&scanner, "Keys", keys != nil)
      } else if scanner.matches(key, "NewImage") {
        (newImageRange, newImage) = try scanImage(&scanner, "NewImage", newImage != nil)
      } else if scanner.matches(key, "OldImage") {
        (oldImageRange, oldImage) = try scanImage(&scanner, "OldImage", oldImage != nil)
      } else if scanner.matches(key, "Metadata"), try scanner.peek() == .object {
        try scanExportMetadata(&scanner, &times)
      } else {
        try scanner.skipValue()
      }
    }
    if !hasItem, keys == nil { note("it has neither Item nor Keys") }
    kind = newImage == nil ? .remove : oldImage == nil ? .insert : .modify
  }

  @_lifetime(scanner: copy scanner)
  private mutating func scanExportMetadata(
    _ scanner: inout JSONScanner, _ times: inout ScannedTimes
  ) throws(JSONError) {
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      guard scanner.matches(key, "WriteTimestampMicros") else {
        try scanner.skipValue()
        continue
      }
      var isTime = false
      if try scanner.peek() == .object {
        // As an attribute value, `{"N":"1680109764000000"}`.
        try scanner.beginObject()
        while let tag = try scanner.nextKey() {
          if scanner.matches(tag, "N") {
            isTime = try times.take(&scanner, "WriteTimestampMicros", rank: 0)
          } else {
            try scanner.skipValue()
          }
        }
      } else {
        isTime = try times.take(&scanner, "WriteTimestampMicros", rank: 0)
      }
      if !isTime { note("WriteTimestampMicros is no number") }
    }
  }
}

// MARK: Debezium

extension ChangeRecord {
  /// Takes Debezium's envelope, by "Data change events" in the documentation of Debezium's connectors: `op` is `c`
  /// (created), `r` (read in a snapshot), `u` (updated) or `d` (deleted).
  ///
  /// The time is that of the change in the database, in `source`; where that is missing, that of the connector.
  @_lifetime(scanner: copy scanner)
  fileprivate mutating func scanDebezium(
    _ scanner: inout JSONScanner, _ times: inout ScannedTimes, isPayload: Bool = false
  ) throws(JSONError) {
    var operation: ChangeKind?
    var hasPayload = false
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      if scanner.matches(key, "op") {
        guard let text = try string(&scanner, "op") else { continue }
        if operation != nil { note("the member op is there twice") }
        if scanner.matches(text, "c") || scanner.matches(text, "r") {
          operation = .insert
        } else if scanner.matches(text, "u") {
          operation = .modify
        } else if scanner.matches(text, "d") {
          operation = .remove
        } else {
          note("op is \"\(scanner.string(text).prefix(32))\", not c, r, u or d")
          operation = .insert
        }
      } else if scanner.matches(key, "before") {
        (oldImageRange, oldImage) = try scanRowImage(&scanner, "before", oldImage != nil)
      } else if scanner.matches(key, "after") {
        (newImageRange, newImage) = try scanRowImage(&scanner, "after", newImage != nil)
      } else if scanner.matches(key, "source"), try scanner.peek() == .object {
        try scanDebeziumSource(&scanner, &times)
      } else if scanner.matches(key, "ts_ms") {
        if try !times.take(&scanner, "ts_ms", rank: 0) { note("ts_ms is no number") }
      } else if !isPayload, scanner.matches(key, "payload"), try scanner.peek() == .object {
        hasPayload = true
        try scanDebezium(&scanner, &times, isPayload: true)
      } else {
        try scanner.skipValue()
      }
    }
    guard !hasPayload else { return }
    guard let operation else { return note("op is missing") }
    kind = operation
    if kind == .remove {
      if oldImage == nil {
        note("before is missing: let the table's replica identity be full, or its row image")
      }
      (newImageRange, newImage) = (nil, nil)
    } else if newImage == nil {
      note("after is missing")
    }
  }

  @_lifetime(scanner: copy scanner)
  private mutating func scanDebeziumSource(
    _ scanner: inout JSONScanner, _ times: inout ScannedTimes
  ) throws(JSONError) {
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      if scanner.matches(key, "ts_ms") {
        _ = try times.take(&scanner, "source.ts_ms", rank: 1)
      } else if scanner.matches(key, "ts_us") {
        _ = try times.take(&scanner, "source.ts_us", rank: 2)
      } else if scanner.matches(key, "table"), try scanner.peek() == .string {
        let text = try scanner.readString()
        if !text.isEscaped { tableNameRange = text.range }
      } else {
        try scanner.skipValue()
      }
    }
  }

  /// Takes a row as a plain JSON object, or null.
  @_lifetime(scanner: copy scanner)
  private mutating func scanRowImage(
    _ scanner: inout JSONScanner, _ name: String, _ isAgain: Bool
  ) throws(JSONError) -> (Range<Int>?, Range<Int>?) {
    guard try scanner.peek() != .null else {
      try scanner.readNull()
      return (nil, nil)
    }
    if isAgain { note("\(name) is there twice") }
    guard try isObject(&scanner, name) else { return (nil, nil) }
    let start = (scanner.offset, values.count)
    try scanner.scanMembers(into: &values)
    return (start.0..<scanner.offset, start.1..<values.count)
  }
}

// MARK: Rows with an operation

/// Members beside a row's columns that tell of the change.
private protocol RowMembers {
  /// The member that tells what happened.
  static var operation: StaticString { get }
  /// What its text means; nil where it is none.
  static func kind(_ text: JSONText, _ scanner: borrowing JSONScanner) -> ChangeKind?
  /// What it may be, for people.
  static var expected: String { get }
  /// Whether `event_id`, `event_time` and the others of ``ChangeShape/eventName`` are members of this kind, too.
  static var hasEvent: Bool { get }
}

/// AWS DMS's, by "Using Amazon S3 as a target for AWS Database Migration Service": `I`, `U` and `D`.
private struct DMSMembers: RowMembers {
  static var operation: StaticString { "Op" }
  static var expected: String { "I, U or D" }
  static var hasEvent: Bool { false }

  static func kind(_ text: JSONText, _ scanner: borrowing JSONScanner) -> ChangeKind? {
    if scanner.matches(text, "I") { return .insert }
    if scanner.matches(text, "U") { return .modify }
    return scanner.matches(text, "D") ? .remove : nil
  }
}

/// Those of functions that transform change records for a delivery stream.
private struct EventMembers: RowMembers {
  static var operation: StaticString { "event_name" }
  static var expected: String { "INSERT, MODIFY or REMOVE" }
  static var hasEvent: Bool { true }

  static func kind(_ text: JSONText, _ scanner: borrowing JSONScanner) -> ChangeKind? {
    ChangeKind(eventName: text, scanner)
  }
}

extension ChangeRecord {
  /// Takes a row that has its operation beside its columns.
  ///
  /// The columns are the new image, and the old one of a row that was removed.
  @_lifetime(scanner: copy scanner)
  fileprivate mutating func scanRow<Members: RowMembers>(
    _ scanner: inout JSONScanner, _ members: Members, _ times: inout ScannedTimes
  ) throws(JSONError) {
    var operation: ChangeKind?
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      if scanner.matches(key, Members.operation) {
        guard let text = try string(&scanner, Members.operation.description) else { continue }
        if operation != nil { note("the member \(Members.operation) is there twice") }
        operation = Members.kind(text, scanner)
        if operation == nil {
          note("\(Members.operation) is \"\(scanner.string(text).prefix(32))\", not \(Members.expected)")
          operation = .insert
        }
      } else if Members.hasEvent, try scanEventMember(&scanner, key, &times) {
        continue
      } else {
        try scanner.scanMember(key, into: &values)
      }
    }
    guard let operation else { return note("\(Members.operation) is missing") }
    kind = operation
    if kind == .remove { oldImage = values.indices } else { newImage = values.indices }
    if values.isEmpty { note("it has no column beside \(Members.operation)") }
  }

  /// Takes a member that tells of the change, where one is next.
  @_lifetime(scanner: copy scanner)
  private mutating func scanEventMember(
    _ scanner: inout JSONScanner, _ key: JSONText, _ times: inout ScannedTimes
  ) throws(JSONError) -> Bool {
    if scanner.matches(key, "event_id") {
      eventIDText = try string(&scanner, "event_id")
    } else if scanner.matches(key, "event_time") {
      if try !times.take(&scanner, "event_time", rank: 0) {
        note("event_time is neither a number nor a text")
      }
    } else if scanner.matches(key, "event_sequence") {
      if let text = try string(&scanner, "event_sequence") {
        (sequenceNumberRange, aggregateIndex) = SequenceNumber.parts(text, scanner)
        if sequenceNumberRange == nil { note("event_sequence is no number") }
      }
    } else if scanner.matches(key, "event_index"), try scanner.peek() == .number {
      aggregateIndex = Int(scanner.string(try scanner.readNumber()))
    } else if scanner.matches(key, "event_table"), try scanner.peek() == .string {
      let text = try scanner.readString()
      if !text.isEscaped { tableNameRange = text.range }
    } else {
      return false
    }
    return true
  }
}
