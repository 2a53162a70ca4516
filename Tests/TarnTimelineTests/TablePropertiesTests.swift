import TarnStorage
import TarnTestSupport
import TarnTimeline
import Testing

/// The time 2026-01-02T03:04:05.678Z.
let now: Int64 = 1_767_323_045_678_000

/// The error a body throws; a failed expectation where it throws none.
func timelineError(
  _ body: () async throws(TimelineError) -> Void, sourceLocation: SourceLocation = #_sourceLocation
) async -> TimelineError? {
  do { try await body() } catch { return error }
  Issue.record("no error was thrown", sourceLocation: sourceLocation)
  return nil
}

extension TimelineError {
  var name: String { code.description }
}

@Suite struct TablePropertiesTests {
  static let trips = TableProperties(
    name: "trips", recordKeyFields: ["id"], orderingField: "ts", partitionFields: ["city"])

  /// Stores a change of what is stored.
  static func change(
    _ storage: any Storage, _ body: @escaping (inout TableProperties) -> Void
  ) async throws {
    try await TableProperties.change(in: storage, now: now) { properties in
      body(&properties)
      return true
    }
  }

  static func text(_ changes: [String: String?] = [:]) -> [UInt8] {
    var properties = trips
    for (key, value) in changes { properties.entries[key] = value }
    return properties.entries.bytes(comments: [])
  }

  static func load(_ bytes: [UInt8], backup: [UInt8]? = nil) async throws -> TableProperties {
    let storage = InMemoryStorage()
    try await storage.put(bytes, at: TablePaths.properties, if: .always)
    if let backup { try await storage.put(backup, at: TablePaths.propertiesBackup, if: .always) }
    return try await TableProperties.load(from: storage)
  }

