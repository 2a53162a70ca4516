import DynamoDBJSON
import Foundation
import Testing

@Suite("Swift types from items, and items from Swift types")
struct CodingTests {
  @Test("A structure with a property of every kind comes back as it was")
  func everyKind() throws {
    let value = try Everything.sample()
    let bytes = try DynamoDBEncoder().encode(value)
    #expect(try DynamoDBDecoder().decode(Everything.self, from: bytes) == value)
    let item = try Item(json: bytes)
    #expect(try DynamoDBDecoder().decode(Everything.self, from: item) == value)
    #expect(try DynamoDBEncoder().encodeItem(value) == item)
    #expect(try DynamoDBDecoder().decode(Everything.self, from: bytes.span.bytes) == value)
  }

  @Test("Each kind is the attribute type that the SDKs take it for")
  func attributeTypes() throws {
    let item = try DynamoDBEncoder().encodeItem(try Everything.sample())
    let tags = Dictionary(uniqueKeysWithValues: item.attributes.map { ($0.name, $0.value.tag) })
    #expect(
      tags.filter { !["N", "L"].contains($0.value) } == [
        "text": "S", "yes": "BOOL", "bytes": "B", "address": "M", "byName": "M", "optional": "S",
        "colors": "SS", "sizes": "NS", "prices": "NS", "keys": "BS", "item": "M",
      ])
    #expect(item["absent"] == nil)
    #expect(item["exact"] == .number(try DynamoDBNumber("12.50")))
    #expect(item["blobs"] == .list([.binary([]), .binary([7])]))
    #expect(item["maybe"] == .list([.number(DynamoDBNumber(1)), .null, .number(DynamoDBNumber(3))]))
  }

  @Test("Sets are written in one order")
  func setOrder() throws {
    let json = try DynamoDBEncoder().encode(["tags": Set(["b", "c", "a"])])
    #expect(String(decoding: json, as: UTF8.self) == #"{"tags":{"SS":["a","b","c"]}}"#)
  }

  @Test("Attributes are found by name among few and among many, in any order, escaped or not")
  func lookup() throws {
    for count in [1, 5, 24, 25, 100, 1_000] {
      var parts = (0..<count).map { #""attribute_\#($0)_of_one_length":{"N":"\#($0)"}"# }
      parts.append(#""e\u0073caped":{"N":"-1"}"#)
      let json = "{" + parts.reversed().joined(separator: ", ") + "}"
      let found = try DynamoDBDecoder().decode([String: Int].self, from: json)
      #expect(found.count == count + 1)
      #expect(found["attribute_\(count - 1)_of_one_length"] == count - 1)
      struct Some: Decodable {
        var escaped: Int
        var first: Int
        var other: Int?
        enum CodingKeys: String, CodingKey {
          case escaped
          case first = "attribute_0_of_one_length"
          case other
        }
      }
      let some = try DynamoDBDecoder().decode(Some.self, from: json)
      #expect(some.escaped == -1 && some.first == 0 && some.other == nil)
    }
  }

  @Test("NULL and a missing attribute are nil")
  func null() throws {
    struct Optionals: Codable, Equatable {
      var text: String?
      var number: Int?
      var set: Set<Int>?
      var list: [String?]
    }
    let json = #"{"text":{"NULL":true},"set":{"NULL":true},"list":{"L":[{"NULL":true},{"S":"a"}]}}"#
    let value = try DynamoDBDecoder().decode(Optionals.self, from: json)
    #expect(value == Optionals(text: nil, number: nil, set: nil, list: [nil, "a"]))
    struct Explicit: Encodable {
      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: AnyKey.self)
        try container.encodeNil(forKey: AnyKey("x"))
      }
    }
    #expect(try DynamoDBEncoder().encode(Explicit()) == Array(#"{"x":{"NULL":true}}"#.utf8))
  }

  @Test("A set without members is refused, or NULL where that is asked for")
  func emptySets() throws {
    struct Tagged: Codable, Equatable { var tags: Set<String> }
    let error = #expect(throws: DynamoDBJSONError.self) { try DynamoDBEncoder().encode(Tagged(tags: [])) }
    #expect(error?.code == .badSet && error?.path == "tags")
    var encoder = DynamoDBEncoder()
    encoder.emptySets = .null
    let bytes = try encoder.encode(Tagged(tags: []))
    #expect(bytes == Array(#"{"tags":{"NULL":true}}"#.utf8))
    #expect(try DynamoDBDecoder().decode(Tagged.self, from: bytes) == Tagged(tags: []))
  }

  @Test("Superclasses, and containers that are filled late, have their places")
  func otherContainers() throws {
    let dog = try DynamoDBEncoder().encode(Dog(name: "Rex", legs: 4))
    #expect(String(decoding: dog, as: UTF8.self) == #"{"super":{"M":{"legs":{"N":"4"}}},"name":{"S":"Rex"}}"#)
    let again = try DynamoDBDecoder().decode(Dog.self, from: dog)
    #expect(again.name == "Rex" && again.legs == 4)
    let value = Interleaved(first: [1, 2], second: 3, inner: ["a": 4])
    let bytes = try DynamoDBEncoder().encode(value)
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == #"{"first":{"L":[{"N":"1"},{"N":"2"}]},"inner":{"M":{"a":{"N":"4"}}},"second":{"N":"3"}}"#)
    #expect(try DynamoDBDecoder().decode(Interleaved.self, from: bytes) == value)
  }

  @Test("One attribute value is coded alone")
  func attributes() throws {
    #expect(try DynamoDBEncoder().encodeAttribute([1, 2]) == Array(#"{"L":[{"N":"1"},{"N":"2"}]}"#.utf8))
    #expect(
      try DynamoDBDecoder().decodeAttribute([Int].self, from: Array(#"{"NS":["1","2"]}"#.utf8)) == [1, 2])
    #expect(try DynamoDBDecoder().decodeAttribute(String.self, from: .string("x")) == "x")
    #expect(try DynamoDBEncoder().encodeAttribute("x") == Array(#"{"S":"x"}"#.utf8))
    #expect(
      try DynamoDBDecoder().decodeAttribute([UInt8].self, from: Array(#"{"L":[{"N":"7"}]}"#.utf8)) == [7])
    // Such as Foundation's Data without TarnFoundation: its own conformance asks for a list of bytes.
    #expect(
      try DynamoDBDecoder().decodeAttribute(ContiguousArray<UInt8>.self, from: .binary([1, 2])) == [1, 2])
  }

  @Test("Types that make attribute values of their own are asked first")
  func convertible() throws {
    struct Flag: Codable, Equatable, AttributeValueConvertible {
      var on: Bool
      init(on: Bool) { self.on = on }
      init(attributeValue: AttributeValue, userInfo: [CodingUserInfoKey: Any]) throws {
        guard case .string(let text) = attributeValue else { throw AttributeValueMismatch("Y or N") }
        on = text == "Y"
      }
      func attributeValue(userInfo: [CodingUserInfoKey: Any]) throws -> AttributeValue {
        .string(on ? "Y" : "N")
      }
    }
    let bytes = try DynamoDBEncoder().encode(["a": Flag(on: true)])
    #expect(bytes == Array(#"{"a":{"S":"Y"}}"#.utf8))
    #expect(try DynamoDBDecoder().decode([String: Flag].self, from: bytes) == ["a": Flag(on: true)])
    let error = #expect(throws: DynamoDBJSONError.self) {
      try DynamoDBDecoder().decode([String: Flag].self, from: #"{"a":{"N":"1"}}"#)
    }
    #expect(error?.code == .wrongType && error?.description == "a: N where Y or N was expected at offset 5")
  }

  @Test("Settings of the user's own reach the types")
  func userInfo() throws {
    struct Asking: Codable {
      init() {}
      init(from decoder: any Decoder) throws { try Self.check(decoder.userInfo) }
      func encode(to encoder: any Encoder) throws {
        try Self.check(encoder.userInfo)
        var container = encoder.singleValueContainer()
        try container.encode([String: Int]())
      }
      static func check(_ info: [CodingUserInfoKey: Any]) throws {
        #expect(CodingUserInfoKey(rawValue: "x").flatMap { info[$0] } as? Int == 7)
      }
    }
    let key = try #require(CodingUserInfoKey(rawValue: "x"))
    var decoder = DynamoDBDecoder()
    decoder.userInfo[key] = 7
    _ = try decoder.decode(Asking.self, from: "{}")
    var encoder = DynamoDBEncoder()
    encoder.userInfo[key] = 7
    #expect(try encoder.encode(Asking()) == Array("{}".utf8))
  }

  @Test("Attribute values have one form with other coders too")
  func otherCoders() throws {
    let item = try Item(
      json: #"{"a":{"N":"1.50"},"b":{"BS":["AQ=="]},"c":{"M":{"d":{"L":[{"NULL":true}]}}}}"#)
    let data = try JSONEncoder().encode(item)
    #expect(try Item(json: Array(data)) == item)
    #expect(try JSONDecoder().decode(Item.self, from: data) == item)
    for broken in [
      #"{"a":{}}"#, #"{"a":{"S":"x","N":"1"}}"#, #"{"a":{"NULL":false}}"#, #"{"a":{"X":1}}"#,
      #"{"a":{"SS":[]}}"#, #"{"a":{"B":"!"}}"#, #"{"a":{"N":"x"}}"#,
    ] {
      #expect(throws: DecodingError.self) { try JSONDecoder().decode(Item.self, from: Data(broken.utf8)) }
    }
  }
}

/// A coding key of any name.
struct AnyKey: CodingKey {
  var stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}
