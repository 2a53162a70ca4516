import DynamoDBJSON
import TarnBytes
import TarnColumns

/// Why a value does not fit its column.
struct MisfitError: Error {
  var why: String
  /// Whether the value is broken, so that no other column would take it.
  var isBroken = false

  static let notANumber = MisfitError(why: "it is no number")
  static let tooManyDigits = MisfitError(why: "it has more than 38 digits, or is beyond 1E-130 to 9.99E+125")
}

/// A column's type, taken apart once for all values; of plain numbers alone, so that a copy costs nothing.
struct ColumnTarget: Sendable {
  enum Kind: UInt8, Sendable {
    case boolean, int8, int16, int32, int64, float, double, decimal, string, binary, date, timestamp
    /// A string column whose values are told apart by kind, since not all were strings.
    case mixedString
    /// A string column whose every text is JSON.
    case json
  }

  let kind: Kind
  /// Digits behind a decimal's point.
  var scale = 0
  /// The first magnitude that a decimal's digits cannot reach.
  var limit: UInt128 = 0
  /// Microseconds in a timestamp's unit.
  var unit: Int64 = 1
  var isLocal = false
  /// The column's position in the schema.
  let column: Int
  /// Microseconds in what numbers of a column of timestamps count; 0 where that is not known.
  private let epochUnit: Int64
  /// Whether equal documents are to be equal texts.
  private let isCanonical: Bool

  /// Nil for a type that JSON cannot fill.
  ///
  /// - Parameters:
  ///   - kinds: What attributes were whose values the column has, as far as that is noted.
  ///   - origin: Whose values come: documents of attributes become canonical, and those of rows stay as they are.
  init?(_ type: DataType, column: Int, kinds: AttributeKinds, of origin: ColumnName.Origin) {
    self.column = column
    epochUnit = kinds.unit ?? 0
    isCanonical = origin == .attributes
    switch type {
    case .boolean: kind = .boolean
    case .int8: kind = .int8
    case .int16: kind = .int16
    case .int32: kind = .int32
    case .int64: kind = .int64
    case .float: kind = .float
    case .double: kind = .double
    case .decimal(let precision, let scale):
      guard (1...38).contains(precision), (0...38).contains(scale) else { return nil }
      kind = .decimal
      self.scale = scale
      limit = ExactDecimal.power(precision).magnitude
    case .string: kind = kinds.isEmpty ? .string : kinds.contains(.json) ? .json : .mixedString
    case .binary: kind = .binary
    case .date: kind = .date
    case .timestamp(let timeUnit, let zone):
      kind = .timestamp
      unit = 1_000_000 / timeUnit.perSecond
      isLocal = zone == .local
    case .time, .list, .structure, .map: return nil
    }
  }

  /// Whether it holds text.
  var isString: Bool { kind == .string || kind == .mixedString }

  /// Appends a value whose text, if it has one, is `text` without escapes.
  @inline(__always)
  func append(
    _ value: ScannedValue, _ text: RawSpan, to builder: inout ColumnBuilder, _ notes: inout ColumnNotes
  ) throws(MisfitError) {
    switch kind {
    case .string:
      if value.kind == .string {
        try Self.append(text, to: &builder)
      } else {
        try appendOther(value, text, to: &builder, &notes)
      }
    case .int64: builder.append(try integer(value, text))
    case .decimal: builder.append(try decimal(value, text))
    case .double: builder.append(try double(value, text))
    default: try appendOther(value, text, to: &builder, &notes)
    }
  }

  private func appendOther(
    _ value: ScannedValue, _ text: RawSpan, to builder: inout ColumnBuilder, _ notes: inout ColumnNotes
  ) throws(MisfitError) {
    switch kind {
    case .boolean:
      guard value.kind == .yes || value.kind == .no else {
        throw MisfitError(why: "it is neither true nor false")
      }
      builder.append(value.kind == .yes)
    case .int8: builder.append(try narrow(value, text, Int8.self))
    case .int16: builder.append(try narrow(value, text, Int16.self))
    case .int32: builder.append(try narrow(value, text, Int32.self))
    case .float: builder.append(try float(value, text))
    case .binary: try appendBinary(value, text, to: &builder)
    case .date: builder.append(try date(value, text))
    case .timestamp: builder.append(try timestamp(value, text, &notes))
    case .string:
      try appendString(value, text, to: &builder)
      // What is noted nowhere were strings.
      notes.note(AttributeKinds(value, text).union(.string), column: column)
    case .mixedString:
      try appendString(value, text, to: &builder)
      notes.note(AttributeKinds(value, text), column: column)
    case .json:
      try appendJSON(value, text, to: &builder)
      notes.note(AttributeKinds(value, text), column: column)
    case .int64, .decimal, .double: break
    }
  }

