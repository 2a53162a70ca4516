import Synchronization

/// Texts gathered from wherever they come.
public final class Collected: Sendable {
  private let texts = Mutex<[String]>([])

  /// Begins with none.
  public init() {}

  /// Adds one.
  public func add(_ text: String) { texts.withLock { $0.append(text) } }

  /// All so far.
  public var all: [String] { texts.withLock { $0 } }
}
