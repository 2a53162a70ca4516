import Synchronization
import TarnColumns
import TarnFileGroups
import TarnStorage
import TarnTimeline

/// Whether a table that this process makes is there yet.
final class PlannedTable: Sendable {
  private let created = Mutex(false)

  /// Whether it is there.
  var isCreated: Bool { created.withLock { $0 } }

  func noteCreation() { created.withLock { $0 = true } }
}

extension Table {
  /// A table that its first write creates, once it is known that the table can hold what is written.
  ///
  /// So a write that fails for its rows leaves no table. What was created is never taken back: another process may have
  /// opened it.
  ///
  /// - Throws: ``TableError``, as ``create(at:schema:recordKey:partitionedBy:orderedBy:options:settings:)`` does, but for
  ///   what the storage says.
  package static func planned(
    at location: TableLocation, schema: Schema, recordKey: [String], partitionedBy partition: [String] = [],
    orderedBy ordering: String? = nil, options: TableOptions = TableOptions(),
    settings: TableSettings = TableSettings()
  ) throws(TableError) -> Table {
    let schema = SchemaEvolution.tableSchema(schema)
    let definition = TableDefinition(
      name: options.name ?? TableDefinition.name(from: location.lastComponent), schema: schema,
      recordKey: recordKey, partition: partition, ordering: ordering, options: options)
    do { try definition.check() } catch { throw error.of(definition.name) }
    for name in partition {
      guard case .timestamp? = schema[name]?.type else { continue }
      settings.warn(
        "partition column \(name) is a time: Spark takes the folder's name for the value and shows null or another "
          + "time; partition by a date or a text to read it there")
    }
    return Table(
      location: location, properties: definition.properties(), settings: settings, planned: PlannedTable())
  }

  /// Creates the table, where that is still to be done.
  package func createWhereNeeded() async throws(TableError) {
    guard let planned, !planned.isCreated else { return }
    do { try await properties.create(in: storage, now: settings.now()) } catch { throw TableError(error) }
    planned.noteCreation()
    // What is missing the first write makes.
    let store = HeadStore(storage, random: settings.random)
    _ = try? await storage.put(store.newHead(sequence: 0).bytes, at: HeadStore.path, if: .ifAbsent)
  }

  /// The table as it is, or as it will be created.
  func presentState() async throws(TableError) -> TableState {
    guard let planned, !planned.isCreated else { return try await TableState.load(storage) }
    return try await TableState(properties, Timeline([]), nil, storage)
  }

  /// Checks that a table which is still to be created can hold what a write is about.
  func check<Write: TableWrite>(_ write: Write, _ reader: BaseFileReader) async throws(TableError) {
    guard let planned, !planned.isCreated else { return }
    var quiet = settings
    // It is said when the rows are written.
    quiet.observer = nil
    let table = PresentTable(state: try await presentState(), settings: quiet, reader: reader)
    try await write.check(on: table)
  }
}
