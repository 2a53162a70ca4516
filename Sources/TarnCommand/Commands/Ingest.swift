import Tarn
import TarnCDC
import TarnColumns
import TarnTimeline

/// `tarn ingest`.
enum IngestCommand {
  static let command = Command(
    name: "ingest", summary: "Applies DynamoDB change records in one commit.",
    options: [Options.changes.required(), Options.shape, Options.dynamoDBTable, Options.create]
      + Options.creation + [
        Options.widen, Options.recognizeTimes, Options.zone, Options.cutNanoseconds, Options.onError,
        Options.memory, Options.retries,
        Options.noServices,
        Options.lock,
        Options.transaction, Options.noSync,
      ],
    notes: [
      "Records are those of Kinesis Data Streams for DynamoDB and of DynamoDB Streams, lines of table exports, of "
        + "Debezium and of AWS DMS, or attributes with event_name beside them, also within events of Lambda, answers of "
        + "GetRecords and what Firehose could not deliver, in files that may be compressed (gzip, zstd, ZIP, Snappy), whatever their "
        + "names. INSERT and MODIFY upsert, REMOVE deletes; a key is unique "
        + "over the whole table. Of a folder all files are taken but hidden ones and markers such as _SUCCESS; of a table "
        + "export, its folder or manifest-summary.json, those that its manifest lists.",
      "With --create, the columns of a new table are inferred from these records unless --schema or --like gives "
        + "them, the key is that of the records unless --key gives it, _event_id, _event_name, _event_time "
        + "and _event_sequence are added, and rows are ordered by _event_time unless --order-by says otherwise. Rows that "
        + "are equal in that are ordered by _event_time and _event_sequence, unless --then-by says otherwise; so are "
        + "deletions that do not tell the column, as those of keys alone. _event_sequence is the stream's sequence number: "
        + "40 digits for DynamoDB Streams, 56 for Kinesis, with the place in an aggregated record.",
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
    let given = try await access.givenSchema()
    let (roles, changes) = try await changes(&input, access, of: table, given)
    let (written, report) = try await access.write(table) {
      // As given, however wide values were read.
      try await access.plan(
        Schema(changes.rows.schema.fields.map { given?[$0.name] ?? $0 }), key: roles.key,
        partitionedBy: roles.partition, orderedBy: roles.ordering, thenBy: roles.ties, input.owners)
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

  /// The columns with a meaning.
  private struct Roles {
    var key: [String]
    var partition: [String]
    var ordering: String?
    var ties: [String] = []
  }

  /// Reads the changes, for a table or for one that is to be made.
  private static func changes(
    _ input: inout ChangeInput, _ access: TableAccess, of table: Table?, _ given: Schema?
  ) async throws -> (Roles, ChangeBatch) {
    while true {
      let (schema, roles) = try await columns(&input, access, of: table, given)
      let changes = try await input.changes(
        schema, key: roles.key, partition: roles.partition, ordering: roles.ordering)
      if let changes { return (roles, changes) }
    }
  }

  /// The columns for which the changes are read.
  private static func columns(
    _ input: inout ChangeInput, _ access: TableAccess, of table: Table?, _ given: Schema?
  ) async throws -> (Schema, Roles) {
    let arguments = access.arguments
    if let table {
      let present = try await access.located { try await table.schema() }
      let properties = table.properties
      return (
        try access.joined(present, with: given),
        Roles(
          key: properties.recordKeyFields, partition: properties.partitionFields,
          ordering: properties.orderingField)
      )
    }
    var schema: Schema
    var key: [String]?
    if let given {
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
    guard let key = key ?? arguments[Options.key]?.map(column), !key.isEmpty else {
      throw UsageError("\(Options.key.usage.text) is missing, and no record names its key")
    }
    let ordering = column(arguments[Options.orderBy] ?? EventColumn.time)
    let roles = Roles(
      key: key, partition: (arguments[Options.partitionBy] ?? []).map(column), ordering: ordering,
      ties: arguments[Options.thenBy]?.map(column)
        ?? [EventColumn.time, EventColumn.sequence].filter { $0 != ordering })
    return (schema, roles)
  }
}
