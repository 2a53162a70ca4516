import DynamoDBJSON
import TarnBytes

/// One form for change records of every shape: that of Kinesis Data Streams for DynamoDB, a line each.
///
/// Items as plain JSON, such as Debezium's, become attributes; DynamoDB's own stand as they came. What that form has no
/// member for is beside it: `SequenceNumber`, as DynamoDB Streams has it, and `SubsequenceNumber`, the place of a record
/// that was aggregated with others. A time whose digits contradict its precision is written in microseconds.
extension ChangeRecord {
  /// Appends the record as a line that is read again to the same record.
  ///
  /// ```swift
  /// var out: [UInt8] = []
  /// try ChangeRecords.read(event) { (record, text) throws(RejectionReason) in
  ///   try record.appendNormalForm(text, to: &out)
  /// }
  /// ```
  ///
  /// - Parameter text: What the record was scanned in.
  /// - Throws: ``RejectionReason`` where plain JSON has a value that no attribute of DynamoDB can have, such as a number of
  ///   more than 38 digits; nothing is appended then.
  public func appendNormalForm(_ text: RawSpan, to out: inout [UInt8]) throws(RejectionReason) {
    let start = out.count
    do throws(RejectionReason) {
      try appendNormalForm(JSONScanner(text), to: &out)
    } catch {
      out.removeSubrange(start...)
      throw error
    }
  }

  private func appendNormalForm(
    _ scanner: borrowing JSONScanner, to out: inout [UInt8]
  ) throws(RejectionReason) {
    out.append(text: "{")
    if let eventIDText { Self.append("eventID", scanner.raw(eventIDText), to: &out) }
    out.append(text: "\"eventName\":\"")
    out.append(text: kind.name)
    out.append(text: "\",")
    if let tableNameRange {
      Self.append("tableName", scanner.raw(tableNameRange), to: &out)
    } else if let tableOfFile {
      out.append(text: "\"tableName\":")
      out.appendJSON(string: tableOfFile)
      out.append(0x2c)
    }
    if identityType != nil || identityPrincipal != nil {
      out.append(text: "\"userIdentity\":{")
      if let identityType { Self.append("type", scanner.raw(identityType), to: &out) }
      if let identityPrincipal { Self.append("principalId", scanner.raw(identityPrincipal), to: &out) }
      out[out.count - 1] = 0x7d
      out.append(0x2c)
    }
    out.append(text: "\"dynamodb\":{")
    if let (time, precision) = normalTime {
      out.append(text: "\"ApproximateCreationDateTime\":")
      out.append(decimal: time)
      out.append(0x2c)
      if let precision {
        out.append(text: "\"ApproximateCreationDateTimePrecision\":\"")
        out.append(text: precision)
        out.append(text: "\",")
      }
    }
    for image in NormalImage.allCases {
      guard image.range(of: self) != nil else { continue }
      out.append(0x22)
      out.append(text: image.rawValue)
      out.append(text: "\":")
      try append(image, scanner, to: &out)
      out.append(0x2c)
    }
    if let sequenceNumberRange {
      Self.append("SequenceNumber", scanner.raw(sequenceNumberRange), to: &out)
    }
    if let aggregateIndex {
      out.append(text: "\"SubsequenceNumber\":")
      out.append(decimal: aggregateIndex)
      out.append(0x2c)
    }
    // Every record has keys or an image, so that a comma is the last.
    out[out.count - 1] = 0x7d
    out.append(text: ",\"eventSource\":\"aws:dynamodb\"}\n")
  }

  /// Appends a member whose text, escapes and all, stands as it came.
  private static func append(_ name: String, _ raw: RawSpan, to out: inout [UInt8]) {
    out.append(0x22)
    out.append(text: name)
    out.append(text: "\":\"")
    out.append(raw)
    out.append(text: "\",")
  }

