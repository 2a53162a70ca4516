internal import TarnBytes

/// Makes items in DynamoDB JSON from values of Swift types.
///
/// ```swift
/// struct Order: Codable {
///   var id: String
///   var lines: [Int]
///   var tags: Set<String>
///   var note: String?
/// }
/// let order = Order(id: "a-1", lines: [3], tags: ["new", "blue"], note: nil)
/// let item = try DynamoDBEncoder().encode(order)
/// // {"id":{"S":"a-1"},"lines":{"L":[{"N":"3"}]},"tags":{"SS":["blue","new"]}}
/// print(String(decoding: item, as: UTF8.self))
/// ```
///
/// Values become what ``DynamoDBDecoder`` reads them from. A property that is nil gives no attribute, as Swift's own
/// conformances have it; nil in an array, or encoded by `encodeNil`, is NULL. Sets are written in an order of their own,
/// so that equal values of a type give the same bytes, where the type itself encodes them in one order.
///
/// What DynamoDB would refuse is an error: numbers beyond its limits, NaN and infinities, sets of anything but strings,
/// numbers or bytes, maps and lists nested in one another more than 32 deep, an attribute that is there twice.
public struct DynamoDBEncoder: Sendable {
  /// What becomes of a set without members, of which DynamoDB has none.
  public enum EmptySets: Sendable, Hashable {
    /// It is an error.
    case refused
    /// It is written as NULL, which a set is read from as an empty one.
    case null
  }

  /// What becomes of a set without members.
  public var emptySets = EmptySets.refused
  /// What types find in their encoder's `userInfo`.
  public var userInfo: [CodingUserInfoKey: any Sendable] = [:]

  /// An encoder with the usual settings.
  public init() {}

  /// Makes an item, such as `{"id":{"N":"1"}}`, of a value that encodes itself as attributes by name.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the value is none, or has one that DynamoDB does not take.
  public func encode(_ value: some Encodable) throws(DynamoDBJSONError) -> [UInt8] {
    // The item itself is no level of what is nested in it.
    var bytes = try encoded(value, levels: -1)
    let begin: [UInt8] = Array("{\"M\":".utf8)
    guard bytes.starts(with: begin) else { throw DynamoDBJSONError(.notAnItem) }
    bytes.removeFirst(begin.count)
    bytes.removeLast()
    return bytes
  }

  /// Makes an item of a value that encodes itself as attributes by name.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the value is none, or has one that DynamoDB does not take.
  public func encodeItem(_ value: some Encodable) throws(DynamoDBJSONError) -> Item {
    try Item(json: encode(value))
  }

  /// Makes one attribute value, such as `{"N":"1"}`.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the value is or has one that DynamoDB does not take.
  public func encodeAttribute(_ value: some Encodable) throws(DynamoDBJSONError) -> [UInt8] {
    try encoded(value, levels: 0)
  }

  private func encoded(_ value: some Encodable, levels: Int) throws(DynamoDBJSONError) -> [UInt8] {
    let target = EncodingTarget(self, levels: levels, path: [])
    do {
      try target.append(value)
      return try target.finish()
    } catch {
      throw Self.typed(error)
    }
  }

  /// What was thrown, as an error of this room.
  private static func typed(_ error: any Error) -> DynamoDBJSONError {
    var reason = "\(error)"
    var path: [any CodingKey] = []
    switch error {
    case let error as DynamoDBJSONError: return error
    case EncodingError.invalidValue(_, let context):
      if let known = context.underlyingError as? DynamoDBJSONError { return known }
      (reason, path) = (context.debugDescription, context.codingPath)
    default: break
    }
    var refused = DynamoDBJSONError(Mistake(code: .refused, reason: reason)).under(path)
    refused.cause = error
    return refused
  }
}

extension DynamoDBJSONError {
  /// The error of a value that a coding path leads to.
  func under(_ path: [any CodingKey]) -> DynamoDBJSONError {
    path.reversed().reduce(self) { error, key in
      key.intValue.map { error.under($0) } ?? error.under(key.stringValue)
    }
  }
}
