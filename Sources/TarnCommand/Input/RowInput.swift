import Tarn
import TarnAvro
import TarnCDC
import TarnColumns
import TarnParquet

/// The rows of `--from`: Parquet files and JSON lines, as one batch in the order of the files.
struct RowInput {
  /// A file, by what its first bytes say it holds; one that is called so is Parquet where they say nothing.
  private enum Piece {
    /// With the columns of the null type, which are not among the file's.
    case parquet(String, ParquetFile, untyped: [String])
    case lines(InputSource)
  }

  private let pieces: [Piece]
  private let policy: ErrorPolicy
  private let zone: ZoneConversion
  private let hasZone: Bool
  /// Whether columns get types that hold more where values need them.
  private let widens: Bool
  /// Bytes of memory for writing.
  private let memory: Int
  /// Columns that must be called as their members.
  private let preferred: [String]
  /// Whether only the columns that the rows give are wanted.
  private let isPartial: Bool
  /// The columns that each file gives, where only these are wanted.
  private var given: [(file: String, names: Set<String>)] = []
  /// Which names own which columns.
  private(set) var owners: ColumnOwners
  /// The columns that make partitions.
  private let partition: [String]
  /// The columns of the table that make partitions and order; none of a new one, where the names that come tell.
  private let placing: [String]
  /// Whether the columns are those of all records that are JSON.
  private var isInferred = false
  /// New columns of which the user knows.
  private var announced: Set<String> = []
  /// Records that could not be taken.
  private(set) var deadLetters = DeadLetters()
  /// How many rows each file has, and what makes those of JSON, for reading them again.
  private var counts: [Int] = []
  private var builder: RowBatchBuilder?

  /// Opens the files.
  ///
  /// - Parameters:
  ///   - owners: Which names own which columns of the table, as far as that is known.
  ///   - partition: The columns of the table that make partitions; nil for a new one.
  ///   - ordering: The column that makes its order.
  init(
    _ arguments: Arguments, _ owners: ColumnOwners, partition: [String]?, ordering: String?
  ) async throws {
    self.owners = owners
    self.partition = partition ?? arguments[Options.partitionBy] ?? []
    placing = partition.map { $0 + (ordering.map { [$0] } ?? []) } ?? []
    policy = arguments[Options.onError] ?? .fail
    let given = arguments[Options.zone]
    hasZone = given != nil
    zone = given ?? ZoneConversion()
    widens = arguments.has(Options.widen)
    memory = arguments[Options.memory] ?? TableSettings().memory
    preferred = arguments.namedColumns
    isPartial = arguments.has(Options.partial)
    var pieces: [Piece] = []
    for path in arguments.all(Options.from) {
      let source = try InputSource.file(path)
      if try await source.isParquet() {
        let (file, untyped) = try await ParquetInput.open(
          path, cutsNanoseconds: arguments.has(Options.cutNanoseconds))
        pieces.append(.parquet(path, file, untyped: untyped))
      } else {
        pieces.append(.lines(source))
      }
    }
    self.pieces = pieces
  }

  /// Reads the rows.
  ///
  /// - Parameters:
  ///   - table: The columns of a table that is there.
  ///   - given: The columns that a new table is to have; nil to take those of the files.
  ///   - key: The columns that must have a value.
  mutating func rows(table: Schema?, given: Schema?, key: [String]) async throws -> RecordBatch {
    var batches = [[RecordBatch]](repeating: [], count: pieces.count)
    for (index, piece) in pieces.enumerated() {
      if case .parquet(let path, let file, let untyped) = piece {
        // What the table has a type for is null; of the rest nothing is known.
        let nulls = untyped.compactMap { (table ?? given)?[$0] }
        ParquetInput.sayUntyped(untyped.filter { (table ?? given)?[$0] == nil }, of: path)
        if isPartial { self.given.append((path, Set(file.schema.names + nulls.map(\.name)))) }
        sayZone(file.schema, table)
        if let table { announce(file.schema, of: path, table) }
        let zone = zone
        batches[index] = try await ParquetInput.batches(file, at: path) {
          try BatchJoin.filled(
            try zone.converted($0, table: table), with: nulls.map { Field($0.name, $0.type) })
        }
      }
    }
    let lines = pieces.indices.filter { if case .lines = pieces[$0] { true } else { false } }
    if !lines.isEmpty {
      let known = batches.flatMap { $0.prefix(1).map(\.schema) }
      var schema = table ?? given
      if schema == nil, !known.isEmpty { schema = try BatchJoin.schema(known) }
      isInferred = schema == nil
      let stored = table ?? given
      if widens, let stored { schema = GrowingColumns.parsed(stored) }
      let read = try await readLines(lines, schema ?? Schema([]), key: key, stored: stored)
      for (index, rows) in zip(lines, read) { batches[index] = rows }
    }
    counts = batches.map { $0.reduce(0) { $0 + $1.count } }
    let all = batches.flatMap { $0 }
    // So that the join alone holds the batches, and can let go of each column that it has joined.
    batches = []
    let rows = try BatchJoin.rows(all)
    guard isInferred, deadLetters.count > 0 else { return try partial(rows) }
    // Records that were rejected make no columns.
    return try partial(
      try BatchJoin.withoutEmpty(
        rows, keeping: Set(preferred.map { owners.column(meaning: $0, in: rows.schema) })))
  }

