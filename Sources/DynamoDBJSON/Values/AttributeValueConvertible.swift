/// A type that is one attribute value of its own making, whatever its `Codable` conformance would write.
///
/// `DynamoDBEncoder` and `DynamoDBDecoder` ask it before they ask `Codable`. `TarnFoundation` makes `Data`, `Decimal`
/// and `Date` such types; a type of yours may be one too:
///
/// ```swift
/// struct Celsius: Codable, AttributeValueConvertible {
///   var degrees: Double
///
///   init(attributeValue: AttributeValue, userInfo: [CodingUserInfoKey: Any]) throws {
///     guard case .number(let number) = attributeValue, let degrees = number.double else {
///       throw AttributeValueMismatch("a number of degrees")
///     }
///     self.degrees = degrees
///   }
///
///   func attributeValue(userInfo: [CodingUserInfoKey: Any]) throws -> AttributeValue {
///     .number(try DynamoDBNumber(degrees))
///   }
/// }
/// ```
public protocol AttributeValueConvertible {
  /// Reads an attribute value.
  ///
  /// - Parameters:
  ///   - attributeValue: The value.
  ///   - userInfo: That of the decoder.
  /// - Throws: ``AttributeValueMismatch`` where it is of a type that this one is not made of; any other error where
  ///   the value is wrong.
  init(attributeValue: AttributeValue, userInfo: [CodingUserInfoKey: Any]) throws

  /// The value as an attribute.
  ///
  /// - Parameter userInfo: That of the encoder.
  func attributeValue(userInfo: [CodingUserInfoKey: Any]) throws -> AttributeValue
}

/// What a type that is ``AttributeValueConvertible`` throws of a value that it is not made of.
public struct AttributeValueMismatch: Error, Sendable, Hashable, CustomStringConvertible {
  /// What was expected, such as "a number of degrees".
  public let expected: String

  /// Makes an error that says what was expected.
  public init(_ expected: String) { self.expected = expected }

  /// What was expected.
  public var description: String { "expected \(expected)" }
}
