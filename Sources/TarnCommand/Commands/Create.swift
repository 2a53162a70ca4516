import Tarn
import TarnColumns
import TarnTimeline

/// `tarn create`.
enum CreateCommand {
  static let command = Command(
    name: "create", summary: "Creates a table without rows.",
    options: [Options.key.required()] + Options.creation.filter { $0.usage.name != "key" } + [Options.noSync],
    notes: ["One of --schema and --like is needed. What is chosen here stays with the table."],
    run: run)

  private static func run(_ arguments: Arguments) async throws {
    let access = try TableAccess(arguments)
    try access.refuseWhatComesLater()
    guard let schema = try await access.givenSchema() else {
      throw UsageError("--schema FILE.avsc or --like FILE.parquet is missing")
    }
    let table = try await access.plan(
      schema, key: arguments[Options.key] ?? [], partitionedBy: arguments[Options.partitionBy] ?? [],
      orderedBy: arguments[Options.orderBy], thenBy: arguments[Options.thenBy] ?? [])
    try await access.located { try await table.createWhereNeeded() }
    StandardError.write(line: "created \(table.properties.name): \(schema.fields.count) columns")
  }
}