  // MARK: Numbers

  @inline(__always)
  private func integer(_ value: ScannedValue, _ text: RawSpan) throws(MisfitError) -> Int64 {
    guard value.kind == .number || value.kind == .string else { throw .notANumber }
    guard let result = NumberText.integer(text) else {
      throw Self.numberMisfit(value, text, "it is no whole number of 64 bits")
    }
    return result
  }

  private func narrow<T: FixedWidthInteger>(
    _ value: ScannedValue, _ text: RawSpan, _ type: T.Type
  ) throws(MisfitError) -> T {
    guard let result = T(exactly: try integer(value, text)) else {
      throw MisfitError(why: "it is beyond \(T.min) to \(T.max)")
    }
    return result
  }

  @inline(__always)
  private func decimal(_ value: ScannedValue, _ text: RawSpan) throws(MisfitError) -> Int128 {
    guard value.kind == .number || value.kind == .string else { throw .notANumber }
    guard let result = NumberText.unscaled(text, scale: scale) else {
      throw Self.numberMisfit(
        value, text, "it has more than \(scale) digits behind the point, or too many in all")
    }
    guard result.magnitude < limit else { throw MisfitError(why: "it has too many digits before the point") }
    return result
  }

  @inline(__always)
  private func double(_ value: ScannedValue, _ text: RawSpan) throws(MisfitError) -> Double {
    if let special = try special(value, text) { return special }
    guard let result = NumberText.double(text), result.isFinite else {
      throw MisfitError(why: "it is beyond the range of a double")
    }
    return result
  }

  private func float(_ value: ScannedValue, _ text: RawSpan) throws(MisfitError) -> Float {
    if let special = try special(value, text) { return Float(special) }
    guard let result = Float(NumberText.string(text)), result.isFinite else {
      throw MisfitError(why: "it is beyond the range of a float")
    }
    return result
  }

  /// NaN or an infinity from its name; nil for a number's text, which is checked to be one.
  @inline(__always)
  private func special(_ value: ScannedValue, _ text: RawSpan) throws(MisfitError) -> Double? {
    switch value.kind {
    case .number:
      if value.isAttribute { try Self.check(number: text) }
      return nil
    case .string:
      switch NumberText.string(text) {
      case "NaN": return .nan
      case "Infinity": return .infinity
      case "-Infinity": return -.infinity
      default:
        guard ExactDecimal(text) != nil else { throw .notANumber }
        return nil
      }
    default: throw .notANumber
    }
  }

  /// Checks the text of a DynamoDB number.
  @inline(__always)
  static func check(number text: RawSpan) throws(MisfitError) {
    if PlainNumber(text) != nil { return }
    do { _ = try DynamoDBNumber.parse(text) } catch { throw MisfitError(why: error.reason, isBroken: true) }
  }

  private static func numberMisfit(_ value: ScannedValue, _ text: RawSpan, _ why: String) -> MisfitError {
    if value.isAttribute, value.kind == .number {
      do { try check(number: text) } catch { return error }
    }
    if ExactDecimal(text) != nil { return MisfitError(why: why) }
    var scanner = JSONScanner(text)
    // A JSON number may have more digits than a decimal can hold.
    if let range = try? scanner.readNumber(), range.count == text.byteCount { return .tooManyDigits }
    return .notANumber
  }

  // MARK: Times

  private func date(_ value: ScannedValue, _ text: RawSpan) throws(MisfitError) -> Int32 {
    guard value.kind == .string, let days = CivilTime.parseDate(text) else {
      throw MisfitError(why: "it is no date such as 2024-01-31")
    }
    // Years have four digits, so that the days fit.
    return Int32(truncatingIfNeeded: days)
  }

  private func timestamp(
    _ value: ScannedValue, _ text: RawSpan, _ notes: inout ColumnNotes
  ) throws(MisfitError) -> Int64 {
    if value.kind == .number, epochUnit > 0 { return try counted(text) }
    if value.kind == .number {
      throw MisfitError(
        why:
          "a number does not say whether it counts seconds or parts of them; write the time as text such as "
          + "2024-01-31T12:00:00Z, or keep the number in a long column")
    }
    guard value.kind == .string, let time = CivilTime.parse(text) else {
      throw MisfitError(why: "it is no time such as 2024-01-31T12:00:00Z")
    }
    if epochUnit > 0 { notes.note(AttributeKinds(value, text), column: column) }
    if isLocal, time.hasZone { throw MisfitError(why: "it names a zone, and the column holds local times") }
    guard !time.lostDigits, time.microseconds % unit == 0 else {
      throw MisfitError(why: "it is finer than the column's unit, and digits would be lost")
    }
    guard !isLocal, !time.hasZone else { return time.microseconds / unit }
    return CivilTime.floorDivide(notes.instant(time.microseconds, column: column), unit)
  }

