import TarnBytes
import TarnTestSupport
import Testing

@Suite struct JSONScannerTests {
  static let valid = [
    "null", "true", "false", "0", "-0", "12", "-1.5", "1e5", "1E+5", "1.25e-10", "{}", "[]", "\"\"",
    " [ 1 , 2 ] ", "{\"a\":1,\"b\":[{},[]],\"c\":null}", "\t\r\n{ \"a\" : \"b\" }\n",
    #""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00""#, "\"é😀\u{7f}\"", "[[[[[]]]],{\"x\":{}}]",
    "123456789012345678901234567890.5e99",
  ]
  static let invalid = [
    "", " ", "nul", "nulL", "tru", "True", "falsy", "+1", "-", ".5", "1.", "1.e5", "01", "-01", "1e", "1e+",
    "{", "}", "[", "]", "[1,]", "[,1]", "[1 2]", "[1,,2]", "[1", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
    "{,}", "{\"a\":1 \"b\":2}", "{a:1}", "{1:2}", "{\"a\" 1}", "{\"a\":1", "\"", "\"a", "\"\\\"", "\"\\x\"",
    "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "\"\u{0}\"", "\"\u{1f}\"", #""\ud800""#, #""\udc00""#,
    #""\ud800\u0041""#, #""\ud800x""#, #""\ud83d\ud83d""#, "[1]]", "1 2", "{} {}", "'a'", "NaN", "Infinity",
    "// x\n1", "\u{feff}1",
  ]

  static func isValid(_ bytes: [UInt8]) -> Bool {
    var scanner = JSONScanner(bytes.span.bytes)
    do {
      try scanner.skipValue()
      return scanner.isAtEnd()
    } catch { return false }
  }

  @Test(arguments: valid) func jsonIsTakenAndEachPartOfItRefused(_ text: String) throws {
    let bytes = Array(text.utf8)
    #expect(Self.isValid(bytes))
    #expect((try? JSONValue(parsing: bytes)) != nil)
    // A number cut short may be another number.
    guard let first = bytes.first(where: { $0 > 0x20 }), [0x7b, 0x5b, 0x22].contains(first) else { return }
    let last = bytes.lastIndex { $0 > 0x20 } ?? 0
    for length in 0..<last + 1 {
      #expect(Self.isValid(Array(bytes[..<length])) == false, "cut at \(length)")
      #expect(throws: JSONError.self) { try JSONValue(parsing: Array(bytes[..<length])) }
    }
  }

  @Test(arguments: invalid) func whatIsNotJSONIsRefusedByScannerAndTree(_ text: String) {
    #expect(!Self.isValid(Array(text.utf8)))
    let error = #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8)) }
    #expect((0...text.utf8.count).contains(error?.offset ?? -1))
    #expect(error?.description.contains("at offset") == true)
  }

