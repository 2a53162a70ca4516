import Foundation
import TarnAWS
import TarnBytes
import TarnTestSupport
import Testing

/// Signatures against published ones.
@Suite("Signature Version 4") struct SigV4Tests {
  /// The example key of AWS's S3 documentation.
  private static let documented = AWSCredentials(
    accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))
  private static let s3 = SigV4(region: "us-east-1", service: "s3", pathRule: .asSent)
  /// 2013-05-24T00:00:00Z.
  private static let may24: Int64 = 1_369_353_600_000_000
  /// 2015-08-30T12:36:00Z.
  private static let august30: Int64 = 1_440_938_160_000_000

  private func signature(_ headers: HTTPHeaders) -> String {
    headers["authorization"].flatMap { $0.split(separator: "Signature=").last }.map(String.init) ?? ""
  }

  private func s3Subject(
    _ method: String, _ path: String, _ query: [(name: String, value: String)] = [], payload: String = "",
    headers: HTTPHeaders = [:]
  ) -> SigV4.Subject {
    let payload = SigV4.PayloadHash.sha256(Digest.hex(Digest.sha256(Array(payload.utf8))))
    var subject = SigV4.Subject(
      method: method, path: PercentEncoding.encode(path: path),
      headers: ["Host": "examplebucket.s3.amazonaws.com"])
    subject.query = query
    subject.payload = payload
    subject.headers["x-amz-content-sha256"] = payload.text
    for field in headers.fields { subject.headers.add(field.name, field.value) }
    return subject
  }

  @Test("The examples of the S3 reference")
  func examplesOfS3() {
    let range = s3Subject("GET", "/test.txt", headers: ["Range": "bytes=0-9"])
    let put = s3Subject(
      "PUT", "/test$file.text", payload: "Welcome to Amazon S3.",
      headers: ["Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"])
    let lifecycle = s3Subject("GET", "/", [("lifecycle", "")])
    let list = s3Subject("GET", "/", [("prefix", "J"), ("max-keys", "2")])
    for (subject, expected) in [
      (range, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
      (put, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
      (lifecycle, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
      (list, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ] {
      let headers = Self.s3.signed(subject, with: Self.documented, at: Self.may24)
      #expect(signature(headers) == expected, "\(subject.method) \(subject.path)")
    }
    var presigned = SigV4.Subject(
      method: "GET", path: "/test.txt", headers: ["host": "examplebucket.s3.amazonaws.com"])
    presigned.payload = .unsigned
    let query = Self.s3.presignedQuery(
      presigned, with: Self.documented, at: Self.may24, expiringAfter: 86_400)
    #expect(
      query.hasSuffix(
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"))
  }

  @Test("The example of the signing guide, and its header")
  func exampleOfTheGuide() {
    let signer = SigV4(region: "us-east-1", service: "iam", pathRule: .normalized)
    var subject = SigV4.Subject(
      method: "GET", path: "/",
      headers: [
        "Host": "iam.amazonaws.com", "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
      ])
    subject.query = [("Action", "ListUsers"), ("Version", "2010-05-08")]
    let credentials = AWSCredentials(
      accessKeyID: "AKIDEXAMPLE", secretAccessKey: Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
    let headers = signer.signed(subject, with: credentials, at: Self.august30)
    #expect(
      headers["authorization"]
        == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
        + "SignedHeaders=content-type;host;x-amz-date, "
        + "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")
    #expect(headers["x-amz-date"] == "20150830T123600Z")
  }

  @Test("S3's path is signed as it is sent, others' resolved and encoded once more")
  func pathRules() {
    let path = "/a%20b/../c//d."
    func canonical(_ rule: SigV4.PathRule) -> String {
      let subject = SigV4.Subject(method: "GET", path: path, headers: ["host": "h"])
      let signer = SigV4(region: "r", service: "s", pathRule: rule)
      return String(signer.canonicalRequest(subject).split(separator: "\n")[1])
    }
    #expect(canonical(.asSent) == path)
    #expect(canonical(.normalized) == "/c/d.")
    let encoded = SigV4.Subject(method: "GET", path: "/%E1/x%2Fy/", headers: ["host": "h"])
    let signer = SigV4(region: "r", service: "s", pathRule: .normalized)
    #expect(signer.canonicalRequest(encoded).contains("\n/%25E1/x%252Fy/\n"))
  }

  // MARK: The test suite

  /// A raw request of the suite as what is signed.
  private func subject(_ request: String, normalizes: Bool) throws -> (subject: SigV4.Subject, body: String) {
    let parts = request.split(separator: "\n\n", maxSplits: 1).map(String.init)
    let lines = parts[0].split(separator: "\n").map(String.init)
    let first = lines[0]
    let method = String(first.prefix { $0 != " " })
    let target = first.dropFirst(method.count + 1).dropLast(" HTTP/1.1".count)
    let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    var headers: [(name: String, value: String)] = []
    for line in lines.dropFirst() {
      if line.hasPrefix(" ") {
        headers[headers.count - 1].value += line
      } else {
        let colon = try #require(line.firstIndex(of: ":"))
        headers.append((String(line[..<colon]), String(line[line.index(after: colon)...])))
      }
    }
    var fields = HTTPHeaders()
    for header in headers { fields.add(header.name, header.value) }
    // A path that is signed as it is sent must have been encoded for that.
    let path = normalizes ? halves[0] : PercentEncoding.encode(path: halves[0])
    var subject = SigV4.Subject(method: method, path: path, headers: fields)
    if halves.count == 2 {
      subject.query = try halves[1].split(separator: "&").map { pair in
        let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = try #require(String(sides[0]).removingPercentEncoding)
        return (name, try #require(String(sides.count == 2 ? sides[1] : "").removingPercentEncoding))
      }
    }
    return (subject, parts.count == 2 ? parts[1] : "")
  }

  @Test("The whole test suite, in headers and in the query")
  func testSuite() throws {
    let path = try TestWorld.requireShared("aws/sigv4/vectors.json")
    let document = try JSONValue(parsing: Array(Data(contentsOf: URL(fileURLWithPath: path))))
    let cases = try #require(document["cases"]?.elements)
    #expect(cases.count == 38)
    for each in cases {
      let name = try #require(each["name"]?.string)
      let context = try #require(each["context"])
      let keys = try #require(context["credentials"])
      let normalizes = context["normalize"]?.boolean == true
      var (subject, body) = try subject(try #require(each["request"]?.string), normalizes: normalizes)
      subject.payload = .sha256(Digest.hex(Digest.sha256(Array(body.utf8))))
      let isBodySigned = context["sign_body"]?.boolean == true
      let isTokenLeftOut = context["omit_session_token"]?.boolean == true
      let credentials = AWSCredentials(
        accessKeyID: try #require(keys["access_key_id"]?.string),
        secretAccessKey: Secret(try #require(keys["secret_access_key"]?.string)),
        sessionToken: isTokenLeftOut ? nil : keys["token"]?.string.map { Secret($0) })
      let signer = SigV4(
        region: try #require(context["region"]?.string), service: try #require(context["service"]?.string),
        pathRule: normalizes ? .normalized : .asSent)
      var inHeaders = subject
      if isBodySigned { inHeaders.headers["x-amz-content-sha256"] = subject.payload.text }
      let headers = signer.signed(inHeaders, with: credentials, at: Self.august30)
      #expect(signature(headers) == each["header"]?["signature"]?.string, "\(name)")
      let query = signer.presignedQuery(subject, with: credentials, at: Self.august30, expiringAfter: 3_600)
      let expected = try #require(each["query"]?["signature"]?.string)
      #expect(query.hasSuffix("&X-Amz-Signature=" + expected), "\(name) in the query")
    }
  }
}
