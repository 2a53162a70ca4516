import Tarn
import TarnAvro
import TarnColumns
import TarnParquet
import TarnStorage
import TarnTimeline

/// The table that a command is about.
struct TableAccess {
  let path: String
  let location: TableLocation
  private let named: UserLocation
  let arguments: Arguments
  /// The buckets that are given.
  private let buckets: Buckets?

  init(_ arguments: Arguments) throws {
    self.arguments = arguments
    path = arguments.operands.first ?? ""
    guard !path.isEmpty else { throw UsageError("TABLE is empty") }
    named = try UserLocation(path)
    guard named.kind != .file else {
      throw CommandError("\(path): it is a file; name the table's folder")
    }
    buckets = arguments[Options.buckets].map {
      Buckets(count: $0, fields: arguments[Options.bucketField] ?? [])
    }
    guard buckets != nil || !arguments.has(Options.bucketField) else {
      throw UsageError("--bucket-field needs --buckets N")
    }
    location = try named.table(synchronizes: !arguments.has(Options.noSync))
  }

  private var settings: TableSettings {
    var settings = TableSettings()
    settings.observer = CommandObserver(log: arguments[Options.log] ?? .notes)
    if let memory = arguments[Options.memory] { settings.memory = memory }
    if let retries = arguments[Options.retries] { settings.retries = retries }
    settings.runsServices = !arguments.has(Options.noServices)
    if let lock = arguments[Options.lock] { settings.lock = lock }
    settings.buckets = buckets
    settings.widensColumns = arguments.has(Options.widen)
    settings.cutsNanoseconds = arguments.has(Options.cutNanoseconds)
    return settings
  }

  /// What the commits of the command carry.
  private var options: WriteOptions { WriteOptions(transaction: arguments[Options.transaction]) }

  /// Runs a body, and puts the table's folder before what it says about the table.
  func located<Result>(_ body: () async throws -> Result) async throws -> Result {
    do { return try await body() } catch let error as TableError {
      let text = error.description
      throw text.hasPrefix(path + ":") || text.hasPrefix(path.hasSuffix("/") ? path : path + "/")
        ? CommandError(text, error.code) : CommandError("\(path): \(text)", error.code)
    } catch let error as ParquetError where error.path != StandardOutput.name {
      throw CommandError("\(path): \(error)")
    }
  }

  /// Runs a body with this access, as ``located(_:)`` does.
  func located<Result>(_ body: (TableAccess) async throws -> Result) async throws -> Result {
    try await located { try await body(self) }
  }

  /// Opens the table.
  func open() async throws -> Table {
    try await located { try await Table.open(at: location, settings: settings).writing(options) }
  }

  /// Opens the table for a write; nil where there is none and it is to be created.
  ///
  /// - Throws: ``CommandError`` where an option for new tables is given that contradicts the table.
  func openForWriting() async throws -> Table? {
    let table: Table
    do { table = try await Table.open(at: location, settings: settings).writing(options) } catch {
      guard error.code == .noTable else { throw CommandError("\(path): \(error)") }
      if arguments.has(Options.create) {
        try refuseWhatComesLater()
        return nil
      }
      throw CommandError("\(path): there is no table; create it first, or give --create")
    }
    try await located { try TableAgreement(path: path, arguments: arguments).check(table.properties) }
    return table
  }

  /// Refuses kinds of tables that Tarn does not write yet.
  func refuseWhatComesLater() throws {
    if arguments[Options.type] == "mor" {
      throw CommandError("--type mor: merge-on-read tables are not written yet; leave the option out")
    }
    if let version = arguments[Options.tableVersion], version != "6" {
      throw CommandError("--table-version \(version) is not written yet; leave the option out for version 6")
    }
  }

  /// Which names own which columns of a table; nil stands for a new one.
  func owners(of table: Table?) throws -> ColumnOwners {
    guard let table else { return ColumnOwners() }
    do { return try table.properties.columnOwners() } catch { throw CommandError("\(path): \(error)") }
  }

