/// Why text is not JSON, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of mistakes.
  public enum Kind: Sendable, Hashable {
    case endOfInput
    case unexpected(UInt8)
    case badEscape
    case controlCharacter
    case notUTF8
    case badNumber
    case tooDeep
    case wrongType(expected: JSONKind, found: JSONKind)
  }

  /// The kind.
  public let kind: Kind
  /// Offset of the byte at which it was noticed.
  public let offset: Int

  /// Makes an error.
  @inlinable
  public init(_ kind: Kind, at offset: Int) {
    self.kind = kind
    self.offset = offset
  }

  /// What was wrong, for people.
  public var description: String {
    let what =
      switch kind {
      case .endOfInput: "the text ends in the middle of a value"
      case .unexpected(let byte): "unexpected \(Self.show(byte))"
      case .badEscape: "a bad escape in a string"
      case .controlCharacter: "a control character in a string"
      case .notUTF8: "a string that is not UTF-8"
      case .badNumber: "a bad number"
      case .tooDeep: "values nested too deep"
      case .wrongType(let expected, let found): "\(found) where \(expected) was expected"
      }
    return "\(what) at offset \(offset)"
  }

  static func show(_ byte: UInt8) -> String {
    byte >= 0x21 && byte < 0x7f
      ? "'\(Unicode.Scalar(byte))'" : "byte 0x" + String(byte, radix: 16)
  }
}

/// What kind of value comes next.
public enum JSONKind: Sendable, Hashable {
  case object, array, string, number, boolean, null
}

/// Where a string stands in the scanned bytes, between its quotes.
@frozen
public struct JSONText: Sendable, Hashable {
  /// Offsets of the raw bytes between the quotes.
  public let range: Range<Int>
  /// Whether the raw bytes hold escapes, so that they are not the text itself.
  public let isEscaped: Bool

  @inlinable
  init(range: Range<Int>, isEscaped: Bool) {
    self.range = range
    self.isEscaped = isEscaped
  }
}

/// A pull scanner over JSON text: it validates strictly, copies nothing and builds nothing.
///
/// ```swift
/// var scanner = JSONScanner(bytes)
/// try scanner.beginObject()
/// while let key = try scanner.nextKey() {
///   if scanner.matches(key, "id") { id = try scanner.readString() } else { try scanner.skipValue() }
/// }
/// ```
@frozen
public struct JSONScanner: ~Escapable {
  /// The deepest nesting that ``skipValue()`` follows.
  @inlinable public static var depthLimit: Int { 128 }

  /// The whole text.
  public let bytes: RawSpan
  /// Offset of the next byte.
  public var offset: Int
  @usableFromInline var isFirst = false

  /// Scans `bytes` from an offset on.
  @inlinable
  @_lifetime(copy bytes)
  public init(_ bytes: RawSpan, at offset: Int = 0) {
    self.bytes = bytes
    self.offset = offset
  }

