import TarnBytes
import TarnStorage

extension TableProperties {
  /// Parses and checks the text of `hoodie.properties`.
  ///
  /// - Throws: ``TimelineError``: `damaged`; `unsupported` for what Tarn does not read.
  public init(parsing bytes: [UInt8]) throws(TimelineError) {
    try self.init(parsing: bytes, path: TablePaths.properties)
  }

  /// Parses and checks a text that was read at a path, which errors name.
  package init(parsing bytes: [UInt8], path: String) throws(TimelineError) {
    do { self.init(entries: try JavaProperties(parsing: bytes)) } catch {
      throw TimelineError(.damaged, path: path, "line \(error.line): \(error.message)", cause: error)
    }
    guard entries[Self.droppedKey] == nil else {
      throw TimelineError(
        .noTable, path: path,
        "the table that was here is dropped, and some of its files are left: drop it once more")
    }
    try checkSoundness(path)
    try checkSupport(path)
  }

  /// The one entry of a table that is dropped.
  private static let droppedKey = "tarn.dropped"

  /// Makes a table none, in one step: its properties say nothing any more but that it is dropped.
  ///
  /// - Throws: ``TimelineError``: `noTable`; `conflict` where another writer changes the properties; `storage`.
  package static func drop(in storage: any Storage) async throws(TimelineError) {
    try await recover(in: storage)
    guard let stored = try await storage.getIfPresent(TablePaths.properties) else {
      throw TimelineError(.noTable, path: TablePaths.properties, "the file is gone")
    }
    do {
      // No engine takes this for a table's properties.
      try await storage.put(
        Array("\(droppedKey)=true\n".utf8), at: TablePaths.properties, if: .ifMatches(stored.tag))
    } catch {
      guard error.code == .preconditionFailed else { throw TimelineError(error) }
      throw TimelineError(
        .conflict, path: TablePaths.properties, "another writer changes the properties: try again")
    }
  }

  /// Whether a table was dropped, and files of it are left.
  ///
  /// - Throws: ``TimelineError`` with code `storage`.
  package static func isDropped(in storage: any Storage) async throws(TimelineError) -> Bool {
    guard let bytes = try await storage.readIfPresent(TablePaths.properties) else { return false }
    return (try? JavaProperties(parsing: bytes))?[droppedKey] != nil
  }

  private func required(_ key: String, _ path: String) throws(TimelineError) -> String {
    guard let value = entries[key], !value.isEmpty else {
      throw TimelineError(
        .damaged, path: path,
        "\(key) is missing; restore the file from a copy, or add the line with the value the table had")
    }
    return value
  }

  private func number(_ key: String, _ path: String) throws(TimelineError) -> Int {
    let text = try required(key, path)
    guard let value = Int(text) else {
      throw TimelineError(.damaged, path: path, "\(key) is \"\(text)\", and must be a number")
    }
    return value
  }

  private func checkSoundness(_ path: String) throws(TimelineError) {
    _ = try required(Key.name, path)
    if hasValidChecksum == false {
      throw TimelineError(
        .damaged, path: path,
        "\(Key.checksum) does not fit \(Key.name) and \(Key.database): the file was edited or is cut; "
          + "restore the names, or set the checksum to \(expectedChecksum) if they are right")
    }
    let type = try required(Key.type, path)
    guard TableType(rawValue: type) != nil else {
      throw TimelineError(
        .damaged, path: path, "\(Key.type) is \"\(type)\", and must be COPY_ON_WRITE or MERGE_ON_READ")
    }
    for key in [Key.hiveStyle, Key.urlEncode, Key.metaFields, Key.dropColumns] {
      if let text = entries[key], !["true", "false"].contains(text.lowercased()) {
        throw TimelineError(.damaged, path: path, "\(key) is \"\(text)\", and must be true or false")
      }
    }
  }