  /// The time as a number in the precision that is named, or in seconds; nil where there is none.
  var normalTime: (time: Int64, precision: String?)? {
    guard let eventTime else { return nil }
    switch eventTimePrecision {
    case .millisecond where eventTime % 1_000 == 0: return (eventTime / 1_000, "MILLISECOND")
    // Greater numbers of seconds would be read as milliseconds.
    case .second where eventTime % 1_000_000 == 0 && eventTime.magnitude < 100_000_000_000_000_000:
      return (eventTime / 1_000_000, nil)
    default: return (eventTime, "MICROSECOND")
    }
  }

  // MARK: Keys and images

  /// Appends an item in DynamoDB JSON, without line breaks.
  func append(
    _ image: NormalImage, _ scanner: borrowing JSONScanner, to out: inout [UInt8]
  ) throws(RejectionReason) {
    guard let range = image.range(of: self), let members = image.values(of: self) else { return }
    guard shape == .dynamodb || shape == .export else {
      return try marshall(members, image, scanner, to: &out)
    }
    out.append(compact: scanner.raw(range))
  }

  /// Appends members of plain JSON as attributes.
  private func marshall(
    _ members: Range<Int>, _ image: NormalImage, _ scanner: borrowing JSONScanner, to out: inout [UInt8]
  ) throws(RejectionReason) {
    out.append(0x7b)
    for (number, value) in values[members].enumerated() {
      if number > 0 { out.append(0x2c) }
      out.append(0x22)
      out.append(scanner.raw(value.name))
      out.append(text: "\":")
      let text = scanner.raw(value.value)
      do throws(DynamoDBJSONError) {
        switch value.kind {
        case .yes: out.append(text: "{\"BOOL\":true}")
        case .no: out.append(text: "{\"BOOL\":false}")
        case .null: out.append(text: "{\"NULL\":true}")
        case .string, .binary, .attributeDocument: Self.append(text, tag: "S", to: &out)
        case .number:
          try DynamoDBNumber.check(text)
          Self.append(text, tag: "N", to: &out)
        case .document: out += try PlainJSON().marshallAttribute(text.copied())
        }
      } catch {
        let name = scanner.text(value.name, isEscaped: value.nameIsEscaped)
        throw .badAttribute(image: image.rawValue, name: name, what: error.reason)
      }
    }
    out.append(0x7d)
  }

  private static func append(_ raw: RawSpan, tag: String, to out: inout [UInt8]) {
    out.append(text: "{\"")
    out.append(text: tag)
    out.append(text: "\":\"")
    out.append(raw)
    out.append(text: "\"}")
  }
}

/// The items that a record has, by the members' names.
enum NormalImage: String, CaseIterable {
  case keys = "Keys"
  case newImage = "NewImage"
  case oldImage = "OldImage"

  func range(of record: ChangeRecord) -> Range<Int>? {
    switch self {
    case .keys: record.keysRange
    case .newImage: record.newImageRange
    case .oldImage: record.oldImageRange
    }
  }

  func values(of record: ChangeRecord) -> Range<Int>? {
    switch self {
    case .keys: record.keys
    case .newImage: record.newImage
    case .oldImage: record.oldImage
    }
  }
}

extension [UInt8] {
  /// Appends a JSON value that has been scanned, without the blanks and line ends between its parts.
  mutating func append(compact text: RawSpan) {
    let isCompact = text.withUnsafeBytes { bytes in
      var least: UInt8 = 0xff
      for byte in bytes { least = Swift.min(least, byte) }
      return least >= 0x20
    }
    if isCompact { return append(text) }
    text.withUnsafeBytes { bytes in
      var isQuoted = false
      var isEscape = false
      for byte in bytes {
        if isQuoted {
          append(byte)
          isQuoted = isEscape || byte != 0x22
          isEscape = !isEscape && byte == 0x5c
        } else if byte > 0x20 {
          append(byte)
          isQuoted = byte == 0x22
        }
      }
    }
  }
}
