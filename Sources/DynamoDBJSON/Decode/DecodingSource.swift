internal import TarnBytes

/// An item that is decoded, which all decoders and containers of it share.
final class DecodingSource: Sendable {
  let index: ItemIndex
  let settings: DynamoDBDecoder

  init(_ index: ItemIndex, _ settings: DynamoDBDecoder) {
    self.index = index
    self.settings = settings
  }

  func kind(_ node: Int) -> ItemNode.Kind { index.nodes[node].kind }

  // MARK: Values

  func string(at node: Int) throws -> String {
    guard kind(node) == .string else { throw mismatch(String.self, node) }
    return index.string(node)
  }

  func boolean(at node: Int) throws -> Bool {
    switch kind(node) {
    case .yes: true
    case .no: false
    default: throw mismatch(Bool.self, node)
    }
  }

  func integer<T: FixedWidthInteger>(_ type: T.Type, at node: Int) throws -> T {
    guard kind(node) == .number else { throw mismatch(type, node) }
    if let plain = index.plainNumber(node), plain.places == 0 {
      if let value = T(exactly: plain.coefficient) { return value }
    } else if let whole = index.exactNumber(node)?.unscaled(scale: 0) {
      if let value = T(exactly: whole) { return value }
    } else {
      throw misfit(type, node, "it is not whole, or has too many digits")
    }
    throw misfit(type, node, "that type goes from \(T.min) to \(T.max)")
  }

  func double(at node: Int) throws -> Double {
    guard kind(node) == .number else { throw mismatch(Double.self, node) }
    return try floating(node) {
      if let near = index.plainNumber(node)?.double { return near }
      return Double(index.string(node))
    }
  }

  func float(at node: Int) throws -> Float {
    guard kind(node) == .number else { throw mismatch(Float.self, node) }
    // Through a double it would be rounded twice.
    return try floating(node) { Float(index.string(node)) }
  }

  private func floating<T: BinaryFloatingPoint & LosslessStringConvertible>(
    _ node: Int, _ read: () -> T?
  ) throws -> T {
    guard let value = read(), value.isFinite else {
      throw misfit(T.self, node, "that type goes to \(T.greatestFiniteMagnitude)")
    }
    let needsLook = value == 0 || settings.floatingPoint == .exact
    guard needsLook else { return value }
    let number = index.number(node)
    if value == 0, number.coefficient != 0 {
      throw misfit(T.self, node, "it is nearer to zero than that type")
    }
    if settings.floatingPoint == .exact, (try? DynamoDBNumber(value.description)) != number {
      throw misfit(T.self, node, "digits would be lost")
    }
    return value
  }

  /// A value of any type that decodes itself.
  func value<T: Decodable>(_ type: T.Type, at node: Int) throws -> T {
    // Arrays and the like ask for their elements here, so that what is common comes first.
    if type == String.self { return try cast(string(at: node), node) }
    if type == Int.self { return try cast(integer(Int.self, at: node), node) }
    if type == Double.self { return try cast(double(at: node), node) }
    if type == DynamoDBNumber.self {
      guard kind(node) == .number else { throw mismatch(type, node) }
      return try cast(index.number(node), node)
    }
    if type == [UInt8].self, kind(node) == .binary { return try cast(index.binary(node), node) }
    if type == AttributeValue.self { return try cast(index.attributeValue(node), node) }
    if type == Item.self {
      guard kind(node) == .map else { throw mismatch(type, node) }
      return try cast(index.item(node), node)
    }
    if let convertible = type as? any AttributeValueConvertible.Type {
      return try cast(converted(convertible, node), node)
    }
    if kind(node) == .null, let set = type as? any MemberCounting.Type, let empty = set.emptySet {
      return try cast(empty, node)
    }
    let value = try T(from: AttributeDecoder(source: self, node: node))
    try checkMembers(of: value, node)
    return value
  }

  private func cast<Found, T>(_ found: Found, _ node: Int) throws -> T {
    guard let value = found as? T else { throw mismatch(T.self, node) }
    return value
  }

  private func converted(_ type: any AttributeValueConvertible.Type, _ node: Int) throws -> Any {
    do {
      return try type.init(attributeValue: index.attributeValue(node), userInfo: settings.userInfo)
    } catch let error as AttributeValueMismatch {
      throw mismatch(type, node, expected: error.expected)
    } catch let error as DynamoDBJSONError {
      throw corrupted(Mistake(code: error.code, reason: error.reason), node)
    }
  }