  /// The time that a number counts in the unit which is noted of the column.
  private func counted(_ text: RawSpan) throws(MisfitError) -> Int64 {
    let digits = epochUnit == 1_000_000 ? 6 : epochUnit == 1_000 ? 3 : 0
    guard let exact = NumberText.unscaled(text, scale: digits), let time = Int64(exactly: exact) else {
      throw MisfitError(why: "it is no time that counts \(AttributeKinds.name(ofUnit: epochUnit)) since 1970")
    }
    guard time % unit == 0 else {
      throw MisfitError(why: "it is finer than the column's unit, and digits would be lost")
    }
    return time / unit
  }

  // MARK: Text and bytes

  private func appendString(
    _ value: ScannedValue, _ text: RawSpan, to builder: inout ColumnBuilder
  ) throws(MisfitError) {
    switch value.kind {
    case .string: try Self.append(text, to: &builder)
    case .number:
      if value.isAttribute { try Self.check(number: text) }
      try Self.append(text, to: &builder)
    case .binary:
      guard Base64.decode(text) != nil else {
        throw MisfitError(why: "it is no base64", isBroken: value.isAttribute)
      }
      try Self.append(text, to: &builder)
    case .yes: try Self.append(Self.trueText.span.bytes, to: &builder)
    case .no: try Self.append(Self.falseText.span.bytes, to: &builder)
    case .document:
      guard isCanonical, let canonical = Self.canonical(text) else {
        return try Self.append(text, to: &builder)
      }
      try Self.append(canonical.span.bytes, to: &builder)
    case .attributeDocument:
      let plain = try Self.plainJSON(text)
      try Self.append(plain.span.bytes, to: &builder)
    case .null: builder.appendNulls()
    }
  }

  private func appendJSON(
    _ value: ScannedValue, _ text: RawSpan, to builder: inout ColumnBuilder
  ) throws(MisfitError) {
    var json: [UInt8] = []
    switch value.kind {
    case .string: json.appendJSON(string: text)
    case .binary:
      guard Base64.decode(text) != nil else {
        throw MisfitError(why: "it is no base64", isBroken: value.isAttribute)
      }
      json.appendJSON(string: text)
    case .number where value.isAttribute:
      do { try DynamoDBNumber(NumberText.string(text)).appendCanonical(to: &json) } catch {
        throw MisfitError(why: error.reason, isBroken: true)
      }
    default: return try appendString(value, text, to: &builder)
    }
    try Self.append(json.span.bytes, to: &builder)
  }

  private static let trueText = Array("true".utf8)
  private static let falseText = Array("false".utf8)

  /// The one text of all equal documents; nil for one that no attribute can be, such as with a name twice.
  private static func canonical(_ text: RawSpan) -> [UInt8]? {
    (try? PlainJSON.canonical.marshallAttribute(text.copied()))
      .flatMap { try? PlainJSON.canonical.unmarshallAttribute($0) }
  }

  private static func plainJSON(_ text: RawSpan) throws(MisfitError) -> [UInt8] {
    do {
      return try PlainJSON.canonical.unmarshallAttribute(text.copied())
    } catch {
      throw MisfitError(
        why: error.path.isEmpty ? error.reason : "\(error.path): \(error.reason)", isBroken: true)
    }
  }

  private func appendBinary(
    _ value: ScannedValue, _ text: RawSpan, to builder: inout ColumnBuilder
  ) throws(MisfitError) {
    guard value.kind == .binary || value.kind == .string && !value.isAttribute else {
      throw MisfitError(why: "it is no binary value")
    }
    guard let bytes = Base64.decode(text) else {
      throw MisfitError(why: "it is no base64", isBroken: value.isAttribute)
    }
    try Self.append(bytes.span.bytes, to: &builder)
  }

  @inline(__always)
  private static func append(_ bytes: RawSpan, to builder: inout ColumnBuilder) throws(MisfitError) {
    do { try builder.append(bytes) } catch { throw MisfitError(why: error.description) }
  }
}
