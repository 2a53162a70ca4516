/// What a delivery stream is told of itself.
struct Settings: Sendable {
  /// The stream's name, with which its objects' names begin.
  var name = "stream"
  /// What stands before an object's name; see ``ObjectPlace``.
  var prefix = ""
  /// What stands before the names of objects with failed records.
  var errorPrefix = "!{firehose:error-output-type}/"
  /// Bytes of records that are handed to the function at once.
  var functionBuffer = 1 << 20
  /// Milliseconds after which the function gets what is there.
  var functionInterval: Int64 = 60_000
  /// Bytes after which an object is written.
  var buffer = 5 << 20
  /// Milliseconds after which one is written.
  var interval: Int64 = 300_000
  /// How often a function that fails is asked again.
  var retries = 3
  /// The function as failed records name it.
  var function = "arn:aws:lambda:us-east-1:123456789012:function:transform:$LATEST"

  /// The usual ones of Firehose.
  init() {}
}
