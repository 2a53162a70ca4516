/// Converts between DynamoDB JSON and plain JSON without type tags, from bytes to bytes, with no tree of values between.
///
/// ```swift
/// let plain = try PlainJSON().unmarshall(#"{"id":{"S":"a-1"},"tags":{"SS":["b","a"]},"total":{"N":"1.50"}}"#)
/// print(plain)                               // {"id":"a-1","tags":["b","a"],"total":1.50}
/// print(try PlainJSON().marshall(plain))     // {"id":{"S":"a-1"},"tags":{"L":[{"S":"b"},{"S":"a"}]},"total":{"N":"1.50"}}
/// ```
///
/// The names are those of the SDK for JavaScript. Plain JSON knows less: sets come back as lists, and bytes, which are
/// base64 text there, as strings. No digit is lost on the way, whatever a reader of the plain JSON makes of long numbers.
public struct PlainJSON: Sendable {
  /// How numbers are written.
  public enum Numbers: Sendable, Hashable {
    /// With the digits and zeros that they came with, where JSON allows that text.
    case asWritten
    /// As ``DynamoDBNumber/canonicalText``: one text for equal numbers.
    case canonical
  }

  /// How numbers are written, in both directions.
  public var numbers = Numbers.asWritten
  /// Whether plain JSON has its members by name, in the order of their UTF-8 bytes, and those of sets by value, so that
  /// with canonical ``numbers`` equal items are equal texts.
  public var isSorted = false

  /// Keeps numbers and members as they come.
  public init() {}

  /// Equal items become equal texts.
  public static var canonical: PlainJSON {
    var settings = PlainJSON()
    settings.numbers = .canonical
    settings.isSorted = true
    return settings
  }

  // MARK: From DynamoDB JSON

  /// Makes plain JSON of an item, such as `{"id":1}` of `{"id":{"N":"1"}}`.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the bytes are no item.
  public func unmarshall(_ item: [UInt8]) throws(DynamoDBJSONError) -> [UInt8] {
    try plain(ItemIndex(item: item))
  }

  /// Makes plain JSON of an item, such as `{"id":1}` of `{"id":{"N":"1"}}`.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the text is no item.
  public func unmarshall(_ item: String) throws(DynamoDBJSONError) -> String {
    String(decoding: try unmarshall(Array(item.utf8)), as: UTF8.self)
  }

  /// Makes plain JSON of one attribute value, such as `1` of `{"N":"1"}`.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the bytes are no attribute value.
  public func unmarshallAttribute(_ value: [UInt8]) throws(DynamoDBJSONError) -> [UInt8] {
    try plain(ItemIndex(value: value))
  }

  private func plain(_ index: ItemIndex) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(index.bytes.count)
    append(index, 0, to: &out)
    return out
  }

  // MARK: To DynamoDB JSON

  /// Makes an item of a plain JSON object, such as `{"id":{"N":"1"}}` of `{"id":1}`.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the bytes are no JSON object, have a number beyond DynamoDB's limits, a member
  ///   twice, or values nested in one another more than 32 deep.
  public func marshall(_ object: [UInt8]) throws(DynamoDBJSONError) -> [UInt8] {
    var conversion = PlainConversion(numbers)
    try conversion.takeItem(object)
    return conversion.writer.out
  }

  /// Makes an item of a plain JSON object, such as `{"id":{"N":"1"}}` of `{"id":1}`.
  ///
  /// - Throws: ``DynamoDBJSONError`` as the same of bytes.
  public func marshall(_ object: String) throws(DynamoDBJSONError) -> String {
    String(decoding: try marshall(Array(object.utf8)), as: UTF8.self)
  }

  /// Makes one attribute value of a plain JSON value, such as `{"N":"1"}` of `1`.
  ///
  /// - Throws: ``DynamoDBJSONError`` where the bytes are no JSON value, or one that DynamoDB does not store.
  public func marshallAttribute(_ value: [UInt8]) throws(DynamoDBJSONError) -> [UInt8] {
    var conversion = PlainConversion(numbers)
    try conversion.takeValue(value)
    return conversion.writer.out
  }
}
