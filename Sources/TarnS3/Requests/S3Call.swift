internal import TarnAWS

/// One request about a bucket, or about a key in it, as the layer above means it.
struct S3Call: Sendable {
  /// The action that permissions name, such as `s3:GetObject`.
  var action: String
  var method: String
  /// The whole key; nil for the bucket.
  var key: String?
  var query: [(name: String, value: String)] = []
  var headers: HTTPHeaders = [:]
  var body = HTTPBody.empty
  var receiving = HTTPReceiving.bytes(limit: 1 << 20)
  /// Whether it changes something: then it is carried out in a cancelled task too, and an answer that is lost makes
  /// its outcome unknown.
  var changes = false
  /// Whether a 409 says that another writer was at it, and the same may be tried again.
  var repeatsConflicts = false
  /// Whether a success may be an error by its body.
  var mayFailInSuccess = false
  /// Whether the server may work for long before it says anything.
  var isLong = false
  /// Whether the body goes with a checksum of its own.
  var hasChecksum = false

  init(_ action: String, _ method: String, _ key: String?) {
    self.action = action
    self.method = method
    self.key = key
  }
}
