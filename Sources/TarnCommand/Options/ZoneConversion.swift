import Foundation
import Synchronization
import TarnColumns

/// Turns timestamps without zone into instants.
struct ZoneConversion: Sendable {
  /// The zone that their clocks stood in; nil for UTC.
  private let zone: TimeZone?

  /// UTC.
  init() { zone = nil }

  /// A zone such as `Europe/Paris`; nil where the system knows none of that name.
  init?(identifier: String) {
    guard let zone = TimeZone(identifier: identifier) else { return nil }
    self.zone = zone
  }

  /// The batch with its local timestamps as instants, but for columns that the table keeps as local ones.
  func converted(_ batch: RecordBatch, table: Schema?) throws -> RecordBatch {
    var batch = batch
    for index in batch.columns.indices where Self.isConverted(batch.schema.fields[index], table: table) {
      var cache = zone.map { OffsetCache(zone: $0) }
      batch.columns[index] = try batch.columns[index].asInstant { cache?.offset(at: $0) ?? 0 }
      batch.schema.fields[index].type = batch.columns[index].type
    }
    return batch
  }

  /// The offset from UTC, in microseconds, when the zone's clocks show a time; nil for UTC.
  var offset: (@Sendable (Int64) -> Int64)? {
    guard let zone else { return nil }
    let cache = SharedCache(zone)
    return { local in cache.offset(at: local) }
  }

  /// Whether a column's timestamps become instants.
  static func isConverted(_ field: Field, table: Schema?) -> Bool {
    guard case .timestamp(_, .local) = field.type else { return false }
    if case .timestamp(_, .local)? = table?[field.name]?.type { return false }
    return true
  }

  /// A cache that several tasks may use.
  private final class SharedCache: Sendable {
    private let cache: Mutex<OffsetCache>

    init(_ zone: TimeZone) { cache = Mutex(OffsetCache(zone: zone)) }

    func offset(at local: Int64) -> Int64 { cache.withLock { $0.offset(at: local) } }
  }

  /// Offsets of a zone; they change on the quarter of an hour at most.
  private struct OffsetCache {
    private static let quarter: Int64 = 900_000_000
    let zone: TimeZone
    private var known: Int64?
    private var offset: Int64 = 0

    init(zone: TimeZone) { self.zone = zone }

    /// The offset from UTC, in microseconds, when the zone's clocks show a time.
    ///
    /// A time that clocks pass twice is taken as its first pass, one that they skip as if they did not.
    mutating func offset(at local: Int64) -> Int64 {
      let quarter = CivilTime.floorDivide(local, Self.quarter)
      if quarter == known { return offset }
      known = quarter
      let shown = Double(quarter * (Self.quarter / 1_000_000))
      let before = zone.secondsFromGMT(for: Date(timeIntervalSince1970: shown - 86_400))
      let after = zone.secondsFromGMT(for: Date(timeIntervalSince1970: shown - Double(before)))
      let seconds = after == before ? before : resolved(shown, before, after)
      offset = Int64(seconds) * 1_000_000
      return offset
    }

    private func resolved(_ shown: Double, _ before: Int, _ after: Int) -> Int {
      let again = zone.secondsFromGMT(for: Date(timeIntervalSince1970: shown - Double(after)))
      return again == after ? after : before
    }
  }
}
