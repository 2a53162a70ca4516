import Tarn
import TarnBytes
import TarnTimeline

/// Prints what happens to a table on standard error.
struct CommandObserver: TableObserver {
  /// How.
  let log: LogFormat

  func observe(_ event: TableEvent, of table: String) {
    if log == .json { return StandardError.write(json: event.json(of: table)) }
    switch event.kind {
    case .warning, .attemptRolledBack: StandardError.note(event.description)
    case .progress(let progress): StandardError.draw(progress)
    default: if log == .text { StandardError.write(line: "\(table): \(event)") }
    }
  }
}

extension TableEvent {
  /// The members of its JSON object.
  func json(of table: String) -> [(String, JSONValue)] {
    [("event", .string(name)), ("table", .string(table))] + members
  }

  private var name: String {
    switch kind {
    case .attemptBegun: "attempt_begun"
    case .attemptLost: "attempt_lost"
    case .writeBegunAgain: "write_begun_again"
    case .committed: "committed"
    case .attemptRolledBack: "attempt_rolled_back"
    case .rolledForward: "rolled_forward"
    case .servicePlanned: "service_planned"
    case .serviceRun: "service_run"
    case .serviceFailed: "service_failed"
    case .progress: "progress"
    case .warning: "warning"
    }
  }

  private var members: [(String, JSONValue)] {
    switch kind {
    case .attemptBegun(let instant, let operation, let number):
      [
        ("instant", .string(instant.text)), ("operation", .string(operation)), ("attempt", .integer(number)),
      ]
    case .attemptLost(let reason): [("reason", .string(reason))]
    case .writeBegunAgain(let number): [("times", .integer(number))]
    case .committed(let report): report.members
    case .attemptRolledBack(let instant): [("instant", .string(instant.text))]
    case .rolledForward(let instant, let work):
      [("instant", .string(instant.text)), ("work", .string(work))]
    case .serviceFailed(let service, let reason):
      [("service", .string(service.rawValue)), ("reason", .string(reason))]
    case .servicePlanned(let work), .serviceRun(let work): work.members
    case .progress(let progress):
      [("work", .string(progress.work.rawValue)), ("done", .integer(progress.done))]
        + (progress.total.map { [("total", .integer($0))] } ?? []) + [("unit", .string(progress.unit))]
    case .warning(let text): [("message", .string(text))]
    }
  }
}

extension CommitReport {
  fileprivate var members: [(String, JSONValue)] {
    let numbers: [(String, Int)] = [
      ("inserted", inserted), ("updated", updated), ("deleted", deleted), ("stale", stale),
      ("duplicates", duplicates), ("superseded", superseded), ("not_found", notFound), ("files", files),
      ("spliced_files", splicedFiles), ("bytes_written", bytesWritten), ("bytes_read", bytesRead),
      ("requests", requests), ("bytes_sent", bytesSent), ("bytes_received", bytesReceived),
    ]
    let durations: [(String, Duration)] = [
      ("look_up_ms", lookUpDuration), ("write_ms", writeDuration), ("commit_ms", commitDuration),
      ("duration_ms", duration),
    ]
    return [("instant", .string(instant?.text ?? ""))] + numbers.map { ($0.0, .integer($0.1)) }
      + durations.map { ($0.0, .integer($0.1.milliseconds)) }
  }
}

extension ServiceWork {
  fileprivate var members: [(String, JSONValue)] {
    [("service", .string(service.rawValue))] + (instant.map { [("instant", .string($0.text))] } ?? [])
      + [
        ("files", .integer(files)), ("bytes", .integer(bytes)),
        ("duration_ms", .integer(duration.milliseconds)),
      ]
  }
}

extension Duration {
  fileprivate var milliseconds: Int64 {
    components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
  }
}
