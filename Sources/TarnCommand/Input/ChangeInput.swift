import Tarn
import TarnCDC
import TarnColumns

/// The changes of `--changes`, as one batch.
struct ChangeInput {
  private let input: RecordInput
  private let zone: ZoneConversion?
  /// Whether columns get types that hold more where values need them.
  private let widens: Bool
  /// Whether columns that are found may be of timestamps.
  private let recognizesTimes: Bool
  /// The DynamoDB table whose records are taken.
  private let dynamoDBTable: String?
  /// How the records are written; nil where each tells that.
  private let shape: ChangeShape?
  /// Which names own which columns.
  private(set) var owners: ColumnOwners
  /// What tells the columns of a new table.
  private var inferred: Inferred?
  /// Records that could not be taken.
  private(set) var deadLetters = DeadLetters()
  /// Makes the rows, for reading the records again.
  private var builder: ChangeBatchBuilder?

  /// - Parameter owners: Which names own which columns of the table, as far as that is known.
  init(_ arguments: Arguments, _ owners: ColumnOwners) async throws {
    self.owners = owners
    dynamoDBTable = arguments[Options.dynamoDBTable]
    shape = arguments[Options.shape]
    widens = arguments.has(Options.widen)
    recognizesTimes = arguments.has(Options.recognizeTimes)
    var sources: [InputSource] = []
    for path in arguments.all(Options.changes) { sources.append(try await InputSource.changes(path)) }
    input = RecordInput(sources: sources, policy: arguments[Options.onError] ?? .fail)
    zone = arguments[Options.zone]
  }

  /// What records said of columns.
  private struct Inferred {
    /// Whether all of them were asked, or the first ones alone.
    let isFromAll: Bool
    /// What is to be said of the columns once all records have been read.
    let notes: [String]
  }

  /// How many records tell the columns of a new table before any becomes a row.
  ///
  /// What later ones bring is found on the way, and only where one does not fit are all of them asked first.
  private static let sample = 10_000

  /// What the records themselves say of their columns: the first of them, or all where these did not tell enough.
  ///
  /// - Parameter preferred: Columns that must be called as their attributes.
  mutating func inferred(preferred: [String]) async throws -> (schema: Schema, key: [String]) {
    var inference = SchemaInference(.changeRecords, preferred: preferred, table: dynamoDBTable, shape: shape)
    inference.recognizesTimes = recognizesTimes
    var ignored = DeadLetters(isCounting: true)
    var part = input
    if inferred == nil { part.limit = Self.sample }
    try await part.read(into: &inference, &ignored)
    guard inference.count > 0 else {
      throw CommandError(
        "\(input.names): no change records are there, from which columns could be inferred (--schema gives them)"
      )
    }
    owners = inference.owners
    inferred = Inferred(isFromAll: !inference.isFull(limit: part.limit), notes: inference.warnings)
    return (inference.schema, inference.keyFields)
  }

  /// The key that the first record names, as columns of a schema.
  ///
  /// - Throws: ``CommandError`` where the schema lacks one of them.
  func key(in schema: Schema) async throws -> [String] {
    var first = input
    first.limit = 1
    var inference = SchemaInference(.changeRecords, table: dynamoDBTable, shape: shape)
    var ignored = DeadLetters(isCounting: true)
    try await first.read(into: &inference, &ignored)
    let columns = inference.keyFields
    for (name, column) in zip(inference.keyNames, columns) where schema[column] == nil {
      let shown = name == column ? column : "\(column), as the column of \(name.debugDescription) is called"
      throw CommandError(
        "\(input.names): the records' key is \(name.debugDescription), and there is no column \(shown): "
          + "add it to the columns that are given, or name another key (--key)")
    }
    return columns
  }

  /// Says which files of the folders are not read.
  func sayLeft() async throws { try await input.sayLeft() }

  /// Reads the changes, with columns for the attributes that have none yet.
  ///
  /// - Returns: Nil where the first records inferred columns into which others do not fit: all records are then to be
  ///   asked for them.
  mutating func changes(
    _ schema: Schema, key: [String], partition: [String], ordering: String?
  ) async throws -> ChangeBatch? {
    guard let inferred, !inferred.isFromAll else {
      return try await read(schema, key: key, partition: partition, ordering: ordering)
    }
    // Whatever is wrong with a record, it is told by the columns of all.
    return try? await read(schema, key: key, partition: partition, ordering: ordering)
  }

