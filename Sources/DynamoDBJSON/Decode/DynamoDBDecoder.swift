internal import TarnBytes

/// Makes values of Swift types from items in DynamoDB JSON.
///
/// ```swift
/// struct Order: Codable {
///   var id: String
///   var total: DynamoDBNumber
///   var lines: [Int]
///   var tags: Set<String>
///   var note: String?
/// }
/// let json = #"{"id":{"S":"a-1"},"total":{"N":"12.50"},"lines":{"L":[{"N":"3"}]},"tags":{"SS":["new","blue"]}}"#
/// let order = try DynamoDBDecoder().decode(Order.self, from: json)
/// let again = try DynamoDBEncoder().encode(order)
/// print(order.total, again.count)
/// ```
///
/// | attribute | Swift |
/// | --- | --- |
/// | S | `String`, enumerations with such raw values, and what else decodes itself from a string |
/// | N | every integer type that holds the number exactly, `Double` and `Float` by ``floatingPoint``, ``DynamoDBNumber`` |
/// | B | `[UInt8]` |
/// | BOOL | `Bool` |
/// | NULL, or no attribute | nil; a `Set` is empty where it is NULL |
/// | M | structures, dictionaries, ``Item`` |
/// | L | `Array`, also `[UInt8]` from numbers |
/// | SS, NS, BS | `Set`, or `Array`, of what the members are |
/// | any | ``AttributeValue`` |
///
/// Nothing is converted from one kind to another: no string becomes a number. Attributes that the type does not ask for
/// are checked all the same, and left out.
public struct DynamoDBDecoder: Sendable {
  /// What a floating-point value takes of a number that has more digits than it holds.
  public enum FloatingPoint: Sendable, Hashable {
    /// The nearest value, as the SDKs of other languages take it. Beyond the largest of a `Float`, or below its least,
    /// is an error all the same.
    case nearest
    /// Only the number itself: the one that the value prints as, so that 0.1 is one.
    case exact
  }

  /// What a floating-point value takes of a number that has more digits than it holds.
  public var floatingPoint = FloatingPoint.nearest
  /// What types find in their decoder's `userInfo`.
  public var userInfo: [CodingUserInfoKey: any Sendable] = [:]

  /// A decoder with the usual settings.
  public init() {}

  /// Makes a value from an item, such as `{"id":{"N":"1"}}`, which must be all of the bytes.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the bytes are no item, or it does not fit the type.
  public func decode<T: Decodable>(_ type: T.Type, from item: [UInt8]) throws(DynamoDBJSONError) -> T {
    try decode(type, try ItemIndex(item: item))
  }

  /// Makes a value from an item, such as `{"id":{"N":"1"}}`, which must be the whole text.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the text is no item, or it does not fit the type.
  public func decode<T: Decodable>(_ type: T.Type, from item: String) throws(DynamoDBJSONError) -> T {
    try decode(type, from: Array(item.utf8))
  }

  /// Makes a value from an item that stands in a longer text, such as an image of a change record.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the bytes are no item, or it does not fit the type.
  public func decode<T: Decodable>(_ type: T.Type, from item: RawSpan) throws(DynamoDBJSONError) -> T {
    try decode(type, from: item.copied())
  }

  /// Makes a value from an item.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the item does not fit the type.
  public func decode<T: Decodable>(_ type: T.Type, from item: Item) throws(DynamoDBJSONError) -> T {
    try decode(type, from: item.encoded())
  }

  /// Makes a value from one attribute value, such as `{"N":"1"}`, which must be all of the bytes.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the bytes are no attribute value, or it does not fit the type.
  public func decodeAttribute<T: Decodable>(
    _ type: T.Type, from value: [UInt8]
  ) throws(DynamoDBJSONError) -> T {
    try decode(type, try ItemIndex(value: value))
  }

  /// Makes a value from one attribute value.
  ///
  /// - Throws: ``DynamoDBJSONError`` where it does not fit the type.
  public func decodeAttribute<T: Decodable>(
    _ type: T.Type, from value: AttributeValue
  ) throws(DynamoDBJSONError) -> T {
    try decodeAttribute(type, from: value.encoded())
  }

  private func decode<T: Decodable>(_ type: T.Type, _ index: ItemIndex) throws(DynamoDBJSONError) -> T {
    let source = DecodingSource(index, self)
    do { return try source.value(type, at: 0) } catch { throw source.typed(error) }
  }
}