  @Test(
    arguments: [[0x80], [0xc3], [0xff], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0xf5, 0x80, 0x80, 0x80]]
      as [[UInt8]])
  func stringsThatAreNotUTF8AreRefused(_ part: [UInt8]) {
    for padding in 0..<10 {
      let bytes = [0x22] + [UInt8](repeating: 0x61, count: padding) + part + [0x61, 0x22]
      let error = #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
      #expect(error?.kind == .notUTF8)
    }
  }

  @Test func specialBytesAreSeenAtEveryPlaceOfAString() throws {
    let specials: [(raw: [UInt8], text: String?)] = [
      (Array(#"\n"#.utf8), "\n"), (Array(#"\""#.utf8), "\""), (Array(#"\\"#.utf8), "\\"),
      (Array(#"\u0041"#.utf8), "A"), (Array(#"\ud83d\ude00"#.utf8), "😀"), (Array("é".utf8), "é"),
      ([0x21], "!"), ([0x23], "#"), ([0x7f], "\u{7f}"), ([0x1f], nil), ([0x00], nil), ([0x80], nil),
    ]
    for length in 0..<20 {
      for position in 0...length {
        for (raw, text) in specials {
          let before = String(repeating: "a", count: position)
          let after = String(repeating: "b", count: length - position)
          let bytes = [0x22] + Array(before.utf8) + raw + Array(after.utf8) + [0x22, 0x2c]
          var scanner = JSONScanner(bytes.span.bytes)
          guard let text else {
            #expect(throws: JSONError.self) {
              var scanner = JSONScanner(bytes.span.bytes)
              _ = try scanner.readString()
            }
            continue
          }
          let found = try scanner.readString()
          let string = scanner.string(found)
          let offset = scanner.offset
          #expect(string == before + text + after)
          #expect(offset == bytes.count - 1)
          #expect(found.isEscaped == (raw[0] == 0x5c))
        }
      }
    }
  }

  @Test func keysMatchWithAndWithoutEscapes() throws {
    let bytes = Array(#"{"id":1,"i\u0064":2,"ID":3,"idx":4,"":5}"#.utf8)
    var scanner = JSONScanner(bytes.span.bytes)
    var matches: [Bool] = []
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      matches.append(scanner.matches(key, "id"))
      try scanner.skipValue()
    }
    #expect(matches == [true, true, false, false, false])
    let isAtEnd = scanner.isAtEnd()
    #expect(isAtEnd)
  }

  @Test func nestingBeyondTheLimitIsRefusedNotFollowed() {
    let limit = JSONScanner.depthLimit
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      func nested(_ depth: Int) -> [UInt8] {
        let middle = open == "[" ? "" : "1"
        return Array(
          (String(repeating: open, count: depth) + middle + String(repeating: close, count: depth)).utf8)
      }
      #expect(Self.isValid(nested(limit - 1)))
      for depth in [limit + 1, 100_000] {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: nested(depth)) }
        #expect(error?.kind == .tooDeep)
        #expect(!Self.isValid(nested(depth)))
      }
    }
  }

  @Test func aValueOfAnotherKindSaysWhichWasExpected() {
    let error = #expect(throws: JSONError.self) {
      var scanner = JSONScanner(Array("  12".utf8).span.bytes)
      _ = try scanner.readString()
    }
    #expect(error == JSONError(.wrongType(expected: .string, found: .number), at: 2))
  }

  @Test func damagedDocumentsNeverTrap() {
    let bytes = Array(#"{"a":[1,-2.5e3,"x\n\ud83d\ude00é",{"b":null,"c":true}],"d":{}}"#.utf8)
    for position in bytes.indices {
      for value: UInt8 in [0x00, 0x22, 0x5c, 0x7d, 0x5d, 0x2c, 0x75, 0x30, 0x80, 0xff] {
        var damaged = bytes
        damaged[position] = value
        // Scanner and tree agree on what is JSON.
        #expect(Self.isValid(damaged) == ((try? JSONValue(parsing: damaged)) != nil))
      }
    }
  }
}

@Suite struct JSONValueTests {
  static func random(_ generator: inout SeededGenerator, _ depth: Int) -> JSONValue {
    switch generator.below(depth > 3 ? 4 : 6) {
    case 0: return .null
    case 1: return .boolean(generator.oneIn(2))
    case 2: return .number(["0", "-1", "1.50", "1e9", "123456789012345678901234567890"][generator.below(5)])
    case 3:
      return .string(
        ["", "plain", "q\"b\\s/", "\n\t\r\u{8}\u{c}\u{0}\u{1f}\u{7f}", "é😀"][generator.below(5)])
    case 4: return .array((0..<generator.below(4)).map { _ in random(&generator, depth + 1) })
    default:
      return .object(
        (0..<generator.below(4)).map { .init("k\($0)\"", random(&generator, depth + 1)) })
    }
  }

  @Test func documentsComeBackFromBothLayouts() throws {
    var generator = SeededGenerator(seed: 11)
    for _ in 0..<300 {
      let value = Self.random(&generator, 0)
      #expect(try JSONValue(parsing: value.bytes()) == value)
      #expect(try JSONValue(parsing: value.bytes(.jackson)) == value)
    }
  }

