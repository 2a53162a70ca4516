/// Sends requests over HTTP, many at once, over connections that it keeps.
///
/// One thread of its own drives them all; it begins with the first request and ends with the client. HTTP/2 is
/// spoken where a server offers it over TLS. Redirects are answers like others, and nothing is repeated.
public final class HTTPClient: Sendable {
  private let loop: TransferLoop

  /// Makes a client; nothing is connected yet.
  public init(_ options: HTTPOptions = HTTPOptions()) { loop = TransferLoop(options) }

  deinit { loop.close() }

  /// Sends a request once, and gives the answer, whatever its status.
  ///
  /// - Throws: ``HTTPError``, which tells whether the request may have reached the server.
  package func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
    // The client ends its thread when it goes, so it stays until the answer is there.
    defer { withExtendedLifetime(self) {} }
    let pending = PendingTransfer(request, loop)
    let result = await withTaskCancellationHandler {
      await pending.run()
    } onCancel: {
      pending.cancel()
    }
    return try result.get()
  }
}

/// A request that a task waits for.
private final class PendingTransfer: Sendable {
  private let request: HTTPRequest
  private let loop: TransferLoop
  private let isCancelled = CancellationFlag()

  init(_ request: HTTPRequest, _ loop: TransferLoop) {
    self.request = request
    self.loop = loop
  }

  func run() async -> Result<HTTPResponse, HTTPError> {
    await withCheckedContinuation { continuation in
      loop.submit(
        Transfer(request, server: Self.server(of: request.url), cancellation: isCancelled) {
          continuation.resume(returning: $0)
        })
    }
  }

  func cancel() {
    isCancelled.set()
    loop.wake()
  }

  /// Scheme, name and port of a URL.
  private static func server(of url: String) -> String {
    guard let scheme = url.firstRange(of: "://") else { return url }
    return String(url[..<scheme.upperBound]) + url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
  }
}
