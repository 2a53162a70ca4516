internal import TarnBytes

extension Condition {
  /// Parses a condition such as `price > 100 and exchange in ('OKX', 'Kraken')`.
  ///
  /// It knows columns (in double quotes where their names are odd), `= != <> < <= > >=`, `is [not] null`,
  /// `[not] in (..)`, `and`, `or`, `not` and parentheses. Texts stand in single quotes, doubled within.
  ///
  /// - Throws: ``ExpressionError`` that shows where the condition stops making sense.
  public init(parsing text: String) throws(ExpressionError) {
    var parser = ConditionParser(text)
    self.init(try parser.parse())
  }
}

extension Literal {
  /// Parses values to set, such as `status = 'done', price = 1.50, note = null`.
  ///
  /// - Throws: ``ExpressionError`` that shows where the text stops making sense.
  package static func assignments(parsing text: String) throws(ExpressionError) -> [String: Literal?] {
    var parser = ConditionParser(text, of: "the list of values")
    return try parser.assignments()
  }
}

private struct ConditionParser {
  enum Token: Equatable {
    case name(String)
    case literal(Literal)
    case symbol(String)
    case end
  }

  let text: [UInt8]
  /// What the text is, for messages.
  let subject: String
  var offset = 0
  /// Where the present token begins.
  var start = 0
  var token = Token.end
  var depth = 0

  init(_ text: String, of subject: String = "the condition") {
    self.text = Array(text.utf8)
    self.subject = subject
  }

  mutating func assignments() throws(ExpressionError) -> [String: Literal?] {
    var values: [String: Literal?] = [:]
    repeat {
      try advance()
      let name = try columnName()
      try expect("=")
      let value = try take("null") ? nil : try literal()
      guard values.updateValue(value, forKey: name) == nil else {
        throw ExpressionError(.syntax, "\(subject) has two values for \(name)")
      }
    } while token == .symbol(",")
    guard token == .end else { throw unexpected("`,` or the end") }
    return values
  }

  mutating func parse() throws(ExpressionError) -> Expression {
    try advance()
    let condition = try disjunction()
    guard token == .end else { throw unexpected("`and`, `or` or the end") }
    return condition
  }

  func unexpected(_ expected: String) -> ExpressionError {
    let rest = String(decoding: text[start...], as: UTF8.self).prefix(20)
    let found = rest.isEmpty ? "the end" : "`\(rest)`"
    return ExpressionError(
      .syntax, "\(subject) does not read at character \(position): \(expected) expected, not \(found)")
  }

  /// Where the present token begins, in characters from 1 on.
  var position: Int { String(decoding: text[..<start], as: UTF8.self).count + 1 }

  mutating func disjunction() throws(ExpressionError) -> Expression {
    var parts = [try conjunction()]
    while isKeyword("or") {
      try advance()
      parts.append(try conjunction())
    }
    return Self.joined(parts[...], .or)
  }

  /// Joins conditions in halves: a thousand `or` in a row do not nest a thousand deep.
  static func joined(
    _ parts: ArraySlice<Expression>, _ function: Expression.Function
  ) -> Expression {
    guard parts.count > 1 else { return parts[parts.startIndex] }
    let half = (parts.count + 1) / 2
    return .call(
      function, [joined(parts.prefix(half), function), joined(parts.dropFirst(half), function)])
  }

  mutating func conjunction() throws(ExpressionError) -> Expression {
    var parts = [try negation()]
    while isKeyword("and") {
      try advance()
      parts.append(try negation())
    }
    return Self.joined(parts[...], .and)
  }

  mutating func negation() throws(ExpressionError) -> Expression {
    depth += 1
    defer { depth -= 1 }
    guard depth < 100 else { throw ExpressionError(.syntax, "\(subject) is nested too deep") }
    if isKeyword("not") {
      try advance()
      return .call(.not, [try negation()])
    }
    if token == .symbol("(") {
      try advance()
      let inner = try disjunction()
      try expect(")")
      return inner
    }
    return try comparison()
  }

  mutating func comparison() throws(ExpressionError) -> Expression {
    if case .literal(let literal) = token {
      try advance()
      let operation = try comparisonSign()
      let name = try columnName()
      return .call(.compare(operation.mirrored), [.column(name), .literal(literal)])
    }
    let name = try columnName()
    if isKeyword("is") {
      try advance()
      let isNegated = try take("not")
      guard try take("null") else { throw unexpected("`null`") }
      let isNull = Expression.call(.isNull, [.column(name)])
      return isNegated ? .call(.not, [isNull]) : isNull
    }
    let isNegated = try take("not")
    if try take("in") {
      let list = Expression.call(.isIn, [.column(name)] + (try literals()).map { .literal($0) })
      return isNegated ? .call(.not, [list]) : list
    }
    guard !isNegated else { throw unexpected("`in`") }
    let sign = try comparisonSign()
    return .call(.compare(sign), [.column(name), .literal(try literal())])
  }

