import TarnBytes

/// What a table is: the typed view of `hoodie.properties`.
///
/// Entries that Tarn does not know are kept as they are.
public struct TableProperties: Sendable, Hashable {
  /// All entries; the typed properties read and write these.
  public package(set) var entries: JavaProperties

  /// Names of the entries.
  enum Key {
    static let name = "hoodie.table.name"
    static let database = "hoodie.database.name"
    static let type = "hoodie.table.type"
    static let version = "hoodie.table.version"
    static let layout = "hoodie.timeline.layout.version"
    static let archiveFolder = "hoodie.archivelog.folder"
    static let lockProvider = "hoodie.write.lock.provider"
    static let lock = "tarn.lock"
    static let concurrency = "hoodie.write.concurrency.mode"
    static let failedWrites = ["hoodie.cleaner.policy.failed.writes", "hoodie.clean.failed.writes.policy"]
    static let timeZone = "hoodie.table.timeline.timezone"
    static let recordKey = "hoodie.table.recordkey.fields"
    static let precombine = "hoodie.table.precombine.field"
    static let ordering = "hoodie.table.ordering.fields"
    static let payload = "hoodie.compaction.payload.class"
    static let partition = "hoodie.table.partition.fields"
    static let generatorClass = "hoodie.table.keygenerator.class"
    static let generatorType = "hoodie.table.keygenerator.type"
    static let hiveStyle = "hoodie.datasource.write.hive_style_partitioning"
    static let urlEncode = "hoodie.datasource.write.partitionpath.urlencode"
    static let dropColumns = "hoodie.datasource.write.drop.partition.columns"
    static let metaFields = "hoodie.populate.meta.fields"
    static let fileFormat = "hoodie.table.base.file.format"
    static let createSchema = "hoodie.table.create.schema"
    static let checksum = "hoodie.table.checksum"
    static let metadataPartitions = "hoodie.table.metadata.partitions"
    static let metadataInflight = "hoodie.table.metadata.partitions.inflight"
    static let cdc = "hoodie.table.cdc.enabled"
    static let metadataLeftover = "tarn.metadata.table.leftover"
    static let bootstrap = "hoodie.bootstrap.base.path"
  }

  /// Wraps entries as they are, unchecked; ``load(from:)`` checks them.
  package init(entries: JavaProperties) { self.entries = entries }

  /// The properties of a new table of version 6.
  ///
  /// Instants are in UTC. Where there is an ordering field the greatest value wins, also for Spark.
  ///
  /// - Parameters:
  ///   - name: The table's name.
  ///   - type: How the table takes changes.
  ///   - recordKeyFields: The columns that make the key.
  ///   - orderingField: The column that decides between rows of one key; nil: the later one wins.
  ///   - partitionFields: The columns that make the partition path, in its order.
  ///   - isHiveStyle: Whether folders are called `column=value`.
  ///   - isURLEncoded: Whether values are percent-encoded in folder names.
  ///   - populatesMetaFields: Whether the meta columns are filled.
  ///   - createSchema: Avro schema of the columns, for readers while there is no commit yet.
  package init(
    name: String, type: TableType = .copyOnWrite, recordKeyFields: [String],
    orderingField: String? = nil, partitionFields: [String] = [], isHiveStyle: Bool = true,
    isURLEncoded: Bool = true, populatesMetaFields: Bool = true, createSchema: String? = nil
  ) {
    entries = JavaProperties()
    entries[Key.name] = name
    entries[Key.type] = type.rawValue
    entries[Key.version] = "6"
    entries[Key.layout] = "1"
    entries[Key.archiveFolder] = "archived"
    entries[Key.timeZone] = "UTC"
    entries[Key.recordKey] = recordKeyFields.joined(separator: ",")
    entries[Key.precombine] = orderingField
    entries[Key.payload] = orderingField == nil ? PayloadClass.latestCommit : PayloadClass.greatestOrdering
    if !partitionFields.isEmpty { entries[Key.partition] = partitionFields.joined(separator: ",") }
    let generator = KeyGenerator.standard(
      keyFields: recordKeyFields.count, partitionFields: partitionFields.count)
    entries[Key.generatorClass] = generator.className
    entries[Key.hiveStyle] = String(isHiveStyle)
    entries[Key.urlEncode] = String(isURLEncoded)
    entries[Key.dropColumns] = "false"
    if !populatesMetaFields { entries[Key.metaFields] = "false" }
    entries[Key.createSchema] = createSchema
    updateChecksum()
  }

  /// The table's name.
  public var name: String { entries[Key.name] ?? "" }

  /// The database's name; empty where there is none.
  public var databaseName: String { entries[Key.database] ?? "" }

  /// How the table takes changes; copy-on-write where the entry is missing, as for Hudi.
  public var type: TableType { entries[Key.type].flatMap(TableType.init) ?? .copyOnWrite }

  /// The version of the table's format; nil where Tarn does not know it.
  public var version: TableVersion? { entries[Key.version].flatMap(Int.init).flatMap(TableVersion.init) }

  /// The columns that make the key; empty where Hudi makes keys itself.
  public var recordKeyFields: [String] { list(Key.recordKey) }

  /// The column that decides between rows of one key.
  public var orderingField: String? { list(Key.ordering).first ?? list(Key.precombine).first }

  /// The columns that decide, one behind the other, where rows of one key are equal in ``orderingField``.
  ///
  /// They are an entry of Tarn's own: other engines see the ordering column alone.
  public var tieBreakers: [String] { list(Self.tieBreakersKey) }

