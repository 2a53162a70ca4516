/// A command, as data: from it come parsing, help and messages.
struct Command: Sendable {
  /// A word that is no option.
  struct Operand: Sendable {
    let name: String
    let help: String
    var isOptional = false
    /// Whether more of its kind may follow; the last operand alone.
    var takesMany = false

    /// The word as it stands in help texts.
    var text: String { isOptional ? "[\(name)]" : takesMany ? "\(name)..." : name }

    static let table = Operand(name: "TABLE", help: "the table's folder, or s3://bucket/prefix")
    static let parquetFile = Operand(
      name: "FILE", help: "the Parquet file, whoever wrote it; or s3://bucket/key")
    static let changeRecords = Operand(
      name: "SOURCE", help: "change records: files, folders that are walked, or s3://bucket/prefix",
      takesMany: true)
  }

  /// One word, or two for commands that are about something other than a table.
  let name: String
  /// What it does, in a line.
  let summary: String
  var operands = [Operand.table]
  var options: [any DeclaredOption]
  /// More to know, a paragraph each.
  var notes: [String] = []
  let run: @Sendable (Arguments) async throws -> Void

  /// The same, with options that others have, too.
  func adding(_ more: [any DeclaredOption]) -> Command {
    var command = self
    command.options += more
    return command
  }

  /// The words of the name.
  var words: [String] { name.split(separator: " ").map(String.init) }
}
