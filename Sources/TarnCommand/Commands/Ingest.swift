import Tarn
import TarnCDC
import TarnColumns
import TarnTimeline

/// `tarn ingest`.
enum IngestCommand {
  static let command = Command(
    name: "ingest", summary: "Applies DynamoDB change records in one commit.",
    options: [Options.changes.required(), Options.create] + Options.creation + [
      Options.widen, Options.zone, Options.onError, Options.memory, Options.noSync,
    ],
    notes: [
      "Records are those of Kinesis Data Streams for DynamoDB and of DynamoDB Streams, in files that may be "
        + "compressed (.gz, .zst). INSERT and MODIFY upsert, REMOVE deletes; a key is unique over the whole table.",
      "With --create, the columns of a new table are inferred from these records unless --schema or --like gives "
        + "them, the key is that of the records unless --key gives it, _event_id, _event_name and _event_time are "
        + "added, and rows are ordered by _event_time unless --order-by says otherwise.",
    ],
    run: run)

  private static func run(_ arguments: Arguments) async throws {
    let access = try TableAccess(arguments)
    try await access.untilSettled { letters in try await run(access, &letters) }
  }

  private static func run(_ access: TableAccess, _ letters: inout DeadLetterStore) async throws {
    let arguments = access.arguments
    let table = try await access.openForWriting()
    var input = try ChangeInput(arguments)
    var schema: Schema
    var key = table?.properties.recordKeyFields ?? arguments[Options.key]
    let given = try await access.givenSchema()
    if let table {
      let present = try await access.located { try await table.schema() }
      schema = access.parsed(try access.joined(present, with: given))
    } else if let given {
      schema = given
      schema.fields += EventColumn.fields.filter { given[$0.name] == nil }
    } else {
      let inferred = try await input.inferred(preferred: arguments.namedColumns)
      schema = inferred.schema
      key = key ?? (inferred.key.isEmpty ? nil : inferred.key)
    }
    guard let key else {
      throw UsageError("\(Options.key.usage.text) is missing, and no record names its key")
    }
    let partition = table?.properties.partitionFields ?? arguments[Options.partitionBy] ?? []
    let changes = try await input.changes(schema, key: key, partition: partition)
    let (written, report) = try await access.write(table) {
      try await access.create(
        changes.rows.schema, key: key, orderedBy: arguments[Options.orderBy] ?? EventColumn.time)
    } _: { table in
      let taken = try await input.taken(changes, by: table)
      try letters.keep(input.storeLetters)
      return try await table.apply(taken, scope: .table)
    }
    StandardError.write(line: report.line("ingested into", written, deadLetters: input.letters.count))
  }
}
