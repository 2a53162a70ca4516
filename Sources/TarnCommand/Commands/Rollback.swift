import Tarn
import TarnTimeline

/// `tarn rollback`.
enum RollbackCommand {
  static let command = Command(
    name: "rollback", summary: "Rolls back attempts to write that were left unfinished.",
    operands: [
      .table,
      Command.Operand(name: "INSTANT", help: "the attempt, as tarn timeline lists it", isOptional: true),
    ],
    options: [Options.force, Options.lock, Options.noSync],
    notes: [
      "Without INSTANT, every attempt of a writer of Tarn's that died, as the next write does by itself. With it, that "
        + "attempt, whichever engine began it, also a doubtful one, which may have been decided before the table's head "
        + "was lost. Completed commits are not rolled back."
    ],
    run: run)

  private static func run(_ arguments: Arguments) async throws {
    let access = try TableAccess(arguments)
    let instant = try arguments.operands.dropFirst().first.map { text in
      guard let instant = Instant(text) else {
        throw UsageError("INSTANT \(text): an instant of 14 or 17 digits is expected")
      }
      return instant
    }
    guard instant != nil || !arguments.has(Options.force) else { throw UsageError("--force needs INSTANT") }
    let table = try await access.open()
    let instants = try await access.located {
      guard let instant else { return try await table.rollBackDeadAttempts() }
      try await table.rollBack(instant, force: arguments.has(Options.force))
      return [instant]
    }
    let texts = instants.isEmpty ? "nothing to roll back" : instants.map(\.text).joined(separator: ", ")
    StandardError.write(line: "rolled back in \(table.properties.name): \(texts)")
  }
}
