import TarnColumns
import TarnFileGroups
import TarnStorage
import TarnTimeline

/// An Apache Hudi copy-on-write table that this process reads and writes.
///
/// ```swift
/// let table = try await Table.create(
///   at: .local("lake/trades"), schema: schema,
///   recordKey: ["transaction_id"], partitionedBy: ["exchange"], orderedBy: "timestamp")
/// let commit = try await table.upsert(batch)
/// for try await batch in try await table.snapshot().select("price").where(.column("price") > 100) { }
/// ```
///
/// A table value holds no state but its place, and footers of base files, which never change: each call looks at the
/// storage anew, so several values, processes and engines may use one table. One writer of Tarn's writes at a time,
/// and others wait for it; other engines do not know its lock, and must not write at the same time.
///
/// A write that throws has left the table as it was, with one exception that has a code of its own: after
/// ``TableError/Code/outcomeUnknown`` the write stands or may stand.
public struct Table: Sendable {
  /// Where the table lives.
  public let location: TableLocation
  /// The properties as they were when the table was created or opened.
  public let properties: TableProperties
  /// How this process works on it.
  public let settings: TableSettings

  /// The footers that writes met.
  let footers: FooterCache
  /// The footers that were read last, which are fewer: what reads goes through many files, and comes back to few.
  let readFooters: FooterCache
  /// The properties file as this value created it; nil for a table that was opened.
  let creation: [UInt8]?
  /// Which names own which columns, to be stored before a commit.
  private(set) var owners: ColumnOwners?

  init(
    location: TableLocation, properties: TableProperties, settings: TableSettings, creation: [UInt8]? = nil
  ) {
    self.creation = creation
    self.location = location
    self.properties = properties
    self.settings = settings
    footers = FooterCache(memory: settings.memory, cutsNanoseconds: settings.cutsNanoseconds)
    readFooters = FooterCache(
      memory: settings.memory / Self.readingShare, cutsNanoseconds: settings.cutsNanoseconds)
  }

  /// The share of the footers that writes keep which reading keeps.
  private static let readingShare = 16

  /// The same table, which remembers which names own which columns.
  ///
  /// A write stores what the table's properties do not have yet, before the commit that needs it, and fails with code
  /// `conflict` where another writer has given such a name or column away meanwhile.
  public func remembering(_ owners: ColumnOwners) -> Table {
    var table = self
    table.owners = owners
    return table
  }

  var storage: any Storage { location.storage }

  /// Opens a table.
  ///
  /// - Parameters:
  ///   - location: The table's place.
  ///   - settings: How this process works on it.
  /// - Throws: ``TableError``: `noTable` where there is none, `damaged` where its properties cannot be
  ///   trusted, `unsupported` for a table version other than 6.
  public static func open(
    at location: TableLocation, settings: TableSettings = TableSettings()
  ) async throws(TableError) -> Table {
    let properties = try await tableErrors { try await TableProperties.load(from: location.storage) }
    return Table(location: location, properties: properties, settings: settings)
  }

  /// Creates a table without rows.
  ///
  /// - Parameters:
  ///   - location: A place where no table is yet.
  ///   - schema: The data columns; 8- and 16-bit integers become 32-bit ones, local timestamps instants.
  ///   - recordKey: The columns whose values name a row.
  ///   - partition: The columns by whose values rows are kept in folders.
  ///   - ordering: The column that decides which of two rows with one key is newer; nil for the later one.
  ///   - options: Choices that stay with the table.
  ///   - settings: How this process works on it.
  /// - Throws: ``TableError``: `tableExists`, also where another process was faster; `mismatch` where the key, partition
  ///   or ordering columns do not fit the schema; `unsupported` for nested columns; `outcomeUnknown` where the table may
  ///   have been created.
  public static func create(
    at location: TableLocation, schema: Schema, recordKey: [String], partitionedBy partition: [String] = [],
    orderedBy ordering: String? = nil, options: TableOptions = TableOptions(),
    settings: TableSettings = TableSettings()
  ) async throws(TableError) -> Table {
    let schema = SchemaEvolution.tableSchema(schema)
    let definition = TableDefinition(
      name: options.name ?? TableDefinition.name(from: location.lastComponent), schema: schema,
      recordKey: recordKey, partition: partition, ordering: ordering, options: options)
    do { try definition.check() } catch { throw error.of(definition.name) }
    let properties = definition.properties()
    let bytes: [UInt8]
    do {
      bytes = try await properties.create(in: location.storage, now: settings.now())
    } catch { throw TableError(error).of(definition.name) }
    for name in partition {
      guard case .timestamp? = schema[name]?.type else { continue }
      settings.warn(
        "partition column \(name) is a time: Spark takes the folder's name for the value and shows null or another "
          + "time; partition by a date or a text to read it there")
    }
    return Table(location: location, properties: properties, settings: settings, creation: bytes)
  }

  /// Takes back the creation of this table, if nothing has come of it.
  ///
  /// Only what this value made goes, and only while it is as it was made: the properties are the very file that was
  /// put, the timeline has no action, and nobody holds the table's lock. Another process that has opened the table
  /// meanwhile either has begun to write, and then everything stays, or finds no table when it gets the lock.
  ///
  /// - Returns: Whether the table is gone.
  package func takeBackCreation() async -> Bool {
    guard let creation, let locks = try? location.lockProvider(of: storage),
      let lock = try? await locks.lock(TablePaths.writerLock, patience: .zero)
    else { return false }
    let isGone = (try? await removeWhileUnused(creation)) ?? false
    await lock.release()
    return isGone
  }

  private func removeWhileUnused(_ creation: [UInt8]) async throws -> Bool {
    let own = [TablePaths.properties, TablePaths.writerLock]
    let isUnused = try await storage.listAll(prefix: TablePaths.folder).objects
      .allSatisfy { own.contains($0.path) }
    guard isUnused, try await storage.readAll(TablePaths.properties) == creation else { return false }
    // The lock's file last: whoever waits for it finds that it is gone, and makes another.
    for path in own { try await storage.delete(path) }
    return true
  }

  /// The table's data columns, without meta columns.
  ///
  /// - Throws: ``TableError`` where the table cannot be read.
  public func schema() async throws(TableError) -> Schema {
    do { return try await TableState.load(storage).requireSchema() } catch { throw error.of(properties.name) }
  }

  /// The table's commits, and what else stands on its timeline.
  ///
  /// - Throws: ``TableError`` where the table cannot be read.
  public func timeline() async throws(TableError) -> Timeline {
    do { return try await Timeline.load(from: storage) } catch { throw TableError(error).of(properties.name) }
  }

  /// What a completed commit wrote.
  ///
  /// - Throws: ``TableError`` where the commit cannot be read.
  public func metadata(of entry: TimelineEntry) async throws(TableError) -> CommitMetadata {
    do { return try await CommitLog(storage).metadata(of: entry) } catch {
      throw TableError(error).of(properties.name)
    }
  }
}
