import Foundation
import TarnBytes
import Testing

/// Documents of our own for the corners of RFC 8259, each with the section that decides.
@Suite struct JSONConformanceTests {
  /// A document, and whether it is JSON.
  struct Document: Sendable, CustomTestStringConvertible {
    let bytes: [UInt8]
    let isJSON: Bool
    let section: String
    var testDescription: String { "\(section): \(String(decoding: bytes.prefix(40), as: UTF8.self))" }
  }

  static func documents(_ section: String, _ isJSON: Bool, _ texts: [String]) -> [Document] {
    texts.map { Document(bytes: Array($0.utf8), isJSON: isJSON, section: section) }
  }

  static let structure =
    // 2: any value alone is a document, with the four kinds of white space around it and no others.
    documents(
      "2", true, ["1", "\"a\"", "true", "null", "\t[\r\n]\n ", "[\t1\r,\n2 ]", "{\r\"a\"\t:\n1 }", " {} "])
    + documents(
      "2", false,
      [
        "", "\t", "\u{b}[]", "\u{c}1", "[\u{a0}]", "\u{feff}[]", "[]\u{0}", "[\u{2028}]", "1 1", "[] []",
        "[1}", "{\"a\":1]",
      ])
    // 3: three literal names, in lower case and whole.
    + documents("3", true, ["[true,false,null]"])
    + documents(
      "3", false,
      [
        "TRUE", "Null", "truee", "fals", "nil", "undefined", "[nulll]", "tru\u{65}\u{65}", "N", "t",
        "[true false]",
      ])
    // 4 and 5: commas between members and not behind them, names that are strings.
    + documents(
      "4", true, [#"{"":1}"#, #"{"a":1,"a":2}"#, #"{"a":{"b":{"c":[]}}}"#, #"{"\u0000":0}"#])
    + documents(
      "4", false,
      [
        #"{"a":1,}"#, #"{,"a":1}"#, #"{"a" "b"}"#, #"{"a"::1}"#, #"{"a":1:2}"#, #"{a:1}"#, #"{'a':1}"#,
        #"{1:1}"#,
        #"{null:1}"#, #"{"a":1;"b":2}"#, #"{"a",1}"#, #"{"a":}"#, #"{:1}"#, #"{"a":1,,"b":2}"#,
        #"{"a":1"b":2}"#,
        #"{[]:1}"#, "{", #"{""#, #"{"a""#, #"{"a":"#, #"{"a":1"#, #"{"a":1,"#,
      ])
    + documents("5", true, ["[]", "[[]]", "[1,\"a\",null,{},[]]", "[[[[1]]]]"])
    + documents(
      "5", false,
      [
        "[", "[1", "[1,", "[,", "[,]", "[1,]", "[1,,1]", "[1 1]", "[1;2]", "[1:2]", "]", "[]]", "[[]", "[-]",
        "[\"a\":1]",
      ])

  static let numbers =
    // 6: no plus, no leading zeros, digits on both sides of the point, no names.
    documents(
      "6", true,
      [
        "0", "-0", "-0.0", "0e0", "0E+0", "0.0e-0", "1e00", "1E01", "-1", "10", "1.0", "1.10", "123.456e+789",
        "1e-999999", "1e999999", "[0,-1,2.5e3]", "100000000000000000000000000000000000000000000000000",
        "0.000000000000000000000000000000000000000000000000000001", "9007199254740993",
      ])
    + documents(
      "6", false,
      [
        "+1", "-", "--1", "+-1", "00", "01", "-01", "00.1", "-00", ".1", "-.1", "1.", "-1.", "1.e1", "1.1.1",
        "1e", "1E",
        "1e+", "1e-", "1e1.5", "1e1e1", "0x1", "0b1", "1_000", "1,000", "1f", "1L", "Infinity", "-Infinity",
        "NaN",
        "1 e1", "- 1", "1 .5", "\u{ff11}", "\u{2212}1", "1e\u{661}", "0x", "1a", "1-", "1+1", "[1.]", "[-]",
        "[01]",
      ])

  static let strings =
    // 7: eight short escapes, \u with four digits, everything from U+0020 on as it is.
    documents(
      "7", true,
      [
        #""""#, #""\"\\\/\b\f\n\r\t""#, #""\u0000\u001F\uabcd\uABCD\uAbCd""#, "\"\u{7f}\"",
        "\"\u{2028}\u{2029}\"",
        "\"\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}\"", #""\ud800\udc00\udbff\udfff""#, "\"'\"",
        "\"//\"",
        #""\\u0061""#, #""\uFFFF\uFFFE\uFDD0""#, "\"\u{fffe}\"", #"["\u0022","\u005c"]"#,
      ])
    + documents(
      "7", false,
      [
        "\"", "\"a", #""\""#, #""\a""#, #""\v""#, #""\0""#, #""\x61""#, #""\'""#, #""\ ""#, #""\u""#,
        #""\u0""#, #""\u00""#,
        #""\u000""#, #""\u000g""#, #""\U0061""#, #""\u 061""#, #""\u-061""#, "\"\u{0}\"", "\"\u{1}\"",
        "\"\u{1f}\"",
        "\"\n\"", "\"\t\"", "\"\r\n\"", "'a'", "\u{201c}a\u{201d}", "\"a\"b", #"\u0022a""#, "\"\\\n\"",
        #""\u{61}""#,
      ])
    // 8.2: surrogates that are no pairs, which JSON's grammar takes, name no text, and are refused.
    + documents(
      "8.2", false,
      [
        #""\ud800""#, #""\udbff""#, #""\udc00""#, #""\udfff""#, #""\ud800\ud800""#, #""\udc00\ud800""#,
        #""\ud800a""#,
        #""\ud800\n""#, #""\ud800\u0061""#, #""\ud800\u""#, #""\ud800\udc0""#, #""a\ud83d""#,
        #"{"\udead":1}"#,
      ])

  /// 8.1: text is UTF-8, without overlong forms, surrogates, or code points beyond the last.
  static let encoding: [Document] =
    [
      [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc2], [0xc2, 0x22], [0xe0, 0x80, 0x80],
      [0xe0, 0x9f, 0xbf],
      [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf], [0xe2, 0x82], [0xf0, 0x80, 0x80, 0x80],
      [0xf0, 0x8f, 0xbf, 0xbf],
      [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xfe], [0xff],
      [0xf0, 0x9f, 0x98],
    ].flatMap { (bytes: [UInt8]) in
      [
        Document(bytes: [0x22] + bytes + [0x22], isJSON: false, section: "8.1"),
        Document(bytes: Array("{\"a".utf8) + bytes + Array("\":1}".utf8), isJSON: false, section: "8.1"),
        Document(bytes: bytes, isJSON: false, section: "8.1"),
        Document(bytes: Array("[1,".utf8) + bytes + Array("]".utf8), isJSON: false, section: "8.1"),
      ]
    }
    // UTF-16 and UTF-32, with and without marks.
    + [
      [0xfe, 0xff, 0x00, 0x31], [0xff, 0xfe, 0x31, 0x00], [0x00, 0x31], [0x31, 0x00],
      [0x00, 0x00, 0x00, 0x31],
    ].map { Document(bytes: $0, isJSON: false, section: "8.1") }

  @Test(arguments: [structure, numbers, strings, encoding])
  func documentsAreTakenAndRefused(_ documents: [Document]) {
    for document in documents {
      #expect(JSONScannerTests.isValid(document.bytes) == document.isJSON, "\(document.testDescription)")
      #expect(
        ((try? JSONValue(parsing: document.bytes)) != nil) == document.isJSON, "\(document.testDescription)")
      // Nothing about a value changes where it is an element, a member or has blanks around it.
      guard document.isJSON || !["2", "5", "6"].contains(document.section) else { continue }
      for (before, after) in [("[0,", ",0]"), ("{\"k\":", "}"), (" \n", "\t\r")] {
        let within = Array(before.utf8) + document.bytes + Array(after.utf8)
        #expect(JSONScannerTests.isValid(within) == document.isJSON, "\(document.testDescription) within")
      }
    }
  }

  @Test func validDocumentsMeanWhatAnotherReaderFinds() throws {
    for document in Self.structure + Self.strings where document.isJSON {
      let data = Data(document.bytes)
      let theirs = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
      let again = Data(try JSONValue(parsing: document.bytes).bytes())
      let ours = try JSONSerialization.jsonObject(with: again, options: .fragmentsAllowed)
      // Of members there twice each reader takes its own.
      guard !document.testDescription.contains(#""a":1,"a":2"#) else { continue }
      #expect(theirs as? NSObject == ours as? NSObject, "\(document.testDescription)")
    }
  }

  @Test func nestingIsFollowedToItsLimitAndNotBeyond() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      let core = open == "[" ? "" : "1"
      func nested(_ depth: Int, closed: Bool = true) -> [UInt8] {
        Array(
          (String(repeating: open, count: depth) + core
            + (closed ? String(repeating: close, count: depth) : "")).utf8)
      }
      #expect(JSONScannerTests.isValid(nested(JSONScanner.depthLimit - 1)))
      #expect(!JSONScannerTests.isValid(nested(JSONScanner.depthLimit + 1)))
      #expect(!JSONScannerTests.isValid(nested(1_000_000, closed: false)))
    }
  }
}