  /// Plans the table, which its first write creates.
  func plan(
    _ schema: Schema, key: [String], partitionedBy partition: [String], orderedBy ordering: String?,
    thenBy ties: [String] = [],
    _ owners: ColumnOwners = ColumnOwners()
  ) async throws -> Table {
    var options = TableOptions()
    options.columnOwners = owners
    options.name = arguments[Options.name]
    options.hiveStylePartitions = !arguments.has(Options.noHiveStyle)
    options.encodesPartitionPaths = !arguments.has(Options.noURLEncode)
    options.populatesMetaColumns = !arguments.has(Options.noMetaColumns)
    if let bloom = arguments[Options.bloom] { options.bloomFilter = bloom }
    if let size = arguments[Options.targetFileSize] { options.tarn.targetFileSize = size }
    if let limit = arguments[Options.smallFileLimit] { options.tarn.smallFileLimit = limit }
    options.tarn.hasKeyIndex = !arguments.has(Options.noKeyIndex)
    if let retention = arguments[Options.keep] { options.tarn.retention = retention }
    if let files = arguments[Options.clusterBeyond] { options.tarn.mostSmallFiles = files }
    if let hours = arguments[Options.tombstoneRetention] { options.tarn.tombstoneRetentionHours = hours }
    options.tarn.buckets = buckets
    options.tarn.tieBreakers = ties
    return try await located {
      try Table.planned(
        at: location, schema: schema, recordKey: key, partitionedBy: partition,
        orderedBy: ordering, options: options, settings: settings
      ).writing(self.options)
    }
  }

  /// The schema that `--schema` or `--like` gives; nil where neither is there.
  func givenSchema() async throws -> Schema? {
    switch (arguments[Options.schema], arguments[Options.like]) {
    case (nil, nil): return nil
    case (_?, _?): throw UsageError("give --schema or --like, not both")
    case (let file?, nil):
      let source = try InputSource.file(file)
      let bytes = try await source.located { try await source.storage.readAll(source.name) }
      do { return MetaColumns.removed(from: try AvroSchema.parse(bytes)) } catch {
        throw CommandError("\(file): \(error)")
      }
    case (nil, let file?):
      let (opened, untyped) = try await ParquetInput.open(file)
      ParquetInput.sayUntyped(untyped, of: file)
      return MetaColumns.removed(from: opened.schema)
    }
  }

  /// The columns of a table, and behind them those of `--schema` or `--like` that it lacks.
  ///
  /// - Throws: ``CommandError`` where a column has another type there, or could not be added.
  func joined(_ present: Schema, with given: Schema?) throws -> Schema {
    guard let given else { return present }
    let option = arguments.has(Options.schema) ? Options.schema : Options.like
    return try TableAgreement(path: path, arguments: arguments).joined(
      present, with: given, of: "--\(option.usage.name) \(arguments[option] ?? "")")
  }

  /// Runs a command that creates its table where there is none, and begins it again where another process was faster.
  func untilSettled(_ body: (inout StoredDeadLetters) async throws -> Void) async throws {
    var deadLetters = StoredDeadLetters()
    for _ in 0..<Self.attempts {
      do { return try await body(&deadLetters) } catch is OvertakenError { continue }
    }
    throw CommandError(
      "\(path): other processes create this table and remove it again and again; try again")
  }

  /// How often a command begins again.
  private static let attempts = 8

  /// Writes into the table, which is created by that where it is not there.
  ///
  /// - Throws: ``OvertakenError`` where there is another table now than when the command began.
  func write(
    _ table: Table?, planning plan: () async throws -> Table, _ body: (Table) async throws -> CommitReport
  ) async throws -> (Table, CommitReport) {
    let target = if let table { table } else { try await plan() }
    do { return (target, try await located { try await body(target) }) } catch let error as CommandError
      where error.code == .tableExists && table == nil
    {
      throw OvertakenError()
    }
  }
}

/// There is another table than when a command with `--create` began, so that it begins again.
struct OvertakenError: Error {}
