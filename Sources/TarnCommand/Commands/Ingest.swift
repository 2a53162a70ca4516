import Tarn
import TarnCDC
import TarnColumns
import TarnTimeline

/// `tarn ingest`.
enum IngestCommand {
  static let command = Command(
    name: "ingest", summary: "Applies DynamoDB change records in one commit.",
    options: [Options.changes.required(), Options.dynamoDBTable, Options.create] + Options.creation + [
      Options.widen, Options.zone, Options.cutNanoseconds, Options.onError, Options.memory, Options.retries,
      Options.noServices,
      Options.lock,
      Options.transaction, Options.noSync,
    ],
    notes: [
      "Records are those of Kinesis Data Streams for DynamoDB and of DynamoDB Streams, in files that may be "
        + "compressed (gzip, zstd), whatever their names. INSERT and MODIFY upsert, REMOVE deletes; a key is unique "
        + "over the whole table. Of a folder all files are taken but hidden ones and markers such as _SUCCESS.",
      "With --create, the columns of a new table are inferred from these records unless --schema or --like gives "
        + "them, the key is that of the records unless --key gives it, _event_id, _event_name and _event_time are "
        + "added, and rows are ordered by _event_time unless --order-by says otherwise.",
    ],
    run: run)

  private static func run(_ arguments: Arguments) async throws {
    let access = try TableAccess(arguments)
    try await access.untilSettled { deadLetters in try await run(access, &deadLetters) }
  }

  private static func run(_ access: TableAccess, _ deadLetters: inout StoredDeadLetters) async throws {
    let arguments = access.arguments
    let table = try await access.openForWriting()
    var input = try await ChangeInput(arguments, try access.owners(of: table))
    try await input.sayLeft()
    var schema: Schema
    var key = table?.properties.recordKeyFields
    let given = try await access.givenSchema()
    if let table {
      let present = try await access.located { try await table.schema() }
      schema = try access.joined(present, with: given)
    } else if let given {
      schema = given
      schema.fields += EventColumn.fields.filter { given[$0.name] == nil }
      if !arguments.has(Options.key) { key = try await input.key(in: given) }
    } else {
      let inferred = try await input.inferred(preferred: arguments.namedColumns)
      schema = inferred.schema
      if !arguments.has(Options.key) { key = inferred.key }
    }
    let column = { [owners = input.owners, schema] (name: String) in owners.column(meaning: name, in: schema)
    }
    key = key ?? arguments[Options.key]?.map(column)
    guard let key, !(table == nil && key.isEmpty) else {
      throw UsageError("\(Options.key.usage.text) is missing, and no record names its key")
    }
    let partition = table?.properties.partitionFields ?? (arguments[Options.partitionBy] ?? []).map(column)
    let ordering =
      table == nil ? column(arguments[Options.orderBy] ?? EventColumn.time) : table?.properties.orderingField
    let changes = try await input.changes(schema, key: key, partition: partition, ordering: ordering)
    let (written, report) = try await access.write(table) {
      // As given, however wide values were read.
      try await access.plan(
        Schema(changes.rows.schema.fields.map { given?[$0.name] ?? $0 }), key: key, partitionedBy: partition,
        orderedBy: ordering, input.owners)
    } _: { table in
      let taken = try await input.taken(changes, by: table)
      try input.storeDeadLetters(besides: &deadLetters)
      do {
        return try await table.remembering(input.owners).apply(taken, scope: .table)
      } catch let error as TableError where error.code == .badRow {
        throw await input.located(error, in: taken, by: table)
      }
    }
    StandardError.write(line: report.line("ingested into", written, deadLetters: input.deadLetters.size))
  }
}
