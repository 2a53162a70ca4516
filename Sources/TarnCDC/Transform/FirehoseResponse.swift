/// The answer to a delivery stream's event, and what is in it.
public struct FirehoseResponse: Sendable {
  /// A record that could not be transformed.
  public struct Failure: Sendable, Hashable {
    /// Its recordId, as it stands in the event.
    public var recordID: String
    /// Why, for people.
    public var reason: String
  }

  /// The answer as JSON: each recordId of the event once, in the event's order.
  public var bytes: [UInt8] = []
  /// Records that are answered `Ok`.
  public var transformed = 0
  /// Records that are answered `Dropped`.
  public var dropped = 0
  /// Change records that were handed over; one record of the stream may carry several.
  public var changes = 0
  /// Records that are answered `ProcessingFailed`, with the reason, for which the answer has no place: a function's log
  /// is where it belongs.
  public var failures: [Failure] = []

  /// Bytes of an answer without records.
  static let frame = 14

  mutating func begin() {
    bytes.append(contentsOf: "{\"records\":[".utf8)
  }

  mutating func end() { bytes.append(contentsOf: "]}".utf8) }
}
