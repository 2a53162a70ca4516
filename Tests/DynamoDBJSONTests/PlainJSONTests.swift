import DynamoDBJSON
import Testing

@Suite("Plain JSON")
struct PlainJSONTests {
  @Test("An item without tags, and plain JSON with them")
  func bothWays() throws {
    let item =
      #"{"z":{"NS":["10","-3","2.50"]},"a":{"L":[{"S":"x\n"},{"N":"+1.50"},{"NULL":true},{"BOOL":true}]},"#
      + #""b":{"BS":["Ag==","AQ=="]},"e":{"M":{"\u0061":{"B":"AQ=="},"f":{"BOOL":false}}},"n":{"N":"1E-130"}}"#
    let plain = try PlainJSON().unmarshall(item)
    #expect(
      plain
        == #"{"z":[10,-3,2.50],"a":["x\n",1.5,null,true],"b":["Ag==","AQ=="],"e":{"a":"AQ==","f":false},"n":1E-130}"#
    )
    #expect(
      try PlainJSON().marshall(plain)
        == #"{"z":{"L":[{"N":"10"},{"N":"-3"},{"N":"2.50"}]},"a":{"L":[{"S":"x\n"},{"N":"1.5"},{"NULL":true},"#
        + #"{"BOOL":true}]},"b":{"L":[{"S":"Ag=="},{"S":"AQ=="}]},"e":{"M":{"a":{"S":"AQ=="},"#
        + #""f":{"BOOL":false}}},"n":{"N":"1E-130"}}"#)
    #expect(
      try PlainJSON.canonical.unmarshall(item)
        == #"{"a":["x\n",1.5,null,true],"b":["AQ==","Ag=="],"e":{"a":"AQ==","f":false},"n":1E-130,"z":[-3,2.5,10]}"#
    )
  }

  @Test("Canonical plain JSON is that of the attribute value")
  func canonical() throws {
    for text in AttributeValueTests.all {
      let value = try AttributeValue(json: text)
      let plain = try PlainJSON.canonical.unmarshallAttribute(Array(text.utf8))
      #expect(String(decoding: plain, as: UTF8.self) == value.plainJSON())
    }
  }

  @Test("Numbers keep their text or become canonical, as asked")
  func numbers() throws {
    var canonical = PlainJSON()
    canonical.numbers = .canonical
    for (text, plain) in [
      ("1.50", "1.5"), ("1e+2", "100"), ("-0", "0"), ("0.000", "0"), ("100E-2", "1"), ("1E40", "1E+40"),
      ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
    ] {
      #expect(try PlainJSON().marshall(#"{"a":\#(text)}"#) == #"{"a":{"N":"\#(text)"}}"#)
      #expect(try canonical.marshall(#"{"a":\#(text)}"#) == #"{"a":{"N":"\#(plain)"}}"#)
      #expect(try PlainJSON().unmarshall(#"{"a":{"N":"\#(text)"}}"#) == #"{"a":\#(text)}"#)
      #expect(try canonical.unmarshall(#"{"a":{"N":"\#(text)"}}"#) == #"{"a":\#(plain)}"#)
      #expect(try DynamoDBNumber(text).canonicalText == plain)
    }
    for text in ["+1", "007", "+0.5"] {
      let plain = try DynamoDBNumber(text).canonicalText
      #expect(try PlainJSON().unmarshall(#"{"a":{"N":"\#(text)"}}"#) == #"{"a":\#(plain)}"#)
    }
  }

  @Test("Names and texts with escapes come out as the same names and texts")
  func escapes() throws {
    let plain = #"{"\u0061\"":"\u00e9\/\ud83d\ude00","b":"\\\t"}"#
    let item = try PlainJSON().marshall(plain)
    #expect(try Item(json: item)["a\""] == .string("\u{e9}/😀"))
    #expect(try PlainJSON().unmarshall(item) == #"{"a\"":"é/😀","b":"\\\t"}"#)
  }

  @Test("One value alone")
  func attributes() throws {
    for (plain, value) in [
      ("1", #"{"N":"1"}"#), (" null ", #"{"NULL":true}"#), ("[]", #"{"L":[]}"#), ("{}", #"{"M":{}}"#),
    ] {
      #expect(try PlainJSON().marshallAttribute(Array(plain.utf8)) == Array(value.utf8))
    }
    #expect(
      try PlainJSON().unmarshallAttribute(Array(#"{"L":[{"SS":["a"]}]}"#.utf8)) == Array(#"[["a"]]"#.utf8))
  }

  @Test(
    "What DynamoDB does not store is refused where it stands",
    arguments: [
      ("[]", DynamoDBJSONError.Code.json, 0, ""), ("1", .json, 0, ""), ("{} x", .trailingText, 3, ""),
      (#"{"a":1e126}"#, .numberOutOfRange, 5, "a"),
      (#"{"a":[0,123456789012345678901234567890123456789]}"#, .badNumber, 8, "a[1]"),
      (#"{"b":{"a":1,"\u0061":2}}"#, .duplicateAttribute, 5, "b"), (#"{"a":1.}"#, .json, 5, "a"),
      (#"{"a":"\ud800"}"#, .json, 6, "a"), (#"{"a":tru}"#, .json, 8, "a"), (#"{"a":1"#, .json, 6, ""),
    ])
  func refused(_ text: String, _ code: DynamoDBJSONError.Code, _ offset: Int, _ path: String) {
    let error = #expect(throws: DynamoDBJSONError.self) { try PlainJSON().marshall(text) }
    #expect(error?.code == code && error?.offset == offset && error?.path == path)
  }

  @Test("Nesting is followed as deep as DynamoDB stores it")
  func depth() throws {
    func nested(_ levels: Int) -> String {
      #"{"a":"# + String(repeating: "[", count: levels) + String(repeating: "]", count: levels) + "}"
    }
    #expect(throws: Never.self) { try PlainJSON().marshall(nested(32)) }
    let error = #expect(throws: DynamoDBJSONError.self) { try PlainJSON().marshall(nested(33)) }
    #expect(error?.code == .tooDeep)
    #expect(throws: DynamoDBJSONError.self) { try PlainJSON().marshall(nested(100_000)) }
  }
}