  @Test func theJacksonLayoutIsThatOfHudisCommits() throws {
    let value = JSONValue.members([
      "a": .members([
        "10": .array([.members(["x": .string("1"), "y": .null]), .members(["x": .integer(2)])])
      ]),
      "none": .array([]), "empty": .object([]), "list": .array([.integer(1), .boolean(false)]),
    ])
    #expect(
      value.text(.jackson) == """
        {
          "a" : {
            "10" : [ {
              "x" : "1",
              "y" : null
            }, {
              "x" : 2
            } ]
          },
          "none" : [ ],
          "empty" : { },
          "list" : [ 1, false ]
        }
        """)
    #expect(
      value.text()
        == #"{"a":{"10":[{"x":"1","y":null},{"x":2}]},"none":[],"empty":{},"list":[1,false]}"#)
  }

  @Test func accessorsGiveWhatIsThereAndNilElse() throws {
    let value = try JSONValue(parsing: Array(#"{"a":1,"b":"x","c":[true],"d":1.5,"a":2}"#.utf8))
    #expect(value["a"]?.integer == 2)
    #expect(value["b"]?.string == "x")
    #expect(value["b"]?.integer == nil)
    #expect(value["c"]?.elements?.first?.boolean == true)
    #expect(value["d"]?.integer == nil)
    #expect(value["e"] == nil)
    #expect(value["a"]?["x"] == nil)
    #expect(value.members?.count == 5)
  }

  @Test func onlyWhatMustBeEscapedIs() {
    var out: [UInt8] = []
    out.appendJSON(string: "a\"\\/\u{1}\u{1f}\n\r\t\u{8}\u{c}é\u{7f}")
    #expect(String(decoding: out, as: UTF8.self) == "\"a\\\"\\\\/\\u0001\\u001f\\n\\r\\t\\b\\fé\u{7f}\"")
  }
}

@Suite struct UTF8TextTests {
  @Test func everyPairAndEdgeIsJudgedAsTheStandardLibraryDoes() {
    func agree(_ bytes: [UInt8]) -> Bool {
      UTF8Text.isValid(bytes.span.bytes) == (String(validating: bytes, as: UTF8.self) != nil)
    }
    var disagreements: [[UInt8]] = []
    for first in UInt8.min...UInt8.max {
      for second in UInt8.min...UInt8.max where !agree([first, second]) {
        disagreements.append([first, second])
      }
    }
    let edges: [UInt8] = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]
    for lead: UInt8 in 0xe0...0xf5 {
      for a in edges {
        for b in edges {
          for c in edges {
            for padding in [0, 3, 8] {
              let bytes = [UInt8](repeating: 0x61, count: padding) + [lead, a, b, c]
              if !agree(bytes) { disagreements.append(bytes) }
              if !agree(bytes.dropLast()) { disagreements.append(bytes) }
            }
          }
        }
      }
    }
    #expect(disagreements.isEmpty)
  }

  @Test func aByteIsFoundWhereverItStandsInLongText() {
    for length in [0, 1, 7, 8, 31, 32, 33, 63, 64, 65, 130] {
      var bytes = [UInt8](repeating: 0x61, count: length)
      #expect(UTF8Text.isASCII(bytes.span.bytes) && UTF8Text.isValid(bytes.span.bytes))
      for place in 0..<length {
        bytes[place] = 0x80
        #expect(!UTF8Text.isASCII(bytes.span.bytes) && !UTF8Text.isValid(bytes.span.bytes))
        if place + 1 < length {
          bytes.replaceSubrange(place...place + 1, with: Array("é".utf8))
          #expect(!UTF8Text.isASCII(bytes.span.bytes) && UTF8Text.isValid(bytes.span.bytes))
          bytes[place + 1] = 0x61
        }
        bytes[place] = 0x61
      }
    }
  }
}
