import DynamoDBJSON
import TarnBytes
import TarnColumns

// Lines of JSON made of change records, from text to text with no tree between.

extension ChangeRecord {
  /// The members that tell of a change beside an item's attributes, and the one by which records of DynamoDB's own are
  /// known: no attribute of such a line can have these names.
  @inline(__always)
  private static func isMemberName(_ value: ScannedValue, _ scanner: borrowing JSONScanner) -> Bool {
    guard value.nameIsEscaped else { return isMemberName(scanner.raw(value.name)) }
    let name = scanner.unescaped(value.name)
    return isMemberName(name.span.bytes)
  }

  private static func isMemberName(_ name: RawSpan) -> Bool {
    // Most names are told by their first letter and length.
    guard (8...14).contains(name.byteCount) else { return false }
    let first = name.withUnsafeBytes { $0.first }
    guard first == 0x65 || first == 0x64 else { return false }
    return memberNames.contains(name.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
  }

  private static let memberNames: Set = [
    "event_name", "event_id", "event_time", "event_sequence", "event_index", "event_table", "dynamodb",
  ]

  /// Appends the line of ``ChangeShape/eventName``.
  borrowing func appendLine(
    _ scanner: borrowing JSONScanner, to out: inout [UInt8]
  ) throws(RejectionReason) {
    let image = kind == .remove ? oldImage : newImage
    if image == nil, kind != .remove { throw .noNewImage(eventName: kind.name) }
    switch kind {
    case .insert: out.append(literal: "{\"event_name\":\"INSERT\"")
    case .modify: out.append(literal: "{\"event_name\":\"MODIFY\"")
    case .remove: out.append(literal: "{\"event_name\":\"REMOVE\"")
    }
    if let eventIDText { Self.append(",\"event_id\":\"", eventIDText.range, to: &out, scanner) }
    if let eventTime {
      out.append(literal: ",\"event_time\":")
      Self.append(time: eventTime, eventTimePrecision ?? .microsecond, to: &out)
    }
    if let sequenceNumberRange {
      Self.append(",\"event_sequence\":\"", sequenceNumberRange, to: &out, scanner)
    }
    if let aggregateIndex, aggregateIndex > 0 {
      out.append(text: ",\"event_index\":")
      out.append(decimal: aggregateIndex)
    }
    if let tableNameRange { Self.append(",\"event_table\":\"", tableNameRange, to: &out, scanner) }
    if let image {
      for position in image { try append(values[position], imageName, to: &out, scanner) }
    }
    for position in keys ?? 0..<0 where !hasAttribute(values[position], in: image, scanner) {
      try append(values[position], "Keys", to: &out, scanner)
    }
    out.append(literal: "}\n")
  }

  private var imageName: String { kind == .remove ? "OldImage" : "NewImage" }

  /// Appends a string member whose raw text stands at a range.
  private static func append(
    _ member: StaticString, _ range: Range<Int>, to out: inout [UInt8], _ scanner: borrowing JSONScanner
  ) {
    out.append(literal: member)
    out.append(scanner.raw(range))
    out.append(0x22)
  }

  /// Whether an image has an attribute of the name of a key's.
  private func hasAttribute(_ key: ScannedValue, in image: Range<Int>?, _ scanner: borrowing JSONScanner)
    -> Bool
  {
    guard let image else { return false }
    for position in image {
      let other = values[position]
      if key.nameIsEscaped || other.nameIsEscaped {
        let name = scanner.text(key.name, isEscaped: key.nameIsEscaped)
        if name == scanner.text(other.name, isEscaped: other.nameIsEscaped) { return true }
      } else if scanner.raw(key.name).isEqual(to: scanner.raw(other.name)) {
        return true
      }
    }
    return false
  }

  /// Appends an attribute as a member of plain JSON.
  @inline(__always)
  private func append(
    _ value: ScannedValue, _ image: String, to out: inout [UInt8], _ scanner: borrowing JSONScanner
  ) throws(RejectionReason) {
    guard !Self.isMemberName(value, scanner) else {
      throw attributeProblem(
        value, image, "a line has the name for a member that tells of the change", scanner)
    }
    out.append(0x2c)
    out.append(0x22)
    out.append(scanner.raw(value.name))
    out.append(0x22)
    out.append(0x3a)
    let text = scanner.raw(value.value)
    switch value.kind {
    case .string: Self.append(quoted: text, to: &out)
    case .binary:
      guard Self.isBase64Value(value, scanner) else {
        throw attributeProblem(value, image, "it is no base64", scanner)
      }
      Self.append(quoted: text, to: &out)
    case .number:
      if value.isAttribute {
        try append(number: text, value, image, to: &out, scanner)
      } else {
        out.append(text)
      }
    case .yes: out.append(text: "true")
    case .no: out.append(text: "false")
    case .null: out.append(text: "null")
    case .document: out.append(compact: text)
    case .attributeDocument:
      do throws(DynamoDBJSONError) {
        out.append(contentsOf: try PlainJSON.canonical.unmarshallAttribute(text.copied()))
      } catch {
        let why = error.path.isEmpty ? error.reason : "\(error.path): \(error.reason)"
        throw attributeProblem(value, image, why, scanner)
      }
    }
  }

  @inline(__always)
  private static func append(quoted text: RawSpan, to out: inout [UInt8]) {
    out.append(0x22)
    out.append(text)
    out.append(0x22)
  }

  private static func isBase64Value(_ value: ScannedValue, _ scanner: borrowing JSONScanner) -> Bool {
    guard value.valueIsEscaped else { return Base64.count(scanner.raw(value.value)) != nil }
    let letters = scanner.unescaped(value.value)
    return Base64.count(letters.span.bytes) != nil
  }

  /// Appends a number's text, or the canonical one where JSON does not take that, such as `+1` or `007`.
  private func append(
    number text: RawSpan, _ value: ScannedValue, _ image: String, to out: inout [UInt8],
    _ scanner: borrowing JSONScanner
  ) throws(RejectionReason) {
    do throws(DynamoDBJSONError) {
      try DynamoDBNumber.check(text)
      var again = JSONScanner(text)
      if let range = try? again.readNumber(), range.count == text.byteCount { return out.append(text) }
      try DynamoDBNumber(text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
        .appendCanonical(to: &out)
    } catch {
      throw attributeProblem(value, image, error.reason, scanner)
    }
  }

  private func attributeProblem(
    _ value: ScannedValue, _ image: String, _ what: String, _ scanner: borrowing JSONScanner
  ) -> RejectionReason {
    .badAttribute(
      image: image, name: scanner.text(value.name, isEscaped: value.nameIsEscaped), what: what)
  }

  /// Appends a time as ISO 8601 with the digits of its precision; as a number of microseconds where no year of four
  /// digits has it.
  private static func append(
    time microseconds: Int64, _ precision: EventTimePrecision, to out: inout [UInt8]
  ) {
    guard (-62_135_596_800_000_000..<253_402_300_800_000_000).contains(microseconds) else {
      return out.append(decimal: microseconds)
    }
    out.append(0x22)
    CivilTime.append(microseconds: microseconds, isInstant: false, to: &out)
    switch precision {
    case .second: out.removeLast(7)
    case .millisecond: out.removeLast(3)
    case .microsecond: break
    }
    out.append(text: "Z\"")
  }
}

extension [UInt8] {
  /// Appends a text that stands in the program, without making a string of it.
  @inline(__always)
  mutating func append(literal text: StaticString) {
    text.withUTF8Buffer { append(contentsOf: $0) }
  }
}
