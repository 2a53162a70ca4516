internal import TarnBytes

/// The error that a service answered with.
public struct ServiceError: Sendable, Hashable, CustomStringConvertible {
  /// The status, such as 404.
  public let status: Int
  /// The service's own name of it, such as `NoSuchKey`; empty where the answer has none, as that to a `HEAD`.
  public let code: String
  /// The service's text.
  public let message: String
  /// What the service's operators find the request by.
  public let requestID: String
  /// The region that the answer names.
  public let region: String?

  /// Reads an answer: XML as S3 and the query protocol write it, JSON, or only headers.
  ///
  /// Whatever else the body is, a
  /// page of HTML among that, gives no code.
  package init(_ head: HTTPHead, body: [UInt8]) {
    status = head.status
    let headers = head.headers
    let fields = ErrorFields(body)
    let type = headers["x-amzn-errortype"] ?? fields.code
    // `namespace#Code:http://..`, of which the middle is the code.
    code = Self.line(String(type.split(separator: "#").last?.prefix { $0 != ":" } ?? ""))
    message = fields.message
    requestID = headers["x-amz-request-id"] ?? headers["x-amzn-requestid"] ?? fields.requestID
    region = (headers["x-amz-bucket-region"] ?? fields.region).flatMap { Self.isRegion($0) ? $0 : nil }
  }

  /// Whether a text is what a region can be called: it becomes a part of a host's name.
  private static func isRegion(_ text: String) -> Bool {
    (1...63).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d
      }
  }

  /// Status, code and message in a line.
  public var description: String {
    let what = [code, Self.line(message)].filter { !$0.isEmpty }.joined(separator: ": ")
    let id = requestID.isEmpty ? "" : " (request \(Self.line(requestID)))"
    return "status \(status)" + (what.isEmpty ? "" : ", " + what) + id
  }

  /// Text of a server on one line of modest length.
  private static func line(_ text: String) -> String {
    String(text.unicodeScalars.prefix(500).map { $0.value < 0x20 ? " " : Character($0) })
  }
}

/// What the body of an error says.
private struct ErrorFields {
  var code = ""
  var message = ""
  var requestID = ""
  var region: String?

  init(_ body: [UInt8]) {
    guard let first = body.first(where: { $0 > 0x20 }) else { return }
    if first == 0x7b {
      guard let json = try? JSONValue(parsing: body) else { return }
      code = (json["__type"] ?? json["code"] ?? json["Code"])?.string ?? ""
      message = (json["message"] ?? json["Message"])?.string ?? ""
    } else if let tree = try? XMLElement(parsing: body), let error = tree.first("Error") {
      code = error["Code"]?.text ?? ""
      message = error["Message"]?.text ?? ""
      requestID = (error["RequestId"] ?? tree["RequestId"])?.text ?? ""
      region = error["Region"].map(\.text)
    }
  }
}
