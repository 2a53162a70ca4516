/// Told of what happens to tables, as it happens: for a program's logger, or its metrics.
///
/// ```swift
/// struct Log: TableObserver {
///   func observe(_ event: TableEvent, of table: String) { print("\(table): \(event)") }
/// }
/// var settings = TableSettings()
/// settings.observer = Log()
/// ```
///
/// It is called in the middle of the work, from several tasks at once, and must not wait: what takes long is handed on.
public protocol TableObserver: Sendable {
  /// Takes note of what happened.
  ///
  /// - Parameter table: The table's name.
  func observe(_ event: TableEvent, of table: String)
}

/// An observer that is a closure.
///
/// ```swift
/// var settings = TableSettings()
/// settings.observer = EventHandler { event, table in
///   if case .committed(let report) = event.kind { print("\(table): \(report.inserted) new rows") }
/// }
/// ```
public struct EventHandler: TableObserver {
  private let body: @Sendable (TableEvent, String) -> Void

  /// Calls a closure with each event and the table's name.
  public init(_ body: @escaping @Sendable (TableEvent, String) -> Void) { self.body = body }

  /// Calls the closure.
  public func observe(_ event: TableEvent, of table: String) { body(event, table) }

  /// Calls a closure with the texts of warnings.
  public static func warnings(_ body: @escaping @Sendable (String) -> Void) -> EventHandler {
    EventHandler { event, _ in
      if case .warning(let text) = event.kind { body(text) }
    }
  }
}
