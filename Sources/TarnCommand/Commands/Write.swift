import Tarn
import TarnCDC
import TarnColumns
import TarnTimeline

/// `tarn upsert` and `tarn insert`.
enum WriteCommand {
  static let upsert = command(
    "upsert", "Inserts rows whose keys are new, and replaces those whose keys are there.",
    notes: [
      "Of rows with one key the greatest value of the ordering column stays, also against the stored row.",
      "With --partial, stored rows keep their values in columns that the files do not have. Without the ordering "
        + "column a row counts as newer than the stored one; without the partition columns its key is looked for in "
        + "all partitions. All rows give the same columns.",
      "With --global, keys are looked for in all partitions, as Hudi's global indexes do.",
    ], more: [Options.partial, Options.global]
  ) { table, rows, arguments in
    (
      try await table.upsert(rows, columns: arguments.writtenColumns, scope: arguments.keyScope),
      "upserted into"
    )
  }

  static let insert = command(
    "insert", "Adds rows without looking their keys up: for rows known to be new.",
    notes: [
      "A key that is there already is there twice afterwards; upsert looks keys up.",
      "With --overwrite, the rows replace what is there, which is read as of earlier commits until a clean removes its "
        + "files; --dry-run prints these, one a line, and does nothing.",
    ], more: [Options.overwrite, Options.isDryRun], streams: true
  ) { table, rows, arguments in
    guard let extent = arguments[Options.overwrite] else {
      guard !arguments.has(Options.isDryRun) else { throw UsageError("--dry-run needs --overwrite") }
      return (try await table.insert(rows), "inserted into")
    }
    let isPlan = arguments.has(Options.isDryRun)
    let report = try await table.overwrite(rows, extent, isPlan: isPlan)
    if isPlan {
      for file in report.replacedFiles { try StandardOutput.write(Readable.printable(file) + [0x0a]) }
    }
    return (report, isPlan ? "would replace \(report.replaced) files of" : "overwrote in")
  }

  private typealias Write = @Sendable (Table, RecordBatch, Arguments) async throws -> (CommitReport, String)

  private static func command(
    _ name: String, _ summary: String, notes: [String], more: [any DeclaredOption] = [],
    streams: Bool = false, _ write: @escaping Write
  ) -> Command {
    Command(
      name: name, summary: summary,
      options: [Options.from.required()] + more + [Options.create] + Options.creation
        + [
          Options.widen, Options.zone, Options.cutNanoseconds, Options.onError, Options.memory,
          Options.retries, Options.noServices, Options.lock, Options.transaction,
          Options.noSync,
        ],
      notes: [
        "Several files are one batch and one commit. Columns that the table does not have are added to it. "
          + notes[0]
      ] + notes.dropFirst() + [
        "With --create, the columns of a new table are those of the files, unless --schema or --like gives them."
      ]
    ) { try await run($0, streams: streams, write) }
  }

  private static func run(_ arguments: Arguments, streams: Bool, _ write: Write) async throws {
    let access = try TableAccess(arguments)
    try await access.untilSettled { deadLetters in
      try await run(access, &deadLetters, streams: streams, write)
    }
  }

  private static func run(
    _ access: TableAccess, _ stored: inout StoredDeadLetters, streams: Bool, _ write: Write
  ) async throws {
    let arguments = access.arguments
    let table = try await access.openForWriting()
    let given = try await access.givenSchema()
    var schema: Schema?
    if let table {
      let present = try await access.located { try await table.schema() }
      schema = try access.joined(present, with: given)
    }
    guard let named = table?.properties.recordKeyFields ?? arguments[Options.key] else {
      throw UsageError("\(Options.key.usage.text) is missing, which --create needs")
    }
    var input = try await RowInput(
      arguments, try access.owners(of: table), partition: table?.properties.partitionFields,
      ordering: table?.properties.orderingField)
    // Which columns are to be widened is known only when all rows have been read.
    let readsAll = arguments.has(Options.widen) && given != nil
    if streams, table == nil, !readsAll, !arguments.has(Options.isDryRun),
      let (found, batches) = try input.stream(given: given)
    {
      try await load(batches, found, given, named, access, &stored)
      return
    }
    var rows = try await input.rows(table: schema, given: given, key: named)
    let column = { [owners = input.owners, schema = given ?? rows.schema] (name: String) in
      owners.column(meaning: name, in: schema)
    }
    let (key, partition) = (named.map(column), (arguments[Options.partitionBy] ?? []).map(column))
    let ordering = arguments[Options.orderBy].map(column)
    if table != nil, let given, let schema, !arguments.has(Options.partial) {
      // Which values of other types fit, the table tells row by row.
      let lacking = schema.fields.filter { given[$0.name] != nil && rows.schema[$0.name] == nil }
      rows = try BatchJoin.filled(rows, with: lacking)
    }
    var verb = ""
    let (written, report) = try await access.write(table) {
      try await access.plan(
        given ?? NewColumns.stored(rows.schema), key: key, partitionedBy: partition, orderedBy: ordering,
        thenBy: (arguments[Options.thenBy] ?? []).map(column), input.owners)
    } _: { table in
      let (columns, scope) = (arguments.writtenColumns, arguments.keyScope)
      let taken = try await input.taken(rows, by: table, columns: columns, scope: scope)
      try input.storeDeadLetters(besides: &stored)
      do {
        let (report, word) = try await write(table.remembering(input.owners), taken, arguments)
        verb = word
        return report
      } catch let error as TableError where error.code == .badRow {
        throw await input.located(error, in: taken, by: table, columns: columns, scope: scope)
      }
    }
    StandardError.write(line: report.line(verb, written, deadLetters: input.deadLetters.size))
  }

  /// Creates a table and fills it with rows as they are read.
  private static func load(
    _ batches: ParquetRows, _ found: Schema, _ given: Schema?, _ key: [String], _ access: TableAccess,
    _ stored: inout StoredDeadLetters
  ) async throws {
    do {
      var deadLetters = DeadLetters()
      let (written, report) = try await access.write(nil) {
        try await access.plan(
          given ?? NewColumns.stored(found), key: key,
          partitionedBy: access.arguments[Options.partitionBy] ?? [],
          orderedBy: access.arguments[Options.orderBy], thenBy: access.arguments[Options.thenBy] ?? [])
      } _: { table in
        let taken = TakenRows(batches, by: table, access.arguments[Options.onError] ?? .fail, stored)
        do {
          let report = try await table.insert(found) { try await taken.next() }
          deadLetters = await taken.deadLetters
          return report
        } catch {
          stored = await taken.stored
          guard let error = error as? TableError, error.code == .badRow else { throw error }
          throw await taken.located(error)
        }
      }
      StandardError.write(line: report.line("inserted into", written, deadLetters: deadLetters.size))
    } catch {
      throw await batches.failure ?? error
    }
  }
}

extension Arguments {
  /// The columns of stored rows that are written.
  fileprivate var writtenColumns: WrittenColumns { has(Options.partial) ? .given : .all }

  /// Within what a key is unique.
  fileprivate var keyScope: KeyScope { has(Options.global) ? .table : .partition }
}
