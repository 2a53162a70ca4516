import DynamoDBJSON
import Foundation
import TarnTestSupport
import Testing

@Suite("Items of all types")
struct ItemRoundTripTests {
  @Test("Any item survives writing and reading, and coding as any type that holds it", arguments: 0..<8)
  func roundTrip(_ batch: Int) throws {
    for seed in 0..<(TestWorld.isLong ? 2_000 : 60) {
      var maker = RandomItem(seed: UInt64(batch * 1_000_000 + seed))
      let item = maker.item()
      let bytes = item.encoded()
      #expect(try Item(json: bytes) == item)
      let decoded = try DynamoDBDecoder().decode(Item.self, from: bytes)
      #expect(decoded == item)
      #expect(try DynamoDBEncoder().encode(decoded) == bytes)
      // Each attribute as a value of its own, which is looked up by name.
      for attribute in item.attributes {
        struct One: Codable {
          let value: AttributeValue
          let name: String
          init(name: String, value: AttributeValue) { (self.name, self.value) = (name, value) }
          init(from decoder: any Decoder) throws {
            name = decoder.userInfo[One.key] as? String ?? ""
            value = try decoder.container(keyedBy: AnyKey.self).decode(
              AttributeValue.self, forKey: AnyKey(name))
          }
          func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: AnyKey.self)
            try container.encode(value, forKey: AnyKey(name))
          }
          static let key = CodingUserInfoKey(rawValue: "name") ?? { preconditionFailure() }()
        }
        var decoder = DynamoDBDecoder()
        decoder.userInfo[One.key] = attribute.name
        let one = try decoder.decode(One.self, from: bytes)
        #expect(one.value == attribute.value)
        #expect(try DynamoDBEncoder().encodeItem(one) == [attribute.name: attribute.value])
      }
    }
  }

  @Test("Plain JSON of any item is what another reader of JSON finds in it", arguments: 0..<4)
  func plainJSON(_ batch: Int) throws {
    for seed in 0..<60 {
      var maker = RandomItem(seed: UInt64(7_000_000 + batch * 1_000 + seed))
      let item = maker.item()
      let plain = try PlainJSON().unmarshall(item.encoded())
      _ = try JSONSerialization.jsonObject(with: Data(plain))
      // Sets become lists, and bytes texts, but nothing else changes.
      let again = try PlainJSON().marshall(plain)
      #expect(try PlainJSON().unmarshall(again) == plain)
      #expect(
        try PlainJSON.canonical.unmarshall(item.encoded())
          == Array(AttributeValue.map(item).plainJSON().utf8))
    }
  }

  @Test("Items cut, changed or stretched are refused or read, and nothing else", arguments: 0..<4)
  func damaged(_ batch: Int) {
    for seed in 0..<80 {
      var maker = RandomItem(seed: UInt64(9_000_000 + batch * 1_000 + seed))
      let whole = maker.item().encoded()
      for length in [0, 1, whole.count / 2, whole.count - 1] {
        #expect(throws: DynamoDBJSONError.self) { try Item(json: Array(whole[..<length])) }
      }
      var bytes = whole
      for _ in 0...maker.random.below(3) {
        let place = maker.random.below(bytes.count)
        switch maker.random.below(3) {
        case 0: bytes[place] = UInt8(maker.random.below(256))
        case 1: bytes.insert(UInt8(maker.random.below(128)), at: place)
        default: if bytes.count > 1 { bytes.remove(at: place) }
        }
      }
      do throws(DynamoDBJSONError) {
        let read = try Item(json: bytes)
        #expect((try? Item(json: read.encoded())) == read)
      } catch {
        #expect((0...bytes.count).contains(error.offset))
        #expect(!error.description.isEmpty)
        let decoding = #expect(throws: DynamoDBJSONError.self) {
          try DynamoDBDecoder().decode([String: AttributeValue].self, from: bytes)
        }
        #expect(decoding == error)
        #expect(throws: DynamoDBJSONError.self) { try PlainJSON().unmarshall(bytes) }
      }
    }
  }

  @Test(
    "Bad input is refused with the place",
    arguments: [
      (#"{"a":{"S":1}}"#, DynamoDBJSONError.Code.json, "a"), (#"{"a":{"S":"x","N":"1"}}"#, .notOneType, "a"),
      (#"{"a":{"S":"x","S":"x"}}"#, .notOneType, "a"), (#"{"a":{}}"#, .notOneType, "a"),
      (#"{"a":1}"#, .json, "a"),
      (#"{"a":{"s":"x"}}"#, .unknownType, "a"), (#"{"a":{"X":"x"}}"#, .unknownType, "a"),
      (#"{"a":{"M":{"b":{"L":[{"N":"1"},{"N":"--1"}]}}}}"#, .badNumber, "a.b[1]"),
      (#"{"a":{"S":"1"},"a":{"S":"2"}}"#, .duplicateAttribute, ""),
      (#"{"a":{"S":"1"},"\u0061":{"S":"2"}}"#, .duplicateAttribute, ""),
      (#"{"a":{"S":"\ud800"}}"#, .json, "a"), (#"{"a":{"S":"\udc00\ud800"}}"#, .json, "a"),
      (#"{"\ud800":{"S":""}}"#, .json, ""),
      (#"{"a":{"N":"\#(String(repeating: "9", count: 39))"}}"#, .badNumber, "a"),
      (#"{"a":{"N":"\#(String(repeating: "9", count: 1_000_000))"}}"#, .badNumber, "a"),
      (#"{"a":{"N":"1E\#(String(repeating: "9", count: 1_000_000))"}}"#, .badNumber, "a"),
      (#"{"a":{"N":"0.\#(String(repeating: "0", count: 200))1"}}"#, .numberOutOfRange, "a"),
      (#"{"a":{"B":"AQ="}}"#, .badBase64, "a"), (#"{"a":{"B":"AR=="}}"#, .badBase64, "a"),
      (#"{"a":{"B":"A\u0051=="},"b":{"BS":["AQ==","\u0041Q=="]}}"#, .duplicateMember, "b"),
      (#"{"a":{"NS":["1","1.0"]}}"#, .duplicateMember, "a"), (#"{"a":{"NS":[1]}}"#, .json, "a"),
      ("null", .json, ""),
      (#"{"a":{"NULL":"true"}}"#, .json, "a"), (#"{"a":{"M":[]}}"#, .json, "a"),
      (#"{"a":{"L":{}}}"#, .json, "a"),
    ])
  func badInput(_ text: String, _ code: DynamoDBJSONError.Code, _ path: String) {
    for error in [
      #expect(throws: DynamoDBJSONError.self) { try Item(json: text) },
      #expect(throws: DynamoDBJSONError.self) {
        try DynamoDBDecoder().decode([String: Int].self, from: text)
      },
      #expect(throws: DynamoDBJSONError.self) { try PlainJSON().unmarshall(text) },
    ] {
      #expect(error?.code == code && error?.path == path)
      #expect((error?.reason.utf8.count ?? 0) < 200)
    }
  }

  @Test("Many attributes, one of them twice, are told apart quickly")
  func manyAttributes() throws {
    for middle in ["", "_in the middle_of_"] {
      var parts = (0..<20_000).map { #""attribute\#(middle)\#($0)_of_the_item":{"BOOL":true}"# }
      #expect(try Item(json: "{" + parts.joined(separator: ",") + "}").count == 20_000)
      parts.append(parts[777])
      let error = #expect(throws: DynamoDBJSONError.self) {
        try Item(json: "{" + parts.joined(separator: ",") + "}")
      }
      #expect(error?.code == .duplicateAttribute)
      #expect(error?.reason.contains("777_of_the_item") == true)
    }
  }

  @Test("Text that is not UTF-8 is refused, in names, values and sets")
  func notUTF8() {
    for bytes: [UInt8] in [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]] {
      for (before, after) in [
        (#"{"a":{"S":""#, #""}}"#), (#"{""#, #"":{"S":""}}"#), (#"{"a":{"SS":[""#, #""]}}"#),
      ] {
        let error = #expect(throws: DynamoDBJSONError.self) {
          try Item(json: Array(before.utf8) + bytes + Array(after.utf8))
        }
        #expect(error?.code == .json && error?.reason.contains("not UTF-8") == true)
      }
    }
  }
}
