import TarnAWS
import TarnTestSupport
import Testing

/// Texts of requests and answers.
@Suite("Texts of services") struct TextTests {
  @Test("Only the unreserved stay as they are")
  func percentEncoding() {
    #expect(PercentEncoding.encode("aZ09-_.~ /+%=&é\u{1}") == "aZ09-_.~%20%2F%2B%25%3D%26%C3%A9%01")
    #expect(PercentEncoding.encode(path: "/a b//ü/..") == "/a%20b//%C3%BC/..")
  }

  @Test(
    "What was encoded is decoded once",
    arguments: [
      ("a%20b%2B%C3%A9", true, "a b+é" as String?), ("a+b", true, "a b"), ("a+b", false, "a+b"),
      ("%2525", true, "%25"), ("%", true, nil), ("%4", true, nil), ("%4g", true, nil), ("%ff", true, nil),
      ("", true, ""),
    ])
  func percentDecoding(text: String, plusIsBlank: Bool, expected: String?) {
    #expect(PercentEncoding.decode(text, plusIsBlank: plusIsBlank) == expected)
  }

  @Test("Times of signatures")
  func basicTimes() {
    #expect(WireTime.basic(0) == "19700101T000000Z")
    #expect(WireTime.basic(-1) == "19691231T235959Z")
    #expect(WireTime.basic(1_440_938_160_999_999) == "20150830T123600Z")
    #expect(WireTime.basic(.max) == "99991231T235959Z")
    #expect(WireTime.basic(.min) == "00000101T000000Z")
  }

  @Test(
    "Times of headers",
    arguments: [
      ("Fri, 24 May 2013 00:00:00 GMT", 1_369_353_600_000_000 as Int64?),
      ("Sat, 29 Feb 2020 23:59:60 GMT", 1_583_020_800_000_000), ("Thu, 01 Jan 1970 00:00:01 GMT", 1_000_000),
      ("Fri, 24 May 2013 00:00:00 +0100", nil), ("Fri, 31 Apr 2013 00:00:00 GMT", nil),
      ("Fri, 24 May 2013 24:00:00 GMT", nil), ("Friday", nil), ("", nil),
      ("Fri, -1 May 2013 00:00:00 GMT", nil),
      ("Fri, 24 May 99999999999999999999 00:00:00 GMT", nil),
    ])
  func headerTimes(text: String, expected: Int64?) {
    #expect(WireTime.parse(header: text) == expected)
  }

  @Test(
    "Times of ISO 8601",
    arguments: [
      ("2013-05-24T00:00:00Z", 1_369_353_600_000_000 as Int64?),
      ("2013-05-24T00:00:00.25Z", 1_369_353_600_250_000),
      ("2013-05-24T00:00:00.1234567Z", 1_369_353_600_123_456),
      ("2013-05-24T02:00:00+02:00", 1_369_353_600_000_000),
      ("2013-05-23T22:30:00-0130", 1_369_353_600_000_000), ("2013-05-24T00:00:00", nil),
      ("2013-05-24T00:00:00.Z", nil), ("2013-05-24T00:00:00Zx", nil), ("2013-05-24T00:00:00+", nil),
      ("", nil),
      ("2013-13-24T00:00:00Z", nil), ("2013-05-24", nil), ("2013-05-24T00:00:00+99:00", nil),
    ])
  func isoTimes(text: String, expected: Int64?) {
    #expect(WireTime.parse(iso: text) == expected)
  }

  @Test("A secret shows in no text")
  func secretsAreHidden() {
    let credentials = AWSCredentials(
      accessKeyID: "AKID", secretAccessKey: Secret("hush-hush"), sessionToken: Secret("hush-token"))
    var dumped = ""
    dump(credentials, to: &dumped)
    let texts = [
      String(describing: credentials), String(reflecting: credentials), "\(credentials)", dumped,
      "\([credentials.secretAccessKey])", "\(credentials.sessionToken as Any)",
    ]
    for text in texts { #expect(!text.contains("hush"), "\(text)") }
  }

  @Test("Headers are found in any case, and replaced whole")
  func headers() {
    var headers: HTTPHeaders = ["A": "1", "b": "2", "a": "3"]
    #expect(headers["a"] == "1" && headers["B"] == "2" && headers["c"] == nil)
    headers["A"] = "4"
    #expect(headers.fields.map(\.name) == ["b", "a"] && headers["a"] == "4")
    headers["b"] = nil
    #expect(headers.fields.count == 1)
  }
}
