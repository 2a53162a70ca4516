/// How far a table had come: so many row-changing decisions since its epoch began.
///
/// Positions of one epoch are in the order of the decisions, which the instants of commits need not be: a commit may
/// complete after one with a later instant. Those of two epochs cannot be compared: an epoch ends where commits were
/// taken back, or where the table's head was lost.
public struct TablePosition: Sendable, Hashable, CustomStringConvertible {
  /// A random text.
  public let epoch: String
  /// The number of decisions.
  public let sequence: Int64

  /// Makes a position of its parts.
  package init(epoch: String, sequence: Int64) {
    self.epoch = epoch
    self.sequence = sequence
  }

  /// Takes what ``description`` gave; nil for any other text.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, parts[0].utf8.allSatisfy(Self.isHexadecimal),
      let sequence = Int64(parts[1]), sequence >= 0
    else { return nil }
    self.init(epoch: String(parts[0]), sequence: sequence)
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x61...0x66: true
    default: false
    }
  }

  /// The epoch and the sequence, as `8f3a…-1204`.
  public var description: String { "\(epoch)-\(sequence)" }
}
