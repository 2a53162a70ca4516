import TarnTimeline

/// Tells times as a table's instants have them: in UTC, or in the local time of whoever writes, as Hudi's own writers do
/// where the table does not say otherwise.
///
/// Source: format-tables 2.2 (`hoodie.table.timeline.timezone`).
struct InstantClock: Sendable {
  private let settings: TableSettings
  private let isUTC: Bool

  init(_ settings: TableSettings, _ properties: TableProperties) {
    self.settings = settings
    isUTC = properties.isTimelineUTC
  }

  /// The present, in microseconds since the begin of 1970 by the clocks of the table's zone.
  ///
  /// Where they are put back, instants go on rising, each a millisecond after the one before.
  func now() -> Int64 { time(of: settings.now()) }

  /// A time, in microseconds since 1970-01-01T00:00:00Z, by the clocks of the table's zone.
  func time(of time: Int64) -> Int64 {
    guard !isUTC else { return time }
    let (local, overflow) = time.addingReportingOverflow(settings.localOffset(time))
    return overflow ? time : local
  }
}
