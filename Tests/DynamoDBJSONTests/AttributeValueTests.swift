import DynamoDBJSON
import Foundation
import TarnTestSupport
import Testing

@Suite("DynamoDB attribute values")
struct AttributeValueTests {
  static let all: [String] = [
    #"{"S":"h\u00e9llo \ud83d\ude00 \"q\" \\ \n"}"#, #"{"S":""}"#, #"{"N":"-12.50"}"#, #"{"B":"AAH+/w=="}"#,
    #"{"B":""}"#, #"{"BOOL":true}"#, #"{"BOOL":false}"#, #"{"NULL":true}"#, #"{"M":{}}"#,
    #"{"M":{"a":{"N":"1"},"b":{"L":[{"S":"x"},{"NULL":true}]}}}"#, #"{"L":[]}"#,
    #"{"L":[{"S":"a"},{"N":"1"},{"BOOL":false},{"M":{"k":{"S":"v"}}},{"L":[]}]}"#,
    #"{"SS":["red","blue",""]}"#,
    #"{"NS":["1","2.5","-3"]}"#, #"{"BS":["AQ==","AgM="]}"#,
  ]

  @Test("Each of the ten types survives decoding and encoding", arguments: all)
  func roundTrip(_ text: String) throws {
    let value = try AttributeValue(json: text)
    let again = try AttributeValue(json: value.encoded())
    #expect(again == value)
    #expect(again.hashValue == value.hashValue)
    #expect(text.hasPrefix("{\"\(value.tag)\""))
  }

  @Test("Blanks between tokens do not matter")
  func blanks() throws {
    let spaced = try AttributeValue(json: "{ \"L\" : [ { \"N\" : \"1\" } ,\n{\"S\":\"a\"} ] }")
    #expect(spaced == (try AttributeValue(json: #"{"L":[{"N":"1"},{"S":"a"}]}"#)))
  }

