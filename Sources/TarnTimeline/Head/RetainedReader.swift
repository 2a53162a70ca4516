/// A reader that declared from which instant on it still needs the table, so that no clean or archive of Tarn's goes past it.
public struct RetainedReader: Sendable, Hashable {
  /// The reader's name.
  public let name: String
  /// The earliest instant that it needs the table as of.
  public let instant: Instant
  /// When the declaration expires, in microseconds since 1970-01-01T00:00:00Z by the storage's clock where it has one; nil for
  /// never.
  public let expiry: Int64?

  /// Names one.
  package init(_ name: String, from instant: Instant, expiry: Int64?) {
    self.name = name
    self.instant = instant
    self.expiry = expiry
  }

  /// Whether its declaration has expired.
  ///
  /// - Parameter now: The time in microseconds since 1970-01-01T00:00:00Z.
  package func hasExpired(at now: Int64) -> Bool { expiry.map { $0 <= now } ?? false }
}

extension Head {
  /// The most readers that may declare what they need.
  package static let mostReaders = 64

  /// Of the readers whose declarations hold the one that needs the earliest instant.
  ///
  /// - Parameter now: The time in microseconds since 1970-01-01T00:00:00Z.
  package func earliestReader(at now: Int64) -> RetainedReader? {
    readers.filter { !$0.hasExpired(at: now) }.min { ($0.instant, $0.name) < ($1.instant, $1.name) }
  }
}