  @Test func newTablesAreDescribedAsSparkExpects() {
    #expect(
      String(decoding: Self.trips.bytes(isNew: true, now: now), as: UTF8.self) == """
        #Properties saved on 2026-01-02T03:04:05.678Z
        #Fri Jan 02 03:04:05 UTC 2026
        hoodie.table.name=trips
        hoodie.table.type=COPY_ON_WRITE
        hoodie.table.version=6
        hoodie.timeline.layout.version=1
        hoodie.archivelog.folder=archived
        hoodie.table.timeline.timezone=UTC
        hoodie.table.recordkey.fields=id
        hoodie.table.precombine.field=ts
        hoodie.compaction.payload.class=org.apache.hudi.common.model.DefaultHoodieRecordPayload
        hoodie.table.partition.fields=city
        hoodie.table.keygenerator.class=org.apache.hudi.keygen.SimpleKeyGenerator
        hoodie.datasource.write.hive_style_partitioning=true
        hoodie.datasource.write.partitionpath.urlencode=true
        hoodie.datasource.write.drop.partition.columns=false
        hoodie.table.checksum=\(Self.trips.expectedChecksum)

        """)
  }

  @Test func checksumsAreHudis() throws {
    for (database, name, checksum) in [
      ("default", "v6_nonpartitioned", 1_363_530_505), ("default", "v9_txns_cow_simple_meta", 2_985_977_913),
      ("", "v9_trips_lance_cow_metadata", 617_720_971),
    ] as [(String, String, UInt32)] {
      var properties = TableProperties(name: name, recordKeyFields: ["id"])
      properties.entries["hoodie.database.name"] = database.isEmpty ? nil : database
      #expect(properties.expectedChecksum == checksum)
    }
  }

  @Test func typedValuesComeBack() async throws {
    var written = TableProperties(
      name: "t", recordKeyFields: ["a", "b"], partitionFields: ["c", "d"], isHiveStyle: false,
      isURLEncoded: false, createSchema: #"{"type":"record"}"#)
    written[option: "bloom"] = "hudi"
    let storage = InMemoryStorage()
    try await written.create(in: storage, now: now)
    let read = try await TableProperties.load(from: storage)
    #expect(read.name == "t")
    #expect(read.databaseName == "")
    #expect(read.type == .copyOnWrite)
    #expect(read.version == .six)
    #expect(read.recordKeyFields == ["a", "b"])
    #expect(read.partitionFields == ["c", "d"])
    #expect(read.orderingField == nil)
    #expect(read.payloadClass == PayloadClass.latestCommit)
    #expect(read.keyGenerator == .complex)
    #expect(!read.isHiveStyle && !read.isURLEncoded && read.populatesMetaFields && read.isTimelineUTC)
    #expect(read.createSchema == #"{"type":"record"}"#)
    #expect(read[option: "bloom"] == "hudi")
    #expect(!read.hasLiveMetadataTable && !read.logsChanges)
  }

  @Test func keyGeneratorsFollowTheFields() {
    #expect(KeyGenerator.standard(keyFields: 1, partitionFields: 0) == .nonPartitioned)
    #expect(KeyGenerator.standard(keyFields: 2, partitionFields: 0) == .nonPartitioned)
    #expect(KeyGenerator.standard(keyFields: 1, partitionFields: 1) == .simple)
    #expect(KeyGenerator.standard(keyFields: 2, partitionFields: 1) == .complex)
    #expect(KeyGenerator.standard(keyFields: 1, partitionFields: 2) == .custom)
    for generator in [KeyGenerator.simple, .complex, .nonPartitioned, .timestamp, .custom] {
      #expect(generator.className.map(KeyGenerator.init(className:)) == generator)
    }
    #expect(KeyGenerator(className: "org.apache.hudi.keygen.SimpleAvroKeyGenerator") == .simple)
    #expect(KeyGenerator(className: "com.me.Mine") == .other("com.me.Mine"))
  }

  @Test(
    arguments: [
      ("hoodie.table.name", nil, "damaged"), ("hoodie.table.name", "other", "damaged"),
      ("hoodie.table.checksum", "1", "damaged"), ("hoodie.table.type", nil, "damaged"),
      ("hoodie.table.type", "SOMETHING", "damaged"), ("hoodie.table.version", nil, "damaged"),
      ("hoodie.table.version", "six", "damaged"), ("hoodie.timeline.layout.version", nil, "damaged"),
      ("hoodie.timeline.layout.version", "2", "damaged"),
      ("hoodie.datasource.write.hive_style_partitioning", "maybe", "damaged"),
      ("hoodie.table.version", "8", "unsupported"), ("hoodie.table.version", "7", "unsupported"),
      ("hoodie.table.base.file.format", "ORC", "unsupported"),
      ("hoodie.datasource.write.drop.partition.columns", "true", "unsupported"),
      ("hoodie.bootstrap.base.path", "/data", "unsupported"),
    ] as [(String, String?, String)])
  func badEntriesAreNamed(_ key: String, _ value: String?, _ code: String) async throws {
    let error = await #expect(throws: TimelineError.self) { try await Self.load(Self.text([key: value])) }
    #expect(error?.name == code)
    #expect(error?.path == TablePaths.properties)
    if key == "hoodie.table.version", code == "unsupported" {
      #expect(error?.message.hasPrefix("table version \(value ?? "") is not supported yet") == true)
    } else {
      #expect(error?.message.isEmpty == false)
    }
    if code == "damaged", key != "hoodie.table.name" || value == nil {
      #expect(error?.message.contains(key) == true)
    }
  }

  @Test func missingChecksumAndUnknownEntriesAreTaken() async throws {
    let read = try await Self.load(Self.text(["hoodie.table.checksum": nil, "a.b": "c"]))
    #expect(read.entries["a.b"] == "c")
  }

  @Test func whereThereIsNoTableThatIsSaid() async throws {
    let storage = InMemoryStorage()
    try await storage.put([1], at: "a/b", if: .always)
    let none = await timelineError { () throws(TimelineError) in
      _ = try await TableProperties.load(from: storage)
    }
    #expect(none?.name == "noTable")
    try await storage.put([], at: ".hoodie/20260102030405678.commit", if: .always)
    let lost = await timelineError { () throws(TimelineError) in
      _ = try await TableProperties.load(from: storage)
    }
    #expect(lost?.name == "damaged")
  }

  @Test func backupIsReadWhileTheFileIsAbsentOrBroken() async throws {
    let storage = InMemoryStorage()
    try await storage.put(Self.text(), at: TablePaths.propertiesBackup, if: .always)
    #expect(try await TableProperties.load(from: storage).name == "trips")
    #expect(try await Self.load([], backup: Self.text()).name == "trips")
    #expect(try await Self.load(Array("a=\\u".utf8), backup: Self.text()).name == "trips")
  }

  @Test func creatingTwiceIsRefused() async throws {
    let storage = InMemoryStorage()
    try await Self.trips.create(in: storage, now: now)
    let error = await timelineError { () throws(TimelineError) in
      try await Self.trips.create(in: storage, now: now)
    }
    #expect(error?.name == "exists")
  }

  @Test func changesAreStoredAndHalfDoneOnesRecovered() async throws {
    // Hadoop's checksum files, which other engines keep on a disk, go with theirs.
    try await TestWorld.withTemporaryFolder { folder in
      let storage = LocalStorage(root: folder, synchronizes: false)
      try await Self.trips.create(in: storage, now: now)
      try await storage.put([0], at: ".hoodie/.hoodie.properties.crc", if: .always)
      try await Self.change(storage) {
        $0.entries["hoodie.table.metadata.partitions"] = "files,record_index"
      }
      #expect(try await TableProperties.load(from: storage).hasLiveMetadataTable)
      #expect(try await TableProperties.load(from: storage).metadataPartitions == ["files", "record_index"])
      #expect(try await storage.listAll(prefix: "").objects.map(\.path) == [TablePaths.properties])
      // Another writer died after it had deleted the file.
      let whole = try await storage.readAll(TablePaths.properties)
      try await storage.put(whole, at: TablePaths.propertiesBackup, if: .always)
      try await storage.delete(TablePaths.properties)
      try await Self.change(storage) { $0.removeMetadataTable() }
      let text = String(decoding: try await storage.readAll(TablePaths.properties), as: UTF8.self)
      #expect(text.hasPrefix("#Updated at 2026-01-02T03:04:05.678Z\n#Fri Jan 02 03:04:05 UTC 2026\n"))
      #expect(!text.contains("metadata.partitions"))
      #expect(try await storage.listAll(prefix: "").objects.map(\.path) == [TablePaths.properties])
    }
  }

  @Test func changeOfAnotherThatCannotBeRecoveredIsLeftAlone() async throws {
    let storage = InMemoryStorage()
    try await storage.put([0], at: TablePaths.propertiesBackup, if: .always)
    let error = await #expect(throws: TimelineError.self) {
      try await Self.change(storage) { _ in }
    }
    #expect(error?.name == "damaged")
    #expect(try await storage.exists(TablePaths.propertiesBackup))
  }

  @Test func changeOfAnotherWriterAtTheSameTimeIsNotLost() async throws {
    let storage = InMemoryStorage()
    try await Self.trips.create(in: storage, now: now)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        group.addTask { try await Self.change(storage) { $0.entries["x\(number)"] = "\(number)" } }
      }
      try await group.waitForAll()
    }
    let stored = try await TableProperties.load(from: storage)
    for number in 0..<8 { #expect(stored.entries["x\(number)"] == "\(number)") }
  }

  @Test func fileOfAnAbsurdSizeIsRefusedAndItsBackupRead() async throws {
    let large = Self.text() + [UInt8](repeating: 0x23, count: JavaProperties.largestFile)
    let storage = InMemoryStorage()
    try await storage.put(large, at: TablePaths.properties, if: .always)
    let error = await timelineError { () async throws(TimelineError) in
      _ = try await TableProperties.load(from: storage)
    }
    #expect(error?.name == "damaged" && error?.message.contains("at most 8388608 are read here") == true)
    #expect(try await Self.load(large, backup: Self.text()).name == "trips")
  }

  @Test func propertiesThatCouldNotBeReadAgainAreNotWritten() async throws {
    var long = Self.trips
    long.entries["x"] = String(repeating: "x", count: JavaProperties.largestFile)
    var many = Self.trips
    for number in 0..<JavaProperties.mostEntries { many.entries["x\(number)"] = "" }
    for properties in [long, many] {
      let storage = InMemoryStorage()
      let new = await timelineError { () async throws(TimelineError) in
        try await properties.create(in: storage, now: now)
      }
      #expect(new?.name == "unsupported" && new?.message.contains("take fewer columns") == true)
      #expect(try await storage.listAll(prefix: "").objects.isEmpty)
      let before = try await Self.trips.create(in: storage, now: now)
      let changed = await #expect(throws: TimelineError.self) {
        try await Self.change(storage) { $0 = properties }
      }
      #expect(changed?.name == "unsupported")
      #expect(try await storage.readAll(TablePaths.properties) == before)
      #expect(try await storage.exists(TablePaths.propertiesBackup) == false)
    }
  }

  @Test func folderInTheFilesPlaceIsNamed() async throws {
    let storage = InMemoryStorage()
    try await storage.put([1], at: TablePaths.properties + "/a", if: .always)
    let error = await timelineError { () async throws(TimelineError) in
      _ = try await TableProperties.load(from: storage)
    }
    #expect(error?.name == "damaged" && error?.message.hasPrefix("a folder is in the file's place") == true)
  }
}
