public import DynamoDBJSON
public import Foundation
import TarnColumns

// How DynamoDBEncoder and DynamoDBDecoder take Foundation's values, which know nothing of Foundation themselves.

extension Data: AttributeValueConvertible {
  /// Reads binary.
  public init(attributeValue: AttributeValue, userInfo: [CodingUserInfoKey: Any]) throws {
    guard case .binary(let bytes) = attributeValue else { throw AttributeValueMismatch("B") }
    self.init(bytes)
  }

  /// Writes binary.
  public func attributeValue(userInfo: [CodingUserInfoKey: Any]) throws -> AttributeValue {
    .binary([UInt8](self))
  }
}

extension Decimal: AttributeValueConvertible {
  /// Reads a number, all of its digits, or none where `Decimal` does not hold them: its powers of ten go from -128
  /// to 127, DynamoDB's from -167 to 125.
  public init(attributeValue: AttributeValue, userInfo: [CodingUserInfoKey: Any]) throws {
    guard case .number(let number) = attributeValue else { throw AttributeValueMismatch("N") }
    try self.init(exactly: number)
  }

  /// Writes a number.
  public func attributeValue(userInfo: [CodingUserInfoKey: Any]) throws -> AttributeValue {
    .number(try DynamoDBNumber(self))
  }

  /// The number, exactly.
  ///
  /// - Throws: ``AttributeValueMismatch`` where it has a digit behind the 128th place.
  public init(exactly number: DynamoDBNumber) throws(AttributeValueMismatch) {
    guard (-128...127).contains(number.exponent) else {
      throw AttributeValueMismatch("a number that Decimal holds, which ends at the 128th place")
    }
    // Halves of at most 19 digits, which 64 bits hold.
    let (high, low) = number.coefficient.magnitude.quotientAndRemainder(
      dividingBy: 10_000_000_000_000_000_000)
    let digits =
      Decimal(UInt64(truncatingIfNeeded: high)) * Decimal(sign: .plus, exponent: 19, significand: 1)
      + Decimal(UInt64(truncatingIfNeeded: low))
    self.init(
      sign: number.coefficient < 0 ? .minus : .plus, exponent: number.exponent, significand: digits)
  }
}

extension DynamoDBNumber {
  /// A decimal's value.
  ///
  /// - Throws: `DynamoDBJSONError` where it is none, or has more than 38 digits.
  public init(_ value: Decimal) throws(DynamoDBJSONError) { try self.init(value.description) }
}

extension Date: AttributeValueConvertible {
  /// Reads text of ISO 8601 with a zone, such as `2024-01-31T12:00:00Z`, or a number of seconds since 1970, as those
  /// attributes have it by which items expire.
  public init(attributeValue: AttributeValue, userInfo: [CodingUserInfoKey: Any]) throws {
    switch attributeValue {
    case .string(let text):
      guard let time = CivilTime.parse(Array(text.utf8).span.bytes), time.hasZone, !time.lostDigits else {
        throw AttributeValueMismatch("a time such as 2024-01-31T12:00:00Z, to the microsecond at most")
      }
      self.init(microseconds: time.microseconds)
    case .number(let number):
      guard let seconds = Double(number.text) else { throw AttributeValueMismatch("seconds since 1970") }
      self.init(timeIntervalSince1970: seconds)
    default: throw AttributeValueMismatch("S or N")
    }
  }

  /// Writes text of ISO 8601 in UTC, rounded to microseconds, such as `2024-01-31T12:00:00.000000Z`: texts of one
  /// length, which sort as their times do.
  public func attributeValue(userInfo: [CodingUserInfoKey: Any]) throws -> AttributeValue {
    let micros = (timeIntervalSinceReferenceDate * 1_000_000).rounded()
    // The years from 1 to 9999, as text has them, counted from 2001.
    guard micros >= -63_113_904_000_000_000, micros < 252_423_993_600_000_000 else {
      throw AttributeValueMismatch("a time of the years from 1 to 9999")
    }
    var text: [UInt8] = []
    CivilTime.append(microseconds: Int64(micros) + Self.epoch, isInstant: true, to: &text)
    return .string(String(decoding: text, as: UTF8.self))
  }

  /// Microseconds from 1970 to 2001.
  private static let epoch: Int64 = 978_307_200_000_000

  private init(microseconds: Int64) {
    // From 2001 on, as a date counts, so that a time that was written is the same again.
    self.init(timeIntervalSinceReferenceDate: Double(microseconds - Self.epoch) / 1_000_000)
  }
}

/// A time as whole seconds since 1970, which is how DynamoDB wants the attribute by which items expire.
///
/// ```swift
/// struct Session: Codable {
///   var id: String
///   var seen: Date
///   var expires: EpochSeconds
/// }
/// ```
public struct EpochSeconds: Sendable, Hashable, Codable, AttributeValueConvertible {
  /// The time.
  public var date: Date

  /// Wraps a time.
  public init(_ date: Date) { self.date = date }

  /// Reads a number of seconds.
  public init(attributeValue: AttributeValue, userInfo: [CodingUserInfoKey: Any]) throws {
    guard case .number = attributeValue else { throw AttributeValueMismatch("N") }
    self.init(try .init(attributeValue: attributeValue, userInfo: userInfo))
  }

  /// Writes a number of seconds, rounded down.
  public func attributeValue(userInfo: [CodingUserInfoKey: Any]) throws -> AttributeValue {
    guard let seconds = Int64(exactly: date.timeIntervalSince1970.rounded(.down)) else {
      throw AttributeValueMismatch("a time that 64 bits of seconds hold")
    }
    return .number(DynamoDBNumber(seconds))
  }
}
