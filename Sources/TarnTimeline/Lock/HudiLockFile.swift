import TarnBytes

/// What the file of Hudi's storage-based lock says: one JSON object, which is replaced and never deleted.
///
/// Source: format-logs-and-services 10.3 (`StorageLockData`, `StorageLockFile`, RFC-91).
package struct HudiLockFile: Sendable, Hashable {
  /// The path.
  package static let path = TablePaths.locks + "table_lock.json"
  /// How much longer a lock is taken to be held, in milliseconds, since clocks differ.
  private static let drift: Int64 = 500

  /// Whether its holder has let it go.
  package var isReleased: Bool
  /// When it ends, in milliseconds since 1970.
  package var end: Int64
  /// Its holder, or who held it last.
  package var owner: String

  /// Makes what a file says.
  package init(isReleased: Bool = false, end: Int64, owner: String) {
    self.isReleased = isReleased
    self.end = end
    self.owner = owner
  }

  /// Reads a file; nil where it is none of that form.
  package init?(parsing bytes: [UInt8]) {
    guard let json = try? JSONValue(parsing: bytes), let isReleased = json["expired"]?.boolean,
      let end = json["validUntil"]?.int64, let owner = json["owner"]?.string
    else { return nil }
    self.init(isReleased: isReleased, end: end, owner: owner)
  }

  /// The file.
  package var bytes: [UInt8] {
    JSONValue.object([
      .init("expired", .boolean(isReleased)), .init("validUntil", .integer(end)),
      .init("owner", .string(owner)),
    ]).bytes()
  }

  /// Whether somebody holds it.
  ///
  /// - Parameter now: In microseconds since 1970.
  package func isHeld(at now: Int64) -> Bool {
    let (last, overflow) = end.addingReportingOverflow(Self.drift)
    return !isReleased && (overflow || now / 1_000 <= last)
  }

  /// How long after its end a lock still tells that it is in use, in milliseconds.
  private static let memory: Int64 = 24 * 3_600_000

  /// Whether writers go by it: it has not ended long ago.
  ///
  /// - Parameter now: In microseconds since 1970.
  package func isInUse(at now: Int64) -> Bool { end > now / 1_000 - Self.memory }
}