  private func checkSupport(_ path: String) throws(TimelineError) {
    func refuse(_ message: String) -> TimelineError { TimelineError(.unsupported, path: path, message) }
    let number = try number(Key.version, path)
    let layout = try self.number(Key.layout, path)
    guard number == TableVersion.six.rawValue else {
      throw refuse(
        "table version \(number) is not supported yet: Tarn reads version 6; "
          + "Spark with Hudi 1.x reads this table")
    }
    guard layout == TimelineLayout.one.rawValue else {
      throw TimelineError(
        .damaged, path: path, "\(Key.layout) is \(layout), and table version 6 has layout 1")
    }
    if let format = entries[Key.fileFormat], format.uppercased() != "PARQUET" {
      throw refuse("\(Key.fileFormat) is \(format): Tarn reads tables of Parquet files")
    }
    if dropsPartitionColumns {
      throw refuse("\(Key.dropColumns) is true: Tarn reads tables whose files hold their partition columns")
    }
    if let base = entries[Key.bootstrap], !base.isEmpty {
      throw refuse("the table is bootstrapped over the files of \(base), which Tarn does not read")
    }
  }
}

extension TableProperties {
  /// Reads and checks a table's properties, or the backup that is there while another writer changes them.
  ///
  /// - Throws: ``TimelineError``: `noTable`, `damaged`, `unsupported`, `storage`.
  public static func load(from storage: any Storage) async throws(TimelineError) -> TableProperties {
    // What lies beside the file tells something only if the file is still missing after it was listed: another
    // process may be creating the table, or taking back that it did.
    var isFolder = false
    for _ in 0..<4 {
      if let properties = try await find(in: storage) { return properties }
      let page: ListingPage
      do {
        page = try await storage.list(prefix: TablePaths.folder, stoppingAtSlash: true, continuation: nil)
      } catch { throw TimelineError(error) }
      if page.objects.allSatisfy({ $0.path == TablePaths.writerLock }),
        // What a dropped table leaves on a disk.
        page.folders.allSatisfy({ $0 == TablePaths.temporaries || $0 == TablePaths.heartbeats })
      {
        throw TimelineError(.noTable, path: "", "there is no Hudi table here; create one first")
      }
      isFolder = page.folders.contains(TablePaths.properties + "/")
    }
    throw TimelineError(
      .damaged, path: TablePaths.properties,
      isFolder
        ? "a folder is in the file's place; move it away, and restore the file from a copy"
        : "the file is missing, and there is no backup of it; restore it from a copy")
  }

  /// The file or its backup; nil where neither is there.
  private static func find(in storage: any Storage) async throws(TimelineError) -> TableProperties? {
    // A change by another writer moves from the one file to the other and back, so the first is asked again.
    var found: TimelineError?
    for path in [TablePaths.properties, TablePaths.propertiesBackup, TablePaths.properties] {
      do {
        if let bytes = try await storage.readIfPresent(path) {
          return try TableProperties(parsing: bytes, path: path)
        }
      } catch {
        guard error.code == .damaged else { throw error }
        found = found ?? error
      }
    }
    if let found { throw found }
    return nil
  }

  /// The file as bytes, its checksum renewed.
  ///
  /// - Parameters:
  ///   - isNew: Whether the table is being created.
  ///   - now: The time in microseconds since 1970.
  package func bytes(isNew: Bool, now: Int64) -> [UInt8] {
    var copy = self
    copy.updateChecksum()
    let what = isNew ? "Properties saved on " : "Updated at "
    return copy.entries.bytes(comments: [
      what + JavaTime.instant(microseconds: now), JavaTime.date(microseconds: now),
    ])
  }

  /// The file as bytes that can be read again.
  private func readable(isNew: Bool, now: Int64) throws(TimelineError) -> [UInt8] {
    let bytes = bytes(isNew: isNew, now: now)
    // The checksum may be one entry more.
    guard bytes.count <= JavaProperties.largestFile, entries.entries.count < JavaProperties.mostEntries else {
      throw TimelineError(
        .unsupported, path: TablePaths.properties,
        "the table's properties, in which its columns are, would have \(entries.entries.count) entries of \(bytes.count) "
          + "bytes, and at most \(JavaProperties.mostEntries) of \(JavaProperties.largestFile) bytes are read: take fewer "
          + "columns, or shorter names")
    }
    return bytes
  }

