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
/// storage anew, so several values, processes and engines may use one table. Any number of Tarn's writers work at the same
/// time: each commit is decided by one swap of the table's head, and one that lost against another begins again. Other
/// engines do not know the head; <doc:Architecture> says what holds beside them.
///
/// A write that throws has left the table as it was, with one exception that has a code of its own: after
/// ``TableError/Code/outcomeUnknown`` the write stands or may stand, and ``outcome(of:)`` tells.
public struct Table: Sendable {
  /// Where the table lives.
  public let location: TableLocation
  /// The properties as they were when the table was created or opened.
  public let properties: TableProperties
  /// How this process works on it.
  public internal(set) var settings: TableSettings

  /// The footers that writes met.
  let footers: FooterCache
  /// The footers that were read last, which are fewer: what reads goes through many files, and comes back to few.
  let readFooters: FooterCache
  /// Which names own which columns, to be stored before a commit.
  private(set) var owners: ColumnOwners?
  /// What commits carry beside their rows.
  private(set) var options = WriteOptions()
  /// Decides the commits of all tasks that write through this value and its copies.
  let commits = CommitQueue()
  /// What this value and its copies know of when services are due.
  let services = ServiceMemory()
  /// What is still to be created, as the first write does; nil for a table that was opened.
  let planned: PlannedTable?
  /// What was read when the table was opened, on which the first write stands.
  let opening: TableOpening

  init(
    location: TableLocation, properties: TableProperties, settings: TableSettings,
    planned: PlannedTable? = nil, opening: TableOpening = .none
  ) {
    self.planned = planned
    self.opening = opening
    self.location = location
    self.properties = properties
    self.settings = settings.following(location.storage, named: properties.name)
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

  /// The same table, whose commits carry something beside their rows.
  ///
  /// ```swift
  /// let version = WriteTransaction(application: "orders", version: 17)
  /// try await table.writing(WriteOptions(transaction: version)).upsert(batch)
  /// ```
  public func writing(_ options: WriteOptions) -> Table {
    var table = self
    table.options = options
    return table
  }

  var storage: any Storage { location.storage }

  /// Tells the observer of what happened.
  func emit(_ kind: @autoclosure () -> TableEvent.Kind) { settings.tell(kind()) }

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
    do throws(TimelineError) {
      let (properties, opening) = try await TableOpening.read(
        location.storage, now: settings.now)
      return Table(location: location, properties: properties, settings: settings, opening: opening)
    } catch { throw TableError(error) }
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
    let table = try planned(
      at: location, schema: schema, recordKey: recordKey, partitionedBy: partition, orderedBy: ordering,
      options: options, settings: settings)
    do { try await table.createWhereNeeded() } catch { throw error.of(table.properties.name) }
    return table
  }

  /// The table's data columns, without meta columns.
  ///
  /// - Throws: ``TableError`` where the table cannot be read.
  public func schema() async throws(TableError) -> Schema {
    do throws(TableError) {
      if let state = try await opening.state(at: settings.now(), in: storage) {
        return try state.requireSchema()
      }
      return try await presentState().requireSchema()
    } catch { throw error.of(properties.name) }
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
