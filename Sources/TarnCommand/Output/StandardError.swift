import Synchronization
import Tarn
import TarnBytes
import TarnColumns

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Standard error, for everything that is no row.
enum StandardError {
  private struct State {
    /// Whether each line is a JSON object.
    var isJSON = false
    /// Whether a bar stands in the line where the next one is written.
    var hasBar = false
    /// When the bar was drawn, in milliseconds of a clock that only goes on.
    var drawn: Int64 = 0
  }

  private static let state = Mutex(State())

  /// Has all that is written from now on be JSON objects, a line each.
  static func useJSON() { state.withLock { $0.isJSON = true } }

  /// Writes a line, which as an object is the message of an event.
  static func write(line: String, as event: String = "message") {
    state.withLock { state in
      guard state.isJSON else { return write(line, &state) }
      write(object([("event", .string(event)), ("message", .string(line))]), &state)
    }
  }

  /// Tells of something that a user should know and need not act on.
  static func note(_ text: String) {
    let isJSON = state.withLock { $0.isJSON }
    write(line: isJSON ? text : "note: " + text, as: "warning")
  }

  /// Writes an event with its members, behind the time.
  static func write(json members: [(String, JSONValue)]) {
    state.withLock { write(object(members), &$0) }
  }

  /// Shows how far long work is: on a terminal, and nowhere else.
  static func draw(_ progress: WorkProgress) {
    guard isTerminal else { return }
    state.withLock { state in
      guard !state.isJSON else { return }
      var time = timespec()
      clock_gettime(CLOCK_MONOTONIC, &time)
      let now = Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
      let isDone = progress.done == progress.total
      guard isDone || now - state.drawn >= 100 else { return }
      state.drawn = now
      _ = writeAll(Array(("\r\u{1B}[K" + ProgressBar.text(of: progress)).utf8), to: 2)
      state.hasBar = true
    }
  }

  private static var isTerminal: Bool { isatty(2) == 1 }

  private static func object(_ members: [(String, JSONValue)]) -> String {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    let microseconds = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    var text: [UInt8] = []
    CivilTime.append(microseconds: microseconds, isInstant: true, to: &text)
    let all = [("time", JSONValue.string(String(decoding: text, as: UTF8.self)))] + members
    return JSONValue.object(all.map { JSONValue.Member($0.0, $0.1) }).text()
  }

  private static func write(_ line: String, _ state: inout State) {
    let start = state.hasBar ? "\r\u{1B}[K" : ""
    state.hasBar = false
    _ = writeAll(Array((start + line + "\n").utf8), to: 2)
  }
}

/// How far long work is, as a line of a terminal.
enum ProgressBar {
  private static let width = 30

  /// Such as `check [#########---------------------] 12 of 40 files`; without a bar where the end is not known.
  static func text(of progress: WorkProgress) -> String {
    guard let total = progress.total, total > 0 else { return "\(progress)" }
    let done = min(max(progress.done, 0), total)
    let (product, overflow) = done.multipliedReportingOverflow(by: width)
    let filled = overflow ? width : product / total
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
    return "\(progress.work.rawValue) [\(bar)] \(progress.done) of \(total) \(progress.unit)"
  }
}
