internal import TarnBytes

/// Credentials as JSON, as processes, containers and instances give them.
enum CredentialsDocument {
  /// The names of its members.
  struct Names {
    var key = "AccessKeyId"
    var secret = "SecretAccessKey"
    var token = "Token"
    var expiration = "Expiration"
  }

  /// Parses a document.
  ///
  /// - Parameters:
  ///   - member: The member that has the credentials; nil where they are the document itself.
  ///   - place: Where it came from, for errors. These never show the document.
  static func parse(
    _ bytes: [UInt8], in member: String? = nil, _ names: Names = Names(), of place: String
  ) throws(AWSError) -> AWSCredentials {
    guard let whole = try? JSONValue(parsing: bytes), let document = member.map({ whole[$0] }) ?? whole else {
      throw CredentialsContext.failure(place, "the answer is no JSON with credentials")
    }
    guard let key = document[names.key]?.string, let secret = document[names.secret]?.string, !key.isEmpty,
      !secret.isEmpty
    else {
      let code = document["Code"]?.string ?? document["code"]?.string
      let said = code.map { ", and says \($0)" } ?? ""
      throw CredentialsContext.failure(place, "the answer has no \(names.key) or no \(names.secret)" + said)
    }
    let token = document[names.token]?.string
    return AWSCredentials(
      accessKeyID: key, secretAccessKey: Secret(secret),
      sessionToken: token.flatMap { $0.isEmpty ? nil : Secret($0) },
      expiration: try expiration(document[names.expiration], of: place))
  }

  /// A time as text, or in milliseconds since 1970.
  private static func expiration(_ value: JSONValue?, of place: String) throws(AWSError) -> Int64? {
    switch value {
    case nil, .null: return nil
    case .string(let text):
      if let time = WireTime.parse(iso: text) { return time }
    case .number(let text):
      if let milliseconds = Int64(text), milliseconds.magnitude < 1 << 50 { return milliseconds * 1_000 }
    default: break
    }
    throw CredentialsContext.failure(place, "the time at which they expire is none")
  }
}