  private mutating func read(
    _ schema: Schema, key: [String], partition: [String], ordering: String?
  ) async throws -> ChangeBatch? {
    var notes = inferred?.notes ?? []
    let isFromFirst = inferred.map { !$0.isFromAll } ?? false
    // Columns get wider than all records make them, not than the first ones do.
    let widens = widens && !isFromFirst
    var columns =
      widens
      ? GrowingColumns(GrowingColumns.parsed(schema), widening: schema, texts: key + partition)
      : GrowingColumns(schema)
    let before = (schema: columns.schema, owners: owners)
    while true {
      var builder: ChangeBatchBuilder
      do {
        builder = try ChangeBatchBuilder(
          schema: columns.schema, keyFields: key, partitionFields: partition, orderingField: ordering,
          owners: owners, table: dynamoDBTable, widening: columns.widening, utcOffset: zone?.offset,
          shape: shape)
      } catch {
        throw CommandError(error.description)
      }
      deadLetters = DeadLetters()
      self.builder = builder
      builder.keepsNewValues = true
      builder.recognizesTimes = recognizesTimes
      var batches: [ChangeBatch] = []
      try await input.read(into: &builder, &deadLetters) { batches.append(try $0.finish()) }
      let told = builder.found
      if isFromFirst {
        let haveChanged = before.schema.names.contains {
          told.owners.kinds(of: $0) != before.owners.kinds(of: $0)
        }
        if deadLetters.count > 0 || haveChanged { return nil }
      }
      owners = told.owners
      for note in notes { StandardError.note(note) }
      notes = []
      NewColumns.say(told.newFields, isTable: inferred == nil)
      columns.grow(by: told)
      guard let complete = builder.completed(batches) else { continue }
      say(told, builder.counts, since: before)
      let changes = try BatchJoin.changes(complete, schema: columns.schema)
      return inferred == nil
        ? changes : try created(changes, keeping: key + partition + (ordering.map { [$0] } ?? []))
    }
  }

  /// The changes as those of a new table: the event columns stand behind the others, and records that were rejected
  /// make no columns.
  private func created(_ changes: ChangeBatch, keeping roles: [String]) throws -> ChangeBatch {
    let events = EventColumn.fields.map(\.name)
    let names = changes.rows.schema.names
    var rows = try changes.rows.select(
      names.filter { !events.contains($0) } + names.filter { events.contains($0) })
    if deadLetters.count > 0 { rows = try BatchJoin.withoutEmpty(rows, keeping: Set(roles + events)) }
    return try ChangeBatch(rows: rows, isDelete: changes.isDelete)
  }

  /// Says what the user should know of the records.
  private func say(
    _ told: FoundColumns, _ counts: ChangeCounts, since before: (schema: Schema, owners: ColumnOwners)
  ) {
    NewColumns.sayOwners(owners, before.owners, before.schema)
    if let line = UntypedNames.warning(told.untypedNames) { StandardError.note(line) }
    if zone == nil { ZoneConversion.sayUTC(told.zonelessColumns) }
    if counts.timesInSeconds > 0, counts.finerTimes > 0 {
      StandardError.note(
        "\(counts.timesInSeconds) records have times of whole seconds, as DynamoDB Streams writes them, and "
          + "\(counts.finerTimes) have finer ones: within a second the finer ones count as later, whatever came first; "
          + "take the changes of a table from one stream")
    }
    if counts.otherTables > 0 {
      StandardError.note(
        "\(counts.otherTables) records of other DynamoDB tables were passed over")
    }
  }

  /// The changes without those that the table refuses, whose records go to the dead letters where these are wanted.
  mutating func taken(_ changes: ChangeBatch, by table: Table) async throws -> ChangeBatch {
    guard case .deadLetter = input.policy, let builder else { return changes }
    let refused = try await table.refusedRows(in: changes)
    guard !refused.isEmpty else { return changes }
    let left = try await input.refuse(
      Dictionary(refused.map { ($0.row, $0.reason) }, uniquingKeysWith: { first, _ in first }),
      of: changes.count, by: builder, &deadLetters
    ) { _ = try $0.finish() }
    let taken = try changes.without(left)
    return try ChangeBatch(
      rows: try await NewColumns.withoutRefused(taken.rows, of: changes.rows, by: table),
      isDelete: taken.isDelete)
  }

  /// What a table says of a row that it does not take, with the file and line of its record.
  func located(_ error: TableError, in changes: ChangeBatch, by table: Table) async -> any Error {
    guard let builder, let first = try? await table.refusedRows(in: changes).first else { return error }
    let input = RecordInput(sources: input.sources, policy: .fail)
    return await input.failure(of: first.row, first.reason, of: changes.count, by: builder) {
      _ = try $0.finish()
    } ?? error
  }

  /// Stores the records that could not be taken, but for those that were stored before.
  func storeDeadLetters(besides stored: inout StoredDeadLetters) throws {
    try deadLetters.store(input.policy, besides: &stored)
  }
}
