import DynamoDBJSON
import Testing

/// Types that encode and decode themselves in ways of their own.
@Suite("Types with ways of their own")
struct OwnTypesTests {
  private struct Step: CodingKey {
    let stringValue = "step"
    let intValue: Int?

    init(_ number: Int) { intValue = number }
    init?(intValue: Int) { self.intValue = intValue }
    init?(stringValue: String) { nil }
  }

  /// A type that reads parts of a string, and names the part that is wrong.
  private struct Parts: Decodable {
    init(from decoder: any Decoder) throws {
      let number = try #require(Int(try decoder.singleValueContainer().decode(String.self)))
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath + [Step(number)], debugDescription: "part \(number)"))
    }
  }

  @Test(
    "A coding path that leads beyond what is there gives the error of what it reaches", arguments: [1, -1, 9])
  func pathBeyond(number: Int) {
    let error = #expect(throws: DynamoDBJSONError.self) {
      try DynamoDBDecoder().decode([String: Parts].self, from: #"{"a":{"S":"\#(number)"}}"#)
    }
    #expect(error?.code == .refused && error?.path == "a")
  }

  private enum Color: String, Codable { case red, blue }

  @Test("A dictionary whose keys are no names is a list of keys and values")
  func keysThatAreNoNames() throws {
    let colors: [Color: Int] = [.red: 1, .blue: 2]
    let item = try DynamoDBEncoder().encode(["colors": colors])
    #expect(try DynamoDBDecoder().decode([String: [Color: Int]].self, from: item) == ["colors": colors])
    let error = #expect(throws: DynamoDBJSONError.self) {
      try DynamoDBDecoder().decodeAttribute(
        [Color: Int].self, from: Array(#"{"L":[{"S":"red"},{"N":"1"},{"S":"red"},{"N":"2"}]}"#.utf8))
    }
    #expect(error != nil)
  }

  private struct Failing: Encodable {
    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Step.self)
      try container.encode(1, forKey: Step(0))
      throw CancellationError()
    }
  }

  private struct Either: Encodable {
    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      do { try container.encode(Failing()) } catch { try container.encode("instead") }
    }
  }

  @Test("Of a value that fails nothing is written where its type goes on with another")
  func anotherValue() throws {
    #expect(try DynamoDBEncoder().encodeAttribute(Either()) == Array(#"{"S":"instead"}"#.utf8))
  }
}
