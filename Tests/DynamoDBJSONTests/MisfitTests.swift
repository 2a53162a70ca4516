import DynamoDBJSON
import TarnTestSupport
import Testing

@Suite("What does not fit")
struct MisfitTests {
  private func error<T: Decodable>(_ type: T.Type, _ value: String) -> DynamoDBJSONError? {
    #expect(throws: DynamoDBJSONError.self) {
      try DynamoDBDecoder().decode([String: T].self, from: #"{"a":\#(value)}"#)
    }
  }

  @Test("A number that its type does not hold is an error that says which")
  func numbers() {
    for (error, number) in [
      (error(Int.self, #"{"N":"1.5"}"#), "1.5"), (error(Int8.self, #"{"N":"300"}"#), "300"),
      (error(Int8.self, #"{"N":"-129"}"#), "-129"), (error(UInt.self, #"{"N":"-1"}"#), "-1"),
      (error(Int64.self, #"{"N":"9223372036854775808"}"#), "9223372036854775808"),
      (error(UInt64.self, #"{"N":"1E+30"}"#), "1E+30"), (error(Int.self, #"{"N":"1E-130"}"#), "1E-130"),
      (error(Int.self, #"{"N":"1E+100"}"#), "1E+100"),
      (error(Float.self, #"{"N":"1E+39"}"#), "1E+39"), (error(Float.self, #"{"N":"-1E-60"}"#), "-1E-60"),
    ] {
      #expect(error?.code == .misfit)
      #expect(error?.path == "a" && error?.offset == 5)
      #expect(error?.reason.contains(number) == true)
    }
  }

  @Test("Whole numbers are taken however they are written")
  func wholeNumbers() throws {
    for (text, value) in [
      ("5.0", 5), ("5E+0", 5), ("12E2", 1200), ("-0", 0), ("+7", 7), ("1500e-2", 15), ("007", 7),
    ] {
      let found = try DynamoDBDecoder().decodeAttribute(Int.self, from: .number(DynamoDBNumber(text)))
      #expect(found == value)
    }
  }

  @Test("Floating-point values are the nearest, or exact where that is asked for")
  func floatingPoint() throws {
    var exact = DynamoDBDecoder()
    exact.floatingPoint = .exact
    for text in ["0.1", "-1.5", "0", "1E+100", "123456789012345680", "1E-130", "9007199254740993"] {
      let value = AttributeValue.number(try DynamoDBNumber(text))
      #expect(try DynamoDBDecoder().decodeAttribute(Double.self, from: value) == Double(text))
    }
    for text in ["0.10000000000000000001", "9007199254740993", "3.1415926535897932384626433832795028842"] {
      let value = AttributeValue.number(try DynamoDBNumber(text))
      #expect(try DynamoDBDecoder().decodeAttribute(Double.self, from: value) == Double(text))
      #expect(throws: DynamoDBJSONError.self) { try exact.decodeAttribute(Double.self, from: value) }
      #expect(throws: DynamoDBJSONError.self) { try exact.decodeAttribute(Float.self, from: value) }
    }
    #expect(try exact.decodeAttribute(Double.self, from: .number(DynamoDBNumber("0.10"))) == 0.1)
    #expect(try exact.decodeAttribute(Float.self, from: .number(DynamoDBNumber("0.1"))) == 0.1)
  }

  @Test("Seeded numbers become the double that Swift reads of their text")
  func nearestDoubles() throws {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<2_000 {
      var text = String(random.next() % 1_000_000_000_000_000_000).prefix(1 + random.below(18))
      if random.oneIn(2) { text += ".\(random.next() % 1_000_000)" }
      if random.oneIn(4) { text += "E\(random.below(200) - 100)" }
      let value = AttributeValue.number(try DynamoDBNumber(String(text)))
      let found = try DynamoDBDecoder().decodeAttribute(Double.self, from: value)
      #expect(found == Double(text), "\(text)")
    }
  }

  @Test("One type is not taken for another")
  func otherTypes() {
    let values = [
      "S": #"{"S":"1"}"#, "N": #"{"N":"1"}"#, "B": #"{"B":"AQ=="}"#, "BOOL": #"{"BOOL":true}"#,
      "M": #"{"M":{}}"#,
      "L": #"{"L":[]}"#, "SS": #"{"SS":["1"]}"#, "NS": #"{"NS":["1"]}"#, "BS": #"{"BS":["AQ=="]}"#,
    ]
    for (tag, value) in values {
      if tag != "S" { #expect(error(String.self, value)?.code == .wrongType, "\(tag)") }
      if tag != "N" {
        #expect(error(Int.self, value)?.code == .wrongType, "\(tag)")
        #expect(error(Double.self, value)?.code == .wrongType, "\(tag)")
        #expect(error(DynamoDBNumber.self, value)?.code == .wrongType, "\(tag)")
      }
      if tag != "BOOL" { #expect(error(Bool.self, value)?.code == .wrongType, "\(tag)") }
      if !["B", "L", "NS"].contains(tag) {
        #expect(error([UInt8].self, value)?.code == .wrongType, "\(tag)")
      }
      if tag != "M" {
        #expect(error([String: Int].self, value)?.code == .wrongType, "\(tag)")
        #expect(error(Item.self, value)?.code == .wrongType, "\(tag)")
      }
      if !["SS", "L"].contains(tag) { #expect(error(Set<String>.self, value)?.code == .wrongType, "\(tag)") }
    }
  }

  @Test("What is missing, null or refused says where")
  func places() throws {
    struct Line: Decodable { var count: Int8 }
    struct Order: Decodable {
      var lines: [Line]
      var color: Everything.Color?
    }
    func error(_ json: String) -> DynamoDBJSONError? {
      #expect(throws: DynamoDBJSONError.self) { try DynamoDBDecoder().decode(Order.self, from: json) }
    }
    let missing = error(#"{"lines":{"L":[{"M":{"count":{"N":"1"}}},{"M":{}}]}}"#)
    #expect(missing?.code == .missingAttribute && missing?.path == "lines[1]" && missing?.offset == 41)
    let null = error(#"{"lines":{"L":[{"M":{"count":{"NULL":true}}}]}}"#)
    #expect(null?.code == .nullValue && null?.path == "lines[0].count" && null?.offset == 29)
    let misfit = error(#"{"lines":{"L":[{"M":{"count":{"N":"300"}}}]}}"#)
    #expect(
      misfit?.description
        == "lines[0].count: 300 does not fit Int8: that type goes from -128 to 127 at offset 29")
    // Swift's own conformance of the enumeration finds that.
    let refused = error(#"{"lines":{"L":[]},"color":{"S":"pink"}}"#)
    #expect(refused?.code == .refused && refused?.path == "color" && refused?.offset == 26)
    #expect(refused?.cause is DecodingError)
  }

  @Test("Types see Swift's own errors, and a later try may go on")
  func errorsWithin() throws {
    struct NumberOrText: Decodable {
      var text: String
      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do { text = String(try container.decode(Int.self)) } catch DecodingError.typeMismatch(_, let context)
        {
          #expect(context.codingPath.map(\.stringValue) == ["b"])
          text = try container.decode(String.self)
        }
      }
    }
    let json = #"{"a":{"N":"1"},"b":{"S":"x"}}"#
    let found = try DynamoDBDecoder().decode([String: NumberOrText].self, from: json)
    #expect(found.mapValues(\.text) == ["a": "1", "b": "x"])
    struct Own: Error {}
    struct Throwing: Codable {
      init() {}
      init(from decoder: any Decoder) throws { throw Own() }
      func encode(to encoder: any Encoder) throws { throw Own() }
    }
    let decoding = #expect(throws: DynamoDBJSONError.self) {
      try DynamoDBDecoder().decode(Throwing.self, from: "{}")
    }
    #expect(decoding?.code == .refused && decoding?.cause is Own)
    let encoding = #expect(throws: DynamoDBJSONError.self) { try DynamoDBEncoder().encode(Throwing()) }
    #expect(encoding?.code == .refused && encoding?.cause is Own)
  }

  @Test("Members that Swift takes for equal are not lost in silence")
  func equalMembers() {
    #expect(error(Set<String>.self, #"{"SS":["\u00e9","e\u0301"]}"#)?.code == .badSet)
    #expect(error(Set<Double>.self, #"{"NS":["0.1","0.10000000000000000001"]}"#)?.code == .badSet)
    #expect(error([String: Int].self, #"{"M":{"\u00e9":{"N":"1"},"e\u0301":{"N":"2"}}}"#)?.code == .badSet)
    #expect(error([Int: Int].self, #"{"M":{"1":{"N":"1"},"01":{"N":"2"}}}"#)?.code == .badSet)
    #expect(error(Set<Int>.self, #"{"L":[{"N":"1"},{"N":"1"}]}"#)?.code == .badSet)
  }

  @Test("What DynamoDB would refuse is not encoded")
  func refusedValues() throws {
    struct Deep: Encodable {
      var levels: Int
      func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        if levels > 1 { try container.encode(Deep(levels: levels - 1)) }
      }
    }
    func refused(_ value: some Encodable) -> DynamoDBJSONError? {
      #expect(throws: DynamoDBJSONError.self) { try DynamoDBEncoder().encode(["a": value]) }
    }
    for (error, code) in [
      (refused(Double.nan), DynamoDBJSONError.Code.misfit), (refused(-Float.infinity), .misfit),
      (refused(Double.greatestFiniteMagnitude), .numberOutOfRange),
      (refused(Double.leastNonzeroMagnitude), .numberOutOfRange), (refused(UInt128.max), .misfit),
      (refused(Int128.min), .misfit), (refused(Set([true])), .badSet), (refused(Set([[1], [2]])), .badSet),
      (refused(AttributeValue.stringSet([])), .emptySet),
      (refused(AttributeValue.numberSet([DynamoDBNumber(1), DynamoDBNumber(1)])), .duplicateMember),
      (refused(Deep(levels: 33)), .tooDeep),
      (refused((0..<33).reduce(AttributeValue.null) { value, _ in .list([value]) }), .tooDeep),
    ] {
      #expect(error?.code == code)
      #expect(error?.path.hasPrefix("a") == true)
    }
    #expect(throws: Never.self) { try DynamoDBEncoder().encode(["a": Deep(levels: 32)]) }
    #expect(throws: Never.self) {
      try DynamoDBEncoder().encode(["a": (0..<32).reduce(AttributeValue.null) { value, _ in .list([value]) }])
    }
    #expect(try DynamoDBEncoder().encode(["a": UInt128(ExactLimit.most)]).count > 38)
    for value in [try? DynamoDBEncoder().encode([1]), try? DynamoDBEncoder().encode("x")] {
      #expect(value == nil)
    }
    let alone = #expect(throws: DynamoDBJSONError.self) { try DynamoDBEncoder().encode([1]) }
    #expect(alone?.code == .notAnItem)
  }

  enum ExactLimit {
    /// 38 nines.
    static let most: Int128 = 99_999_999_999_999_999_999_999_999_999_999_999_999
  }

  @Test("A type that encodes itself in odd ways is told so")
  func oddEncodings() throws {
    struct Twice: Encodable {
      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: AnyKey.self)
        try container.encode(1, forKey: AnyKey("x"))
        try container.encode(2, forKey: AnyKey("x"))
      }
    }
    let twice = #expect(throws: DynamoDBJSONError.self) { try DynamoDBEncoder().encode(["a": Twice()]) }
    #expect(twice?.code == .duplicateAttribute && twice?.path == "a")
    struct TwoWays: Encodable {
      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: AnyKey.self)
        try container.encode(1, forKey: AnyKey("x"))
        _ = encoder.unkeyedContainer()
      }
    }
    #expect(throws: DynamoDBJSONError.self) { try DynamoDBEncoder().encode(TwoWays()) }
    struct TwoValues: Encodable {
      func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(1)
        try container.encode(2)
      }
    }
    let two = #expect(throws: DynamoDBJSONError.self) { try DynamoDBEncoder().encodeAttribute(TwoValues()) }
    #expect(two?.code == .badEncoding)
    struct Nothing: Encodable { func encode(to encoder: any Encoder) throws {} }
    #expect(try DynamoDBEncoder().encode(Nothing()) == Array("{}".utf8))
    struct GoingOn: Encodable {
      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: AnyKey.self)
        try? container.encode(["n": [Double.nan]], forKey: AnyKey("bad"))
        try container.encode("x", forKey: AnyKey("good"))
      }
    }
    #expect(try DynamoDBEncoder().encode(GoingOn()) == Array(#"{"good":{"S":"x"}}"#.utf8))
  }
}
