import Synchronization

/// The requests that a server has seen, numbered as they came, which threads share.
public final class SeenRequests: Sendable {
  private let requests = Mutex<[WireRequest]>([])

  /// Makes an empty list.
  public init() {}

  /// All of them.
  public var all: [WireRequest] { requests.withLock { $0 } }

  /// Adds a request, and gives it with its number.
  public func add(_ request: WireRequest) -> WireRequest {
    requests.withLock { all in
      var request = request
      request.number = all.count
      all.append(request)
      return request
    }
  }
}
