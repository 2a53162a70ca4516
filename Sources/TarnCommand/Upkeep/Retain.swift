import Tarn
import TarnTimeline

/// `tarn retain`.
enum RetainCommand {
  static let command = Command(
    name: "retain", summary: "Keeps what a reader still needs from clean and archive, or lets it go.",
    operands: [
      .table, Command.Operand(name: "READER", help: "the reader's name, of your choice"),
    ],
    options: [Options.neededSince, Options.expires, Options.releases, Options.lock, Options.noSync],
    notes: [
      "From then on no clean and no archive of Tarn's goes past what READER needs, until it declares something else, or --release "
        + "lets it go. Other engines do not know of it: tarn savepoint holds files against these. tarn show lists what readers "
        + "declared."
    ],
    run: run)

  private static func run(_ arguments: Arguments) async throws {
    let reader = arguments.operands.dropFirst().first ?? ""
    let start = arguments[Options.neededSince]
    let hours = arguments[Options.expires]
    let releases = arguments.has(Options.releases)
    guard !releases || (start == nil && hours == nil) else {
      throw UsageError("--release goes with neither --since nor --expires")
    }
    try await TableAccess(arguments).located { access in
      let table = try await access.open()
      let name = table.properties.name
      if releases {
        let wasHeld = try await table.release(reader)
        StandardError.write(
          line: "\(wasHeld ? "released" : "nothing was kept for") reader \(reader) of \(name)")
        return
      }
      let duration = hours.map { Duration.seconds(Int64($0) * 3_600) }
      let kept: RetainedReader
      switch start {
      case .position(let position):
        kept = try await table.retain(from: position, for: reader, expiringAfter: duration)
      case .time(let time):
        kept = try await table.retain(
          from: time.instant(of: table), for: reader, expiringAfter: duration)
      case .beginning, nil:
        guard let latest = try await table.timeline().latest else {
          throw CommandError(
            "\(access.path): the table has no completed commit yet: there is nothing to keep")
        }
        kept = try await table.retain(from: latest.instant, for: reader, expiringAfter: duration)
      }
      StandardError.write(line: "kept for reader \(reader) of \(name): from \(kept.instant.text) on")
    }
  }
}
