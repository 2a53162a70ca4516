import Tarn

/// The tool: finds the command, runs it, and says what went wrong.
enum CommandLineTool {
  static let version = "0.1.0"

  static let commands: [Command] = [
    CreateCommand.command, WriteCommand.upsert, WriteCommand.insert, UpdateCommand.command,
    DeleteCommand.command, TruncateCommand.command, DropCommand.command, IngestCommand.command,
    ReadCommand.read, ReadCommand.count,
    TimelineCommand.command, FilesCommand.command, RollbackCommand.command, CleanCommand.command,
    ClusterCommand.command,
    SavepointCommand.command, RestoreCommand.command,
    ArchiveCommand.command, RetainCommand.command,
    CheckCommand.command,
    SchemaCommand.command, ShowCommand.command, ParquetCheckCommand.command, ParquetShowCommand.command,
    ParquetCatCommand.command, ChangesConvertCommand.command, ChangesShowCommand.command,
  ].map { $0.adding(Options.everywhere) }

  /// Exit statuses: as it should be; a failure, and nothing was written; a failure after which what was to be written
  /// stands or may stand; wrong usage (`EX_USAGE`).
  private enum Status {
    static let success: Int32 = 0
    static let failure: Int32 = 1
    static let unknown: Int32 = 2
    static let usage: Int32 = 64
  }

  /// Runs what the words ask for.
  ///
  /// - Returns: The exit status.
  static func run(_ words: [String]) async -> Int32 {
    var known: Command?
    // Whoever traces may say so before the command.
    let trace = "--" + Options.traceRequests.usage.name
    let traces = words.prefix { $0 == trace }
    let words = Array(words.dropFirst(traces.count))
    do {
      guard let command = try named(words) else { return Status.success }
      known = command
      let rest = traces.prefix(1) + words.dropFirst(command.words.count)
      guard let arguments = try Arguments.parse(Array(rest), for: command) else {
        try StandardOutput.write(text: Help.of(command))
        return Status.success
      }
      if arguments[Options.log] == .json { StandardError.useJSON() }
      try await RemoteAccess.$current.withValue(RemoteAccess(arguments)) { try await command.run(arguments) }
      return Status.success
    } catch let error as UsageError {
      let place = known.map { "\($0.name): " } ?? ""
      let help = known.map { "tarn help \($0.name)" } ?? "tarn help"
      StandardError.write(line: "tarn: \(place)\(error.description) (see: \(help))", as: "error")
      return Status.usage
    } catch {
      // Whoever read the rows has had enough: that is no failure.
      if StandardOutput.isClosed { return Status.success }
      StandardError.write(line: "tarn: \(oneLine(String(describing: error)))", as: "error")
      let code = (error as? CommandError)?.code ?? (error as? TableError)?.code
      return code == .outcomeUnknown ? Status.unknown : Status.failure
    }
  }

  /// The command that the first words name; nil where help or the version was printed.
  private static func named(_ words: [String]) throws -> Command? {
    guard let first = words.first else { throw UsageError("a command is missing") }
    switch first {
    case "--version": try StandardOutput.write(text: "tarn \(version)\n")
    case "--help", "-h", "help":
      guard words.count > 1 else {
        try StandardOutput.write(text: Help.overall(commands))
        return nil
      }
      try StandardOutput.write(text: Help.of(try command(words.dropFirst())))
    default: return try command(words[...])
    }
    return nil
  }

  private static func command(_ words: ArraySlice<String>) throws(UsageError) -> Command {
    if let command = commands.first(where: { words.starts(with: $0.words) }) { return command }
    let name = words.first ?? ""
    let family = commands.filter { $0.words.count > 1 && $0.words[0] == name }.map(\.name)
    guard family.isEmpty else {
      throw UsageError("\(name) needs one more word: \(family.joined(separator: ", "))")
    }
    throw UsageError("there is no command \(name)\(Spelling.hint(name, commands.map(\.name)))")
  }

  private static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
