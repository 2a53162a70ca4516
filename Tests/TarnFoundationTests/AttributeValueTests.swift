import DynamoDBJSON
import Foundation
import TarnFoundation
import TarnTestSupport
import Testing

@Suite("Foundation's values as attributes")
struct FoundationAttributeTests {
  struct Session: Codable, Equatable {
    var data: Data
    var price: Decimal
    var seen: Date
    var expires: EpochSeconds
    var keys: Set<Data>
    var prices: Set<Decimal>
    var maybe: Date?
  }

  @Test("Data, Decimal and Date are attributes of their own types, and come back")
  func roundTrip() throws {
    let price = try #require(Decimal(string: "-1234567890123456789012.3456789012345678"))
    let session = Session(
      data: Data([0, 255]), price: price, seen: Date(timeIntervalSinceReferenceDate: 727_956_000.123456),
      expires: EpochSeconds(Date(timeIntervalSince1970: 1_705_312_800)), keys: [Data([1]), Data()],
      prices: [1, 2.5], maybe: nil)
    let bytes = try DynamoDBEncoder().encode(session)
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == #"{"data":{"B":"AP8="},"price":{"N":"-1234567890123456789012.3456789012345678"},"#
        + #""seen":{"S":"2024-01-26T10:00:00.123456Z"},"expires":{"N":"1705312800"},"keys":{"BS":["","AQ=="]},"#
        + #""prices":{"NS":["1","2.5"]}}"#)
    #expect(try DynamoDBDecoder().decode(Session.self, from: bytes) == session)
  }

  @Test("A date is read from text with a zone, and from seconds")
  func dates() throws {
    func date(_ value: AttributeValue) throws -> Date {
      try DynamoDBDecoder().decodeAttribute(Date.self, from: value)
    }
    #expect(try date(.string("1970-01-01T01:00:00+01:00")) == Date(timeIntervalSince1970: 0))
    #expect(
      try date(.number(DynamoDBNumber("1705312800.25"))) == Date(timeIntervalSince1970: 1_705_312_800.25))
    for bad: AttributeValue in [.string("2024-01-31T12:00:00"), .string("soon"), .boolean(true), .string("")]
    {
      let error = #expect(throws: DynamoDBJSONError.self) { try date(bad) }
      #expect(error?.code == .wrongType)
    }
    for bad in [Date.distantFuture + 1e12, Date(timeIntervalSince1970: .nan), Date.distantPast - 1e12] {
      #expect(throws: DynamoDBJSONError.self) { try DynamoDBEncoder().encode(["a": bad]) }
    }
    for seconds in [-62_135_596_800, 253_402_300_799.0] {
      let date = Date(timeIntervalSince1970: seconds)
      let bytes = try DynamoDBEncoder().encodeAttribute(date)
      #expect(try DynamoDBDecoder().decodeAttribute(Date.self, from: bytes) == date)
    }
  }

  @Test("Decimals are exact, or refused")
  func decimals() throws {
    var random = SeededGenerator(seed: 11)
    for _ in 0..<500 {
      let digits = (0..<1 + random.below(38)).map { _ in String(random.below(10)) }.joined()
      let number = try DynamoDBNumber(
        (random.oneIn(2) ? "-" : "") + "1\(digits.dropFirst())E\(random.below(150) - 90)")
      let decimal = try Decimal(exactly: number)
      #expect(try DynamoDBNumber(decimal) == number)
      #expect(decimal == Decimal(string: number.canonicalText))
    }
    let least = try DynamoDBNumber("1E-130")
    #expect(throws: AttributeValueMismatch.self) { try Decimal(exactly: least) }
    let error = #expect(throws: DynamoDBJSONError.self) {
      try DynamoDBDecoder().decode([String: Decimal].self, from: #"{"a":{"N":"1E-130"}}"#)
    }
    #expect(error?.path == "a")
    for bad in [Decimal.nan, Decimal.greatestFiniteMagnitude] {
      #expect(throws: DynamoDBJSONError.self) { try DynamoDBNumber(bad) }
      #expect(throws: DynamoDBJSONError.self) { try DynamoDBEncoder().encode(["a": bad]) }
    }
  }
}