  /// The rows as a stream of batches, for a table that is not there yet; nil where they must be read at once.
  ///
  /// - Parameter given: The columns that the table is to have; nil to take those of the files.
  func stream(given: Schema?) throws -> (schema: Schema, batches: ParquetRows)? {
    var files: [(path: String, file: ParquetFile)] = []
    var left: [[String]] = []
    for piece in pieces {
      guard case .parquet(let path, let file, let untyped) = piece, !isPartial else { return nil }
      files.append((path, file.keepingDictionaries()))
      left.append(untyped.filter { given?[$0] == nil })
    }
    for ((path, file), untyped) in zip(files, left) {
      ParquetInput.sayUntyped(untyped, of: path)
      sayZone(file.schema, nil)
    }
    let schemas = try files.map { try zone.converted(RecordBatch(noneOf: $0.file.schema), table: nil).schema }
    let schema = try BatchJoin.schema(schemas)
    return (schema, ParquetRows(files, zone, schema, memory: memory))
  }

  /// The rows without columns that none of them gives, where only given ones are wanted.
  private func partial(_ rows: RecordBatch) throws -> RecordBatch {
    guard let first = given.first else { return rows }
    for other in given {
      let odd = other.names.symmetricDifference(first.names).subtracting([MetaColumns.isDeleted])
      guard let name = odd.min() else { continue }
      throw CommandError(
        "with --partial all rows give the same columns, but \(first.file) and \(other.file) differ in \(name): "
          + "write them one after the other")
    }
    return try rows.select(
      rows.schema.names.filter { first.names.contains($0) || $0 == MetaColumns.isDeleted })
  }

  /// Takes note of the columns that rows of JSON give.
  private mutating func noteGiven(
    _ builder: RowBatchBuilder, _ told: FoundColumns, _ schema: Schema, _ sources: [InputSource]
  ) throws {
    guard isPartial, builder.taken > 0 else { return }
    let files = sources.map { $0.prefix + $0.name }.joined(separator: ", ")
    var names: Set<String> = []
    let counts = builder.memberCounts + told.newFields.map(\.count)
    for (field, count) in zip(schema.fields, counts) where count > 0 {
      guard count == builder.taken || field.name == MetaColumns.isDeleted else {
        throw CommandError(
          "\(files): with --partial all rows give the same columns, but \(field.name) is in \(count) of "
            + "\(builder.taken) rows: give null to empty it, or write the rows in two batches")
      }
      names.insert(field.name)
    }
    given.append((files, names))
  }

  /// The rows without those that the table refuses, which go to the dead letters where these are wanted.
  mutating func taken(
    _ rows: RecordBatch, by table: Table, columns: WrittenColumns, scope: KeyScope
  ) async throws -> RecordBatch {
    guard case .deadLetter = policy else { return rows }
    let refused = try await table.refusedRows(
      in: ChangeBatch(upserting: rows), columns: columns, scope: scope)
    guard !refused.isEmpty else { return rows }
    var left: [Int] = []
    var start = 0
    for (piece, count) in zip(pieces, counts) {
      let mine = refused.filter { (start..<start + count).contains($0.row) }
      switch piece {
      case _ where mine.isEmpty: break
      case .parquet(let path, _, _):
        for row in mine { deadLetters.append(row.row, of: rows, at: row.row - start, in: path, row.reason) }
        left += mine.map(\.row)
      case .lines(let source):
        guard let builder else { break }
        let reasons = mine.map { ($0.row - start, $0.reason) }
        left += try await RecordInput(sources: [source], policy: policy).refuse(
          Dictionary(reasons, uniquingKeysWith: { first, _ in first }), of: count, by: builder, &deadLetters
        ) { _ = try $0.finish() }.map { $0 + start }
      }
      start += count
    }
    let columns = pieces.flatMap { piece -> [String] in
      if case .parquet(_, let file, _) = piece { file.schema.names } else { [] }
    }
    return try await NewColumns.withoutRefused(
      try rows.gather(rows.rows(without: left)), of: rows, by: table, besides: Set(columns))
  }