  /// Creates the table whose properties these are.
  ///
  /// It is one put, so that of several writers who create a table at one place exactly one does.
  ///
  /// - Returns: The file's bytes, by which its maker knows it again.
  /// - Throws: ``TimelineError``: `exists` where a table is there already; `unsupported` where the file would be larger
  ///   than is read; `storage` where none was made; `outcomeUnknown` where one may have been.
  @discardableResult
  package func create(in storage: any Storage, now: Int64) async throws(TimelineError) -> [UInt8] {
    let bytes = try readable(isNew: true, now: now)
    do { try await storage.create(bytes, at: TablePaths.properties, isUnique: false) } catch {
      switch error {
      case .taken:
        throw TimelineError(.exists, path: TablePaths.properties, "a table is there already; open it")
      case .failed(let error): throw TimelineError(error)
      case .unconfirmed(let error):
        throw TimelineError(
          .outcomeUnknown, path: TablePaths.properties,
          "the table was created, though the storage failed at the end (\(error.message)): open it",
          cause: error)
      case .unknown(let error, let second):
        throw TimelineError(
          .outcomeUnknown, path: TablePaths.properties,
          "whether the table was created is not known: the storage failed (\(error.message)), and then could not be "
            + "asked whether the file is there (\(second.message)); try to open it", cause: error)
      }
    }
    return bytes
  }

  /// How often a change is tried anew where another writer was faster.
  private static let mostChanges = 10

  /// Changes the stored properties, so that other writers and readers find whole ones at every moment, and no change of
  /// another writer is lost.
  ///
  /// The file is replaced whole, if it is as it was read; so it is never absent, and needs no backup meanwhile, which
  /// Hudi's own writers make (`HoodieTableConfig.modify`).
  ///
  /// - Parameters:
  ///   - now: The time in microseconds since 1970.
  ///   - body: Changes what is stored at that moment, and tells whether it did; called again where another writer was
  ///     faster.
  /// - Returns: The properties that are stored then.
  /// - Throws: ``TimelineError``: `conflict` where other writers change them all the time; `unsupported` where the file
  ///   would be larger than is read; `storage`; and what `body` throws.
  @discardableResult
  package static func change(
    in storage: any Storage, now: Int64, _ body: (inout TableProperties) throws -> Bool
  ) async throws -> TableProperties {
    try await recover(in: storage)
    for _ in 0..<mostChanges {
      guard let stored = try await storage.getIfPresent(TablePaths.properties) else {
        throw TimelineError(.noTable, path: TablePaths.properties, "the file is gone")
      }
      var properties = try TableProperties(parsing: stored.bytes)
      guard try body(&properties) else { return properties }
      let bytes = try properties.readable(isNew: false, now: now)
      do {
        try await storage.put(bytes, at: TablePaths.properties, if: .ifMatches(stored.tag))
        return properties
      } catch  where error.code == .preconditionFailed {
        continue
      } catch { throw TimelineError(error) }
    }
    throw TimelineError(
      .conflict, path: TablePaths.properties,
      "other writers change the properties all the time; try again when they are done")
  }

  /// Ends a change of the properties that another engine left half done.
  static func recover(in storage: any Storage) async throws(TimelineError) {
    guard let backup = try await storage.readIfPresent(TablePaths.propertiesBackup) else { return }
    let current = try await storage.getIfPresent(TablePaths.properties)
    guard isSound(current?.bytes) || isSound(backup) else {
      throw TimelineError(
        .damaged, path: TablePaths.properties,
        "neither the file nor its backup has a checksum that fits; restore the file, and remove the backup")
    }
    do {
      if !isSound(current?.bytes) {
        try await storage.put(
          backup, at: TablePaths.properties, if: current.map { .ifMatches($0.tag) } ?? .ifAbsent)
      }
      try await storage.delete(TablePaths.propertiesBackup)
    } catch {
      // Another writer has ended it.
      guard error.code == .preconditionFailed else { throw TimelineError(error) }
    }
  }

  private static func isSound(_ bytes: [UInt8]?) -> Bool {
    guard let bytes, let entries = try? JavaProperties(parsing: bytes) else { return false }
    return TableProperties(entries: entries).hasValidChecksum == true
  }
}

extension Storage {
  /// The bytes of a file of properties; nil where there is no such file.
  package func readIfPresent(_ path: String) async throws(TimelineError) -> [UInt8]? {
    try await getIfPresent(path)?.bytes
  }

  /// A file of properties and its tag; nil where there is no such file.
  func getIfPresent(_ path: String) async throws(TimelineError) -> StoredObject? {
    do { return try await get(path, limit: JavaProperties.largestFile) } catch {
      if error.code == .notFound { return nil }
      if error.code == .tooLarge {
        throw TimelineError(
          .damaged, path: path, "\(error.message): no table has such properties; restore it from a copy",
          cause: error)
      }
      throw TimelineError(error)
    }
  }
}
