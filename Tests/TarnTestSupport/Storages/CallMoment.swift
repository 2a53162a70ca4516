import Synchronization

/// One of the calls of a storage, at which a test has something happen.
public final class CallMoment: Sendable {
  private let number: Int
  private let calls = Atomic(0)

  /// - Parameter number: The call's, from 1 on.
  public init(_ number: Int) { self.number = number }

  /// Counts a call.
  ///
  /// - Returns: Whether it is the one.
  public func comes() -> Bool { calls.add(1, ordering: .relaxed).newValue == number }

  /// Whether it came.
  public var hasCome: Bool { calls.load(ordering: .relaxed) >= number }
}