  /// What a table says of a row that it does not take, with file, and row or line.
  func located(
    _ error: TableError, in rows: RecordBatch, by table: Table, columns: WrittenColumns, scope: KeyScope
  ) async -> any Error {
    let refused = try? await table.refusedRows(
      in: ChangeBatch(upserting: rows), columns: columns, scope: scope)
    guard let first = refused?.first else { return error }
    var start = 0
    for (piece, count) in zip(pieces, counts) {
      defer { start += count }
      guard (start..<start + count).contains(first.row) else { continue }
      switch piece {
      case .parquet(let path, _, _):
        return CommandError("\(path), row \(first.row - start + 1): \(first.reason)")
      case .lines(let source):
        guard let builder else { return error }
        return await RecordInput(sources: [source], policy: .fail).failure(
          of: first.row - start, first.reason, of: count, by: builder
        ) { _ = try $0.finish() } ?? error
      }
    }
    return error
  }

  /// Stores the records that could not be taken, but for those that were stored before.
  func storeDeadLetters(besides stored: inout StoredDeadLetters) throws {
    try deadLetters.store(policy, besides: &stored)
  }

  private func sources(_ lines: [Int]) -> [InputSource] {
    lines.compactMap { if case .lines(let source) = pieces[$0] { source } else { nil } }
  }

  /// The rows of each file of JSON lines.
  ///
  /// Members without column make new ones: all of them where nothing tells the columns. Then the first reading knows no
  /// key, and its rows are those wanted where all of them have one.
  private mutating func readLines(
    _ lines: [Int], _ schema: Schema, key: [String], stored: Schema?
  ) async throws -> [[RecordBatch]] {
    let texts = (key + partition).map { owners.column(meaning: $0, in: schema) }
    // Whether or not the table has it, by this column a row may say that it is deleted.
    let known = schema
    let all = NewColumns.withDeletion(schema)
    var columns = widens ? GrowingColumns(all, widening: stored, texts: texts) : GrowingColumns(all)
    let before = (schema: columns.schema, owners: owners)
    var knowsKey = !isInferred
    while true {
      let keyFields = key.map { owners.column(meaning: $0, in: columns.schema) }
      var builder: RowBatchBuilder
      do {
        builder = try RowBatchBuilder(
          schema: columns.schema, keyFields: knowsKey ? keyFields : [], unknown: .leaveOut, owners: owners,
          placing: placing, widening: columns.widening, utcOffset: hasZone ? zone.offset : nil,
          countsMembers: isPartial, preferred: preferred)
      } catch {
        throw CommandError(error.description)
      }
      deadLetters = DeadLetters()
      self.builder = builder
      builder.keepsNewValues = true
      var found: [RecordBatch] = []
      var counts: [Int] = []
      for source in sources(lines) {
        let count = found.count
        try await RecordInput(sources: [source], policy: policy).read(into: &builder, &deadLetters) {
          found.append(try $0.finish())
        }
        counts.append(found.count - count)
      }
      let told = builder.found
      owners = told.owners
      NewColumns.say(told.newFields, isTable: stored != nil, known: announced)
      columns.grow(by: told)
      let complete = builder.completed(found)
      let isKeyed = knowsKey || (complete ?? []).allSatisfy { hasKeys($0, key) }
      knowsKey = true
      guard let complete, isKeyed else { continue }
      NewColumns.sayOwners(owners, before.owners, before.schema)
      if let line = UntypedNames.warning(told.untypedNames) { StandardError.note(line) }
      try noteGiven(builder, told, columns.schema, sources(lines))
      if !hasZone { ZoneConversion.sayUTC(told.zonelessColumns) }
      var rest = complete[...]
      return try counts.map { count in
        defer { rest = rest.dropFirst(count) }
        return try rest.prefix(count).map { try NewColumns.withoutIdleDeletion($0, known) }
      }
    }
  }

  /// Whether every row has a key, as builders that know its columns ask.
  private func hasKeys(_ rows: RecordBatch, _ key: [String]) -> Bool {
    let columns = key.map { owners.column(meaning: $0, in: rows.schema) }.compactMap { rows[$0] }
    guard columns.count == key.count else { return false }
    let parts = columns.map { (column: $0, texts: $0.type == .string ? $0.strings : nil) }
    return (0..<rows.count).allSatisfy { row in
      parts.contains { column, texts in !column.isNull(row) && texts.map { $0.length(row) > 0 } ?? true }
    }
  }

  /// Says which columns of a Parquet file the table does not have.
  private mutating func announce(_ schema: Schema, of path: String, _ table: Schema) {
    for field in schema.fields where table[field.name] == nil && !MetaColumns.isReserved(field.name) {
      guard announced.insert(field.name).inserted else { continue }
      StandardError.note("column \(field.name) (\(field.type.name)) is new, found in \(path)")
    }
  }

  private func sayZone(_ schema: Schema, _ table: Schema?) {
    let columns = schema.fields.filter { ZoneConversion.isConverted($0, table: table) }.map(\.name)
    if !hasZone { ZoneConversion.sayUTC(columns) }
  }
}