  /// The name of the entry that has ``tieBreakers``.
  package static let tieBreakersKey = "tarn.ordering.ties"

  /// The columns that make the partition path, in its order, without the kinds a custom generator adds.
  public var partitionFields: [String] {
    list(Key.partition).map { field in
      guard let colon = field.lastIndex(of: ":") else { return field }
      return String(field[..<colon])
    }
  }

  /// How keys and partition paths are made.
  public var keyGenerator: KeyGenerator {
    if let name = entries[Key.generatorClass], !name.isEmpty { return KeyGenerator(className: name) }
    if let type = entries[Key.generatorType], !type.isEmpty { return KeyGenerator(type: type) }
    return .standard(keyFields: recordKeyFields.count, partitionFields: partitionFields.count)
  }

  /// Whether the entries tell that a partition path is a formatted time; a custom generator's need not tell.
  public var formatsTimes: Bool {
    entries.entries.pairs.contains { $0.key.hasPrefix("hoodie.keygen.timebased.") }
      || list(Key.partition).contains { $0.uppercased().hasSuffix(":TIMESTAMP") }
  }

  /// Whether folders are called `column=value`.
  public var isHiveStyle: Bool { flag(Key.hiveStyle, default: false) }

  /// Whether values are percent-encoded in folder names.
  public var isURLEncoded: Bool { flag(Key.urlEncode, default: false) }

  /// Whether the meta columns are filled.
  public var populatesMetaFields: Bool { flag(Key.metaFields, default: true) }

  /// Whether partition columns are left out of the files.
  public var dropsPartitionColumns: Bool { flag(Key.dropColumns, default: false) }

  /// Whether changes are logged for Hudi's change queries.
  public var logsChanges: Bool { flag(Key.cdc, default: false) }

  /// Whether instants are in UTC; otherwise they are in their writers' zones.
  public var isTimelineUTC: Bool { entries[Key.timeZone]?.uppercased() == "UTC" }

  /// Whether they say that Hudi's storage-based lock is in use.
  package var namesHudiLock: Bool {
    entries[Key.lockProvider]?.hasSuffix("StorageBasedLockProvider") == true
      || entries[Key.lock] == "hudi-storage"
  }

  /// Entries by which writers of another engine undo attempts of others that are under way, each as `key=value`.
  ///
  /// Source: format-logs-and-services 10 (`WriteConcurrencyMode`, `HoodieFailedWritesCleaningPolicy`).
  package var entriesThatUndoAttempts: [String] {
    var found: [String] = []
    if let mode = entries[Key.concurrency], mode.lowercased() == "single_writer" {
      found.append("\(Key.concurrency)=\(mode)")
    }
    for key in Key.failedWrites {
      if let policy = entries[key], policy.lowercased() == "eager" { found.append("\(key)=\(policy)") }
    }
    return found
  }

  /// The folder of the archived timeline within the timeline's; empty for the timeline's own.
  package var archiveFolder: String { entries[Key.archiveFolder] ?? "archived" }

  /// The Java class that decides between two rows of one key, where Spark writes.
  public var payloadClass: String? { entries[Key.payload] }

  /// The Avro schema of the columns at creation.
  public var createSchema: String? { entries[Key.createSchema] }

  /// The partitions of the metadata table that readers may trust; empty where there is none.
  public var metadataPartitions: [String] { list(Key.metadataPartitions) }

  /// Whether a metadata table is there that other readers trust instead of listing the storage.
  public var hasLiveMetadataTable: Bool {
    !metadataPartitions.isEmpty || !list(Key.metadataInflight).isEmpty
  }

  /// Forgets the metadata table; what it holds under ``TablePaths/metadataTable`` is deleted after the properties are
  /// stored, which say until then that it is left over.
  package mutating func removeMetadataTable() {
    entries[Key.metadataPartitions] = nil
    entries[Key.metadataInflight] = nil
    entries[Key.metadataLeftover] = "true"
  }

  /// Whether a writer of Tarn's began to delete the metadata table's folder, so that what is in it is of no use.
  package var hasMetadataLeftover: Bool {
    get { entries[Key.metadataLeftover] == "true" }
    set { entries[Key.metadataLeftover] = newValue ? "true" : nil }
  }

  /// One of Tarn's own options, kept as `tarn.<name>`; other engines leave it alone.
  public package(set) subscript(option name: String) -> String? {
    get { entries["tarn." + name] }
    set { entries["tarn." + name] = newValue }
  }

  func list(_ key: String) -> [String] {
    (entries[key] ?? "").split(separator: ",").map { $0.drop { $0 == " " }.description }
  }

  func flag(_ key: String, default standard: Bool) -> Bool {
    guard let text = entries[key] else { return standard }
    return text.lowercased() == "true"
  }

  /// The checksum that the entries must carry: CRC-32 of `<database>.<name>`.
  ///
  /// Source: `HoodieTableConfig.generateChecksum`.
  public var expectedChecksum: UInt32 {
    CRC32.checksum(Array((databaseName + "." + name).utf8).span.bytes)
  }

  /// Puts the right checksum at the end.
  mutating func updateChecksum() {
    entries[Key.checksum] = nil
    entries[Key.checksum] = String(expectedChecksum)
  }

  /// Whether the entries carry the right checksum; nil where they carry none.
  public var hasValidChecksum: Bool? { entries[Key.checksum].map { $0 == String(expectedChecksum) } }
}