  @inlinable
  func byte(at position: Int) -> UInt8 {
    bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self)
  }

  /// Passes over blanks, tabs and line ends.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func skipWhitespace() {
    while offset < bytes.byteCount {
      let next = byte(at: offset)
      guard next == 0x20 || next == 0x0a || next == 0x0d || next == 0x09 else { return }
      offset &+= 1
    }
  }

  /// Whether only white space is left; passes over it.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func isAtEnd() -> Bool {
    skipWhitespace()
    return offset >= bytes.byteCount
  }

  /// Passes over white space and gives the next byte, without taking it.
  @inlinable
  @_lifetime(self: copy self)
  mutating func peekByte() throws(JSONError) -> UInt8 {
    skipWhitespace()
    guard offset < bytes.byteCount else { throw JSONError(.endOfInput, at: offset) }
    return byte(at: offset)
  }

  /// What kind of value comes next.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func peek() throws(JSONError) -> JSONKind {
    let next = try peekByte()
    switch next {
    case 0x7b: return .object
    case 0x5b: return .array
    case 0x22: return .string
    case 0x74, 0x66: return .boolean
    case 0x6e: return .null
    case 0x2d, 0x30...0x39: return .number
    default: throw JSONError(.unexpected(next), at: offset)
    }
  }

  @inlinable
  @_lifetime(self: copy self)
  mutating func expect(_ kind: JSONKind) throws(JSONError) {
    let found = try peek()
    guard found == kind else { throw JSONError(.wrongType(expected: kind, found: found), at: offset) }
  }

  /// Enters an object; ``nextKey()`` gives its keys.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func beginObject() throws(JSONError) {
    try expect(.object)
    offset &+= 1
    isFirst = true
  }

  /// The next key of the object that was entered, its colon taken too; nil, and the object left, at its end.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func nextKey() throws(JSONError) -> JSONText? {
    var next = try peekByte()
    if next == 0x7d {
      offset &+= 1
      isFirst = false
      return nil
    }
    if !isFirst {
      guard next == 0x2c else { throw JSONError(.unexpected(next), at: offset) }
      offset &+= 1
      next = try peekByte()
    }
    isFirst = false
    guard next == 0x22 else { throw JSONError(.unexpected(next), at: offset) }
    let key = try scanString()
    next = try peekByte()
    guard next == 0x3a else { throw JSONError(.unexpected(next), at: offset) }
    offset &+= 1
    return key
  }

  /// Enters an array; ``nextElement()`` tells whether another element follows.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func beginArray() throws(JSONError) {
    try expect(.array)
    offset &+= 1
    isFirst = true
  }

  /// Whether another element of the array that was entered follows; at its end the array is left.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func nextElement() throws(JSONError) -> Bool {
    let next = try peekByte()
    if next == 0x5d {
      offset &+= 1
      isFirst = false
      return false
    }
    if isFirst {
      isFirst = false
      return true
    }
    guard next == 0x2c else { throw JSONError(.unexpected(next), at: offset) }
    offset &+= 1
    let value = try peekByte()
    guard value != 0x5d else { throw JSONError(.unexpected(value), at: offset) }
    return true
  }

  /// Reads a string.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func readString() throws(JSONError) -> JSONText {
    try expect(.string)
    return try scanString()
  }

  /// Reads `true` or `false`.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func readBoolean() throws(JSONError) -> Bool {
    try expect(.boolean)
    let value = byte(at: offset) == 0x74
    try take(value ? "true" : "false")
    return value
  }

  /// Reads `null`.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func readNull() throws(JSONError) {
    try expect(.null)
    try take("null")
  }

  /// Reads a number and gives the offsets of its text.
  @inlinable
  @_lifetime(self: copy self)
  public mutating func readNumber() throws(JSONError) -> Range<Int> {
    try expect(.number)
    let start = offset
    if byte(at: offset) == 0x2d { offset &+= 1 }
    let whole = offset
    let wholeDigits = takeDigits()
    guard wholeDigits > 0, wholeDigits == 1 || byte(at: whole) != 0x30 else {
      throw JSONError(.badNumber, at: start)
    }
    if offset < bytes.byteCount, byte(at: offset) == 0x2e {
      offset &+= 1
      guard takeDigits() > 0 else { throw JSONError(.badNumber, at: start) }
    }
    if offset < bytes.byteCount, byte(at: offset) | 0x20 == 0x65 {
      offset &+= 1
      if offset < bytes.byteCount, byte(at: offset) == 0x2b || byte(at: offset) == 0x2d { offset &+= 1 }
      guard takeDigits() > 0 else { throw JSONError(.badNumber, at: start) }
    }
    return start..<offset
  }

  /// Reads any value, checks it, and gives the offsets of its text.
  @discardableResult
  @inlinable
  @_lifetime(self: copy self)
  public mutating func skipValue() throws(JSONError) -> Range<Int> {
    skipWhitespace()
    let start = offset
    try skip(depth: 0)
    return start..<offset
  }

  @usableFromInline
  @_lifetime(self: copy self)
  mutating func skip(depth: Int) throws(JSONError) {
    guard depth < Self.depthLimit else { throw JSONError(.tooDeep, at: offset) }
    switch try peek() {
    case .object:
      try beginObject()
      while try nextKey() != nil { try skip(depth: depth + 1) }
    case .array:
      try beginArray()
      while try nextElement() { try skip(depth: depth + 1) }
    case .string: _ = try scanString()
    case .number: _ = try readNumber()
    case .boolean: _ = try readBoolean()
    case .null: try readNull()
    }
  }

  @inlinable
  @_lifetime(self: copy self)
  mutating func takeDigits() -> Int {
    let start = offset
    while offset < bytes.byteCount, byte(at: offset) &- 0x30 < 10 { offset &+= 1 }
    return offset &- start
  }

  @inlinable
  @_lifetime(self: copy self)
  mutating func take(_ word: StaticString) throws(JSONError) {
    let count = word.utf8CodeUnitCount
    guard bytes.byteCount &- offset >= count else { throw JSONError(.endOfInput, at: bytes.byteCount) }
    for index in 0..<count where byte(at: offset &+ index) != word.utf8Start[index] {
      throw JSONError(.unexpected(byte(at: offset &+ index)), at: offset &+ index)
    }
    offset &+= count
  }

  /// Scans a string whose opening quote is next, eight bytes at a time.
  @inlinable
  @_lifetime(self: copy self)
  mutating func scanString() throws(JSONError) -> JSONText {
    let start = offset &+ 1
    let end = bytes.byteCount
    var position = start
    var isEscaped = false
    var isASCII = true
    while true {
      // Passes over eight plain ASCII bytes at a time: no quote, no backslash, no control character.
      while position &+ 8 <= end {
        let word = UInt64(
          littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self))
        let special = Self.specialBytes(word)
        if special != 0 {
          position &+= special.trailingZeroBitCount / 8
          break
        }
        position &+= 8
      }
      guard position < end else { throw JSONError(.endOfInput, at: position) }
      let next = byte(at: position)
      if next == 0x22 { break }
      if next == 0x5c {
        isEscaped = true
        position = try endOfEscape(at: position)
      } else if next < 0x20 {
        throw JSONError(.controlCharacter, at: position)
      } else {
        if next >= 0x80 { isASCII = false }
        position &+= 1
      }
    }
    offset = position &+ 1
    if !isASCII, !UTF8Text.isValid(bytes.extracting(start..<position)) {
      throw JSONError(.notUTF8, at: start)
    }
    return JSONText(range: start..<position, isEscaped: isEscaped)
  }

  /// A bit set in each byte that is a quote, a backslash, a control character or not ASCII;
  /// exact up to the first such byte.
  @inlinable
  static func specialBytes(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let high: UInt64 = 0x8080_8080_8080_8080
    let quote = word ^ (ones &* 0x22)
    let backslash = word ^ (ones &* 0x5c)
    let found =
      ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
      | ((word &- (ones &* 0x20)) & ~word) | word
    return found & high
  }

  @usableFromInline
  func endOfEscape(at position: Int) throws(JSONError) -> Int {
    guard position + 1 < bytes.byteCount else { throw JSONError(.endOfInput, at: position) }
    switch byte(at: position + 1) {
    case 0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74: return position + 2
    case 0x75:
      guard position + 6 <= bytes.byteCount else { throw JSONError(.endOfInput, at: position) }
      let unit = try hexUnit(at: position + 2)
      if unit >= 0xdc00, unit < 0xe000 { throw JSONError(.badEscape, at: position) }
      guard unit >= 0xd800, unit < 0xdc00 else { return position + 6 }
      guard position + 12 <= bytes.byteCount, byte(at: position + 6) == 0x5c,
        byte(at: position + 7) == 0x75
      else { throw JSONError(.badEscape, at: position) }
      let low = try hexUnit(at: position + 8)
      guard low >= 0xdc00, low < 0xe000 else { throw JSONError(.badEscape, at: position) }
      return position + 12
    default: throw JSONError(.badEscape, at: position)
    }
  }

  func hexUnit(at position: Int) throws(JSONError) -> UInt32 {
    var unit: UInt32 = 0
    for index in position..<position + 4 {
      let digit = byte(at: index)
      switch digit {
      case 0x30...0x39: unit = unit << 4 | UInt32(digit - 0x30)
      case 0x41...0x46: unit = unit << 4 | UInt32(digit - 0x37)
      case 0x61...0x66: unit = unit << 4 | UInt32(digit - 0x57)
      default: throw JSONError(.badEscape, at: position)
      }
    }
    return unit
  }
}
