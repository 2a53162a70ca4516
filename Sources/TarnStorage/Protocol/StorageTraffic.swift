import Synchronization

/// Counts the requests of some work, and their bytes, as far as the storages know of them.
///
/// ```swift
/// let traffic = StorageTraffic()
/// let storage: any Storage = InMemoryStorage()
/// try await StorageTraffic.$present.withValue(traffic) {
///   try await storage.put([1, 2, 3], at: "numbers", if: .always)
/// }
/// print(traffic.counts.requests)
/// ```
public final class StorageTraffic: Sendable {
  /// How many requests were sent, and how many bytes went each way.
  public struct Counts: Sendable, Hashable {
    /// Requests, each attempt of one that was sent again.
    public var requests = 0
    /// Bytes that were sent as the contents of requests.
    public var sent = 0
    /// Bytes that came as the contents of answers.
    public var received = 0

    /// None.
    public init() {}
  }

  private let state = Mutex(Counts())

  /// Begins to count.
  public init() {}

  /// What counts for the work of the present task; nil where nobody wants to know.
  @TaskLocal public static var present: StorageTraffic?

  /// What was counted so far.
  public var counts: Counts { state.withLock { $0 } }

  /// Adds a request that has ended.
  public func add(sent: Int, received: Int) {
    state.withLock { counts in
      counts.requests += 1
      counts.sent += sent
      counts.received += received
    }
  }
}
