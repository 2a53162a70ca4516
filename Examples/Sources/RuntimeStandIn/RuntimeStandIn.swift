import LambdaRuntime

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Stands in for Lambda's Runtime API on this machine: hands a function one event at a time, and takes its answer.
///
/// It works in the thread of who asks it, blocking, for one function, and is to be asked by one thread at a time, which
/// nothing checks.
public final class RuntimeStandIn: @unchecked Sendable {
  /// What a function made of an event.
  public enum Outcome: Equatable {
    case answer([UInt8])
    /// The function said that it failed: the type and the message.
    case failure(type: String, body: String)
    /// The function could not begin.
    case initFailure(body: String)
  }

  private var listener: Int32
  private let patience: Int
  private let port: UInt16
  private var connection: HTTPConnection?
  private var count = 0

  /// Listens on a free port of the loopback.
  ///
  /// - Parameter patience: Seconds after which a silent function is given up.
  public init(patience: Int = 60) throws(RuntimeError) {
    self.patience = patience
    listener = HTTPConnection.stream()
    guard listener >= 0 else { throw RuntimeError(call: "socket", number: errno) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let (descriptor, size) = (listener, length)
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && listen(descriptor, 4) == 0
          && getsockname(descriptor, $0, &length) == 0
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    guard isListening else { throw RuntimeError(call: "listening", number: errno) }
    Self.limit(listener, patience)
  }

  deinit { end() }

  /// Listens no longer.
  public func end() {
    connection = nil
    if listener >= 0 { close(listener) }
    listener = -1
  }

  /// What goes into `AWS_LAMBDA_RUNTIME_API`.
  public var place: String { "127.0.0.1:\(port)" }

  private static func limit(_ descriptor: Int32, _ seconds: Int) {
    var time = timeval(tv_sec: .init(seconds), tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
  }

  /// Hands an event to the function, and waits for what it makes of it.
  ///
  /// - Throws: ``RuntimeError`` where it does not speak the Runtime API, or says nothing for too long.
  public func invoke(_ event: [UInt8]) throws(RuntimeError) -> Outcome {
    count += 1
    let id = "8476a536-e9f4-11e8-9739-\(count)"
    let request = try nextRequest()
    if request.start.hasPrefix("POST /2018-06-01/runtime/init/error ") {
      try sendAccepted()
      return .initFailure(body: String(decoding: request.body, as: UTF8.self))
    }
    guard request.start == "GET /2018-06-01/runtime/invocation/next HTTP/1.1" else {
      throw RuntimeError("the function asked \(request.start) for its next event")
    }
    try connection?.send(
      "HTTP/1.1 200 OK",
      headers: [
        ("Lambda-Runtime-Aws-Request-Id", id), ("Lambda-Runtime-Deadline-Ms", "4102444800000"),
        ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:stand-in"),
        ("Content-Type", "application/json"),
      ], event)
    let answer = try nextRequest()
    try sendAccepted()
    switch answer.start {
    case "POST /2018-06-01/runtime/invocation/\(id)/response HTTP/1.1": return .answer(answer.body)
    case "POST /2018-06-01/runtime/invocation/\(id)/error HTTP/1.1":
      return .failure(
        type: answer.headers["lambda-runtime-function-error-type"] ?? "",
        body: String(decoding: answer.body, as: UTF8.self))
    default: throw RuntimeError("the function answered by \(answer.start)")
    }
  }

  /// Closes the connection at the function's next question, as Lambda does when it ends the process.
  public func stop() throws(RuntimeError) {
    _ = try nextRequest()
    connection = nil
  }

  /// Drops the connection, which a function has to make again.
  public func drop() { connection = nil }

  private func sendAccepted() throws(RuntimeError) {
    try connection?.send(
      "HTTP/1.1 202 Accepted", headers: [("Content-Type", "application/json")],
      Array("{\"status\":\"OK\"}".utf8))
  }

  private func nextRequest() throws(RuntimeError) -> HTTPMessage {
    while true {
      if let connection, let request = try connection.receive() { return request }
      let descriptor = accept(listener, nil, nil)
      guard descriptor >= 0 else { throw RuntimeError(call: "waiting for the function", number: errno) }
      Self.limit(descriptor, patience)
      connection = HTTPConnection(descriptor: descriptor)
    }
  }
}