  /// Refuses a set or dictionary that holds less than was read: Swift takes texts for equal that differ in bytes, and
  /// numbers that were rounded.
  private func checkMembers<T>(of value: T, _ node: Int) throws {
    let found = index.nodes[node]
    guard found.kind.isSet || found.kind == .map || found.kind == .list,
      let counted = value as? any MemberCounting,
      counted.members(readFromList: found.kind == .list) != Int(found.count)
    else { return }
    throw corrupted(.badSet("two members are equal as values of \(T.self)"), node)
  }

  // MARK: Errors

  func codingPath(_ node: Int) -> [any CodingKey] {
    index.path(to: node).map { step in
      switch step {
      case .name(let name): AttributeKey(stringValue: name)
      case .index(let index): AttributeKey(index)
      }
    }
  }

  private func context(_ error: DynamoDBJSONError, _ node: Int) -> DecodingError.Context {
    .init(codingPath: codingPath(node), debugDescription: error.description, underlyingError: error)
  }

  func mismatch(_ type: Any.Type, _ node: Int, expected: String? = nil) -> DecodingError {
    if kind(node) == .null { return .valueNotFound(type, context(index.error(.nullValue, at: node), node)) }
    var mistake = Mistake.wrongType(type, found: kind(node).tag)
    if let expected {
      mistake = Mistake(code: .wrongType, reason: "\(kind(node).tag) where \(expected) was expected")
    }
    return .typeMismatch(type, context(index.error(mistake, at: node), node))
  }

  func missing(_ key: any CodingKey, of map: Int) -> DecodingError {
    let error = index.error(.missingAttribute(key.stringValue), at: map)
    return .keyNotFound(key, context(error, map))
  }

  func corrupted(_ mistake: Mistake, _ node: Int) -> DecodingError {
    .dataCorrupted(context(index.error(mistake, at: node), node))
  }

  private func misfit(_ type: Any.Type, _ node: Int, _ why: String) -> DecodingError {
    corrupted(.misfit(String(index.string(node).prefix(64)), type, why), node)
  }

  /// What was thrown, as an error of this room.
  func typed(_ error: any Error) -> DynamoDBJSONError {
    if let error = error as? DynamoDBJSONError { return error }
    guard let coding = error as? DecodingError else {
      return refused("\(error)", error, at: [])
    }
    switch coding {
    case .keyNotFound(let key, let context):
      return known(context) ?? refused("there is no \"\(key.stringValue)\"", error, at: context.codingPath)
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      return known(context) ?? refused(context.debugDescription, error, at: context.codingPath)
    @unknown default: return refused("\(error)", error, at: [])
    }
  }

  private func known(_ context: DecodingError.Context) -> DynamoDBJSONError? {
    context.underlyingError as? DynamoDBJSONError
  }

  /// An error of a user's own type, at the value that the path leads to.
  private func refused(_ reason: String, _ cause: any Error, at path: [any CodingKey]) -> DynamoDBJSONError {
    var node = 0
    for key in path {
      // A type's own path may lead beyond what is there, as into the parts of a string.
      guard let next = member(key, of: node) else { break }
      node = next
    }
    var error = index.error(Mistake(code: .refused, reason: reason), at: node)
    error.cause = cause
    return error
  }

  /// The member of a map, list or set at a step of a coding path; nil where there is none.
  private func member(_ key: any CodingKey, of node: Int) -> Int? {
    if kind(node) == .map { return index.attribute(key.stringValue, of: node) }
    guard kind(node) == .list || kind(node).isSet, let position = key.intValue, position >= 0 else {
      return nil
    }
    return index.members(node).dropFirst(position).first { _ in true }
  }
}

/// A name or position in a coding path.
struct AttributeKey: CodingKey {
  let stringValue: String
  let intValue: Int?

  init(stringValue: String) {
    self.stringValue = stringValue
    intValue = nil
  }

  init(intValue: Int) { self.init(intValue) }

  init(_ index: Int) {
    stringValue = "[\(index)]"
    intValue = index
  }
}

/// A collection of distinct members, which may be fewer than were read.
protocol MemberCounting {
  /// How many members of a map, set or list it holds.
  func members(readFromList isList: Bool) -> Int
  /// The empty set; nil where the type is none.
  static var emptySet: Any? { get }
}

extension Set: MemberCounting {
  func members(readFromList isList: Bool) -> Int { count }
  static var emptySet: Any? { Self() }
}

extension Dictionary: MemberCounting {
  // Keys that are no names stand in a list, each before its value.
  func members(readFromList isList: Bool) -> Int { isList ? count * 2 : count }
  static var emptySet: Any? { nil }
}