  @Test("Sets are equal in any order, lists are not")
  func setOrder() throws {
    #expect(try AttributeValue(json: #"{"SS":["a","b"]}"#) == AttributeValue(json: #"{"SS":["b","a"]}"#))
    #expect(try AttributeValue(json: #"{"NS":["1.0","2"]}"#) == AttributeValue(json: #"{"NS":["2.00","1"]}"#))
    #expect(
      try AttributeValue(json: #"{"L":[{"S":"a"},{"S":"b"}]}"#)
        != AttributeValue(json: #"{"L":[{"S":"b"},{"S":"a"}]}"#))
  }

  @Test("Names and texts that differ in bytes are different, even where Unicode calls them equivalent")
  func bytesDecide() throws {
    let item = try Item(json: #"{"\u00e9":{"N":"1"},"e\u0301":{"N":"2"}}"#)
    #expect(item.count == 2)
    #expect(item["\u{e9}"] == .number(DynamoDBNumber(1)))
    #expect(AttributeValue.string("\u{e9}") != .string("e\u{301}"))
    #expect(throws: Never.self) { try AttributeValue(json: #"{"SS":["\u00e9","e\u0301"]}"#) }
  }

  @Test(
    "What is no attribute value is refused with the reason",
    arguments: [
      (#"{"X":"a"}"#, DynamoDBJSONError.Code.unknownType, "\"X\""), ("{}", .notOneType, ""),
      (#"{"S":"a","N":"1"}"#, .notOneType, ""), (#"{"NULL":false}"#, .nullNotTrue, ""),
      (#"{"SS":[]}"#, .emptySet, ""),
      (#"{"NS":[]}"#, .emptySet, ""), (#"{"BS":[]}"#, .emptySet, ""),
      (#"{"SS":["a","a"]}"#, .duplicateMember, "\"a\" twice"),
      (#"{"BS":["AQ==","AQ=="]}"#, .duplicateMember, "the same bytes twice"),
      (#"{"N":"abc"}"#, .badNumber, "\"abc\""),
      (#"{"N":""}"#, .badNumber, "\"\""), (#"{"N":"1E-131"}"#, .numberOutOfRange, "1E-131"),
      (#"{"N":"1E+126"}"#, .numberOutOfRange, "1E+126"), (#"{"B":"A"}"#, .badBase64, ""),
      (#"{"M":{"a":{"S":"1"},"a":{"S":"2"}}}"#, .duplicateAttribute, "\"a\" twice"),
      (#"{"S":"a"} x"#, .trailingText, ""),
    ])
  func refused(_ text: String, _ code: DynamoDBJSONError.Code, _ detail: String) {
    let error = #expect(throws: DynamoDBJSONError.self) { try AttributeValue(json: text) }
    #expect(error?.code == code)
    #expect(detail.isEmpty || error?.reason.contains(detail) == true)
  }

  @Test(
    "JSON of the wrong type is refused",
    arguments: [#"{"N":1}"#, #"{"S":null}"#, #"{"BOOL":"true"}"#, "[]", ""])
  func wrongType(_ text: String) {
    let error = #expect(throws: DynamoDBJSONError.self) { try AttributeValue(json: text) }
    #expect(error?.code == .json)
  }

  @Test("An error names the attribute by its path")
  func errorPath() {
    let error = #expect(throws: DynamoDBJSONError.self) {
      try Item(json: #"{"address":{"M":{"lines":{"L":[{"S":"a"},{"N":"x"}]}}}}"#)
    }
    #expect(error?.path == "address.lines[1]")
    #expect(error?.description.contains("\"x\" is no number") == true)
  }

  @Test("Nesting stops at the limit, far from the end of the stack")
  func depth() throws {
    func nested(_ levels: Int) -> String {
      String(repeating: #"{"L":["#, count: levels) + String(repeating: "]}", count: levels)
    }
    #expect(throws: Never.self) { try AttributeValue(json: nested(64)) }
    let error = #expect(throws: DynamoDBJSONError.self) { try AttributeValue(json: nested(65)) }
    #expect(error?.code == .tooDeep)
    #expect(throws: DynamoDBJSONError.self) { try AttributeValue(json: nested(100_000)) }
  }

  @Test("Plain JSON is without tags, and the same for equal values")
  func plain() throws {
    let value = try AttributeValue(
      json:
        #"{"M":{"z":{"NS":["10","-3","2.50"]},"a":{"L":[{"S":"x"},{"N":"1"},{"NULL":true},{"BOOL":true}]},"#
        + #""s":{"SS":["b","a"]},"b":{"BS":["Ag==","AQ=="]},"e":{"N":"9.9999999999999999999999999999999999999E+125"}}}"#
    )
    #expect(
      value.plainJSON()
        == #"{"a":["x",1,null,true],"b":["AQ==","Ag=="],"e":9.9999999999999999999999999999999999999E+125,"#
        + #""s":["a","b"],"z":[-3,2.5,10]}"#)
  }

  @Test("Every attribute of the samples survives decoding and encoding")
  func samples() throws {
    let folder = try TestWorld.requireShared("aws/samples")
    var count = 0
    for file in ["export-full-mock.jsonl", "kinesis-ddb-records.jsonl", "streams-records.jsonl"] {
      for line in try TestWorld.lines(of: "\(folder)/\(file)") {
        let parsed = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        for image in images(parsed ?? [:]) {
          let item = try Item(json: Array(JSONSerialization.data(withJSONObject: image)))
          #expect(try Item(json: item.encoded()) == item)
          count += item.count
        }
      }
    }
    #expect(count > 300)
  }

  private func images(_ record: [String: Any]) -> [[String: Any]] {
    let body = record["dynamodb"] as? [String: Any] ?? record
    return ["Item", "Keys", "NewImage", "OldImage"].compactMap { body[$0] as? [String: Any] }
  }
}

@Suite("DynamoDB numbers")
struct DynamoDBNumberTests {
  @Test(
    "Numbers at the limits are exact and keep their text",
    arguments: [
      "1E-130", "-1E-130", "9.9999999999999999999999999999999999999E+125",
      "12345678901234567890123456789012345678",
      "0.000000000000000000000000000000000000001", "0", "-0", "+5", "007.50", "1e2",
      "99999999999999999999999999999999999999000",
    ])
  func limits(_ text: String) throws {
    let number = try DynamoDBNumber(text)
    #expect(number.text == text)
    var canonical: [UInt8] = []
    number.appendCanonical(to: &canonical)
    #expect(try DynamoDBNumber(String(decoding: canonical, as: UTF8.self)) == number)
  }

  @Test(
    "What is no number, or beyond the limits, is refused",
    arguments: [
      "", ".", "1.", ".5", "1e", "1e+", "--1", "0x10", "NaN", "Infinity", " 1", "1 ", "1E-131", "0.9E-130",
      "1E126",
      "123456789012345678901234567890123456789", "1E99999999999999999999",
    ])
  func refused(_ text: String) {
    #expect(throws: DynamoDBJSONError.self) { try DynamoDBNumber(text) }
  }

  @Test("Equality and order are by value")
  func order() throws {
    #expect(try DynamoDBNumber("1.50") == DynamoDBNumber("15E-1"))
    #expect(try Set([DynamoDBNumber("1"), DynamoDBNumber("1.0")]).count == 1)
    let texts = [
      "-1E+100", "-12", "-1.5", "-1E-130", "0", "1E-130", "0.5", "1", "1.0000001", "9", "10", "1E+100",
    ]
    let numbers = try texts.map { try DynamoDBNumber($0) }
    #expect(numbers.shuffled().sorted().map(\.text) == texts)
  }

  @Test("Conversions give nil rather than round")
  func conversions() throws {
    #expect(try DynamoDBNumber("9223372036854775807").int64 == .max)
    #expect(try DynamoDBNumber("9223372036854775808").int64 == nil)
    #expect(try DynamoDBNumber("5.0").int64 == 5)
    #expect(try DynamoDBNumber("0.1").int64 == nil)
    #expect(try DynamoDBNumber("0.1").double == 0.1)
    #expect(try DynamoDBNumber("0.10000000000000000001").double == nil)
    #expect(try DynamoDBNumber("12345678901234567890123456789012345678").double == nil)
    #expect(try DynamoDBNumber("1E+100").double == 1e100)
  }
}
