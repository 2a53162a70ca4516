/// Lambda's Runtime API, by which a custom runtime gets events and answers them.
///
/// By "Using the Lambda runtime API for custom runtimes" in the AWS Lambda Developer Guide, version 2018-06-01.
public final class RuntimeAPI {
  /// One event.
  public struct Invocation: Sendable {
    /// The request's id, by which it is answered.
    public var requestID: String
    /// When the function will be stopped, in milliseconds since 1970; nil where the API does not say.
    public var deadline: Int64?
    /// The event, as JSON.
    public var event: [UInt8]
  }

  private let place: String
  private var connection: HTTPConnection?

  /// - Parameter place: `HOST:PORT`, as Lambda has it in `AWS_LAMBDA_RUNTIME_API`.
  public init(_ place: String) { self.place = place }

  /// Waits for the next event, however long: between events Lambda freezes the process.
  public func next() throws(RuntimeError) -> Invocation {
    let answer = try ask("GET", "invocation/next", [], [])
    guard answer.status == 200 else { throw RuntimeError("the next event: \(answer.start)") }
    guard let id = answer.headers["lambda-runtime-aws-request-id"], !id.isEmpty else {
      throw RuntimeError("the next event has no Lambda-Runtime-Aws-Request-Id")
    }
    return Invocation(
      requestID: id, deadline: answer.headers["lambda-runtime-deadline-ms"].flatMap { Int64($0) },
      event: answer.body)
  }

  /// Answers an event.
  public func respond(_ requestID: String, _ bytes: [UInt8]) throws(RuntimeError) {
    try post("invocation/\(requestID)/response", [("Content-Type", "application/json")], bytes)
  }

  /// Says that an event could not be handled; Lambda lets it be tried again by its rules.
  public func fail(_ requestID: String, _ type: String, _ message: String) throws(RuntimeError) {
    try postError("invocation/\(requestID)/error", type, message)
  }

  /// Says that the function cannot begin at all.
  public func failInit(_ type: String, _ message: String) throws(RuntimeError) {
    try postError("init/error", type, message)
  }

  private func postError(_ path: String, _ type: String, _ message: String) throws(RuntimeError) {
    var body = LogLine()
    body.add("errorMessage", message)
    body.add("errorType", type)
    body.add("stackTrace", [])
    try post(
      path, [("Lambda-Runtime-Function-Error-Type", type), ("Content-Type", "application/json")],
      Array(body.text.utf8))
  }

  private func post(_ path: String, _ headers: [(String, String)], _ body: [UInt8]) throws(RuntimeError) {
    let answer = try ask("POST", path, headers, body)
    guard answer.status == 202 else {
      throw RuntimeError(
        "\(path): \(answer.start): \(String(decoding: answer.body.prefix(500), as: UTF8.self))")
    }
  }

  private func ask(
    _ method: String, _ path: String, _ headers: [(String, String)], _ body: [UInt8]
  ) throws(RuntimeError) -> HTTPMessage {
    let isFresh = connection == nil
    do {
      return try ask(over: try connected(), method, path, headers, body)
    } catch {
      connection = nil
      // A connection that was kept may have been closed meanwhile. An event is not lost by asking again: the API hands
      // out no other before it is answered, and it takes each answer once.
      guard !isFresh else { throw error }
      return try ask(over: try connected(), method, path, headers, body)
    }
  }

  private func ask(
    over connection: HTTPConnection, _ method: String, _ path: String, _ headers: [(String, String)],
    _ body: [UInt8]
  ) throws(RuntimeError) -> HTTPMessage {
    try connection.send(
      "\(method) /2018-06-01/runtime/\(path) HTTP/1.1",
      headers: [("Host", place), ("User-Agent", "tarn-example")] + headers, body)
    guard let answer = try connection.receive() else {
      throw RuntimeError("\(path): \(place) has closed the connection")
    }
    if answer.headers["connection"]?.lowercased() == "close" { self.connection = nil }
    return answer
  }

  private func connected() throws(RuntimeError) -> HTTPConnection {
    if let connection { return connection }
    let made = try HTTPConnection(to: place)
    connection = made
    return made
  }
}