  mutating func comparisonSign() throws(ExpressionError) -> Comparison {
    guard case .symbol(let sign) = token,
      let comparison = Comparison(rawValue: sign == "<>" ? "!=" : sign)
    else { throw unexpected("a comparison") }
    try advance()
    return comparison
  }

  mutating func columnName() throws(ExpressionError) -> String {
    guard case .name(let name) = token else { throw unexpected("a column") }
    try advance()
    return name
  }

  mutating func literal() throws(ExpressionError) -> Literal {
    if try take("true") { return .boolean(true) }
    if try take("false") { return .boolean(false) }
    guard case .literal(let literal) = token else { throw unexpected("a value") }
    try advance()
    return literal
  }

  mutating func literals() throws(ExpressionError) -> [Literal] {
    try expect("(")
    var values = [try literal()]
    while token == .symbol(",") {
      try advance()
      values.append(try literal())
    }
    try expect(")")
    return values
  }

  func isKeyword(_ word: String) -> Bool {
    if case .name(let name) = token { name.lowercased() == word && text[start] != 0x22 } else { false }
  }

  mutating func take(_ word: String) throws(ExpressionError) -> Bool {
    guard isKeyword(word) else { return false }
    try advance()
    return true
  }

  mutating func expect(_ symbol: String) throws(ExpressionError) {
    guard token == .symbol(symbol) else { throw unexpected("`\(symbol)`") }
    try advance()
  }

  mutating func advance() throws(ExpressionError) {
    while offset < text.count, [0x20, 0x09, 0x0a, 0x0d].contains(text[offset]) { offset += 1 }
    start = offset
    guard offset < text.count else {
      token = .end
      return
    }
    switch text[offset] {
    case 0x27: token = .literal(.string(try quoted(0x27)))
    case 0x22: token = .name(try quoted(0x22))
    case 0x30...0x39, 0x2d, 0x2b, 0x2e: token = try number()
    case 0x41...0x5a, 0x61...0x7a, 0x5f, 0x80...0xff: token = .name(word())
    default: token = try symbol()
    }
  }

  mutating func quoted(_ quote: UInt8) throws(ExpressionError) -> String {
    var bytes: [UInt8] = []
    offset += 1
    while offset < text.count {
      if text[offset] == quote {
        offset += 1
        guard offset < text.count, text[offset] == quote else {
          return String(decoding: bytes, as: UTF8.self)
        }
      }
      bytes.append(text[offset])
      offset += 1
    }
    throw ExpressionError(.syntax, "\(subject) has a quote at character \(position) that does not end")
  }

  mutating func word() -> String {
    while offset < text.count {
      switch text[offset] {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x2e, 0x80...0xff: offset += 1
      default: return String(decoding: text[start..<offset], as: UTF8.self)
      }
    }
    return String(decoding: text[start..<offset], as: UTF8.self)
  }

  mutating func number() throws(ExpressionError) -> Token {
    offset += 1
    while offset < text.count {
      let byte = text[offset]
      let isSign = (byte == 0x2b || byte == 0x2d) && text[offset - 1] | 0x20 == 0x65
      guard (0x30...0x39).contains(byte) || byte == 0x2e || byte | 0x20 == 0x65 || isSign else { break }
      offset += 1
    }
    let digits = String(decoding: text[start..<offset], as: UTF8.self)
    guard ExactDecimal(Array(digits.utf8).span.bytes) != nil || Double(digits) != nil else {
      throw unexpected("a number")
    }
    return .literal(.number(digits))
  }

  mutating func symbol() throws(ExpressionError) -> Token {
    let two = String(decoding: text[offset..<min(offset + 2, text.count)], as: UTF8.self)
    if ["!=", "<=", ">=", "<>"].contains(two) {
      offset += 2
      return .symbol(two)
    }
    let one = String(decoding: text[offset..<offset + 1], as: UTF8.self)
    guard ["=", "<", ">", "(", ")", ","].contains(one) else {
      throw unexpected("a column, a value or a sign")
    }
    offset += 1
    return .symbol(one)
  }
}
