import TarnBytes

/// What a commit tells of one file it wrote; counts are rows, sizes bytes.
public struct WriteStatistics: Sendable, Hashable {
  /// The file group; empty for planned inserts that have none yet.
  public var fileID: String
  /// The file's path relative to the table; nil while it is only planned.
  public var path: String?
  /// Change logs written beside it: paths and sizes.
  public var changeLogs: OrderedMap<Int64>?
  /// Instant of the file group's version before, as text; nil for a new file group.
  public var previousCommit: String?
  /// Rows in the file, those carried over included.
  public var writes: Int64
  /// Rows of the version before that are left out.
  public var deletes: Int64
  /// Rows that changed.
  public var updates: Int64
  /// Rows that are new.
  public var inserts: Int64
  /// Bytes written.
  public var bytesWritten: Int64
  /// Rows that could not be written.
  public var errors: Int64 = 0
  /// A temporary path, which only old writers had.
  public var temporaryPath: String?
  /// The partition; nil while the file is only planned.
  public var partitionPath: String?
  /// What a compaction read from logs.
  public var logs = LogStatistics()
  /// Size of the file.
  public var fileSize: Int64
  /// Least and greatest event time of the rows, where known.
  public var leastEventTime: Int64?
  /// Greatest event time of the rows, where known.
  public var greatestEventTime: Int64?
  /// How long it took; nil while the file is only planned.
  public var runtime: Runtime?

  /// What a compaction read from logs.
  public struct LogStatistics: Sendable, Hashable {
    /// Records, files, bytes and updated records read.
    public var records: Int64 = 0
    /// Files that were compacted.
    public var filesCompacted: Int64 = 0
    /// Bytes that were compacted.
    public var sizeCompacted: Int64 = 0
    /// Updated records that were compacted.
    public var updatesCompacted: Int64 = 0
    /// Blocks read.
    public var blocks: Int64 = 0
    /// Corrupt blocks met.
    public var corruptBlocks: Int64 = 0
    /// Rollback blocks met.
    public var rollbackBlocks: Int64 = 0

    /// Makes statistics that are all zero.
    package init() {}
  }

  /// Milliseconds that parts of the work took.
  public struct Runtime: Sendable, Hashable {
    /// Reading.
    public var scan: Int64 = 0
    /// Merging into a version before.
    public var upsert: Int64 = 0
    /// Writing a new file.
    public var create: Int64 = 0

    /// Makes a runtime of its parts.
    package init(scan: Int64 = 0, upsert: Int64 = 0, create: Int64 = 0) {
      self.scan = scan
      self.upsert = upsert
      self.create = create
    }
  }

  /// The statistics of a file that was written.
  ///
  /// - Parameters:
  ///   - fileID: The file group.
  ///   - path: The file's path relative to the table.
  ///   - partitionPath: The partition; empty where the table has none.
  ///   - previousCommit: Instant of the file group's version before; nil for a new file group.
  ///   - writes: Rows in the file, those carried over included.
  ///   - deletes: Rows of the version before that are left out.
  ///   - updates: Rows that changed.
  ///   - inserts: Rows that are new.
  ///   - size: Size of the file in bytes.
  ///   - runtime: How long it took.
  package init(
    fileID: String, path: String, partitionPath: String, previousCommit: Instant?, writes: Int64,
    deletes: Int64 = 0, updates: Int64 = 0, inserts: Int64 = 0, size: Int64, runtime: Runtime = Runtime()
  ) {
    self.fileID = fileID
    self.path = path
    self.partitionPath = partitionPath
    self.previousCommit = previousCommit?.text
    self.writes = writes
    self.deletes = deletes
    self.updates = updates
    self.inserts = inserts
    self.bytesWritten = size
    self.fileSize = size
    self.runtime = runtime
  }

  /// What an inflight commit plans to do to a file group; without one, to new ones.
  package init(plannedFor fileID: String = "", previousCommit: Instant? = nil, updates: Int64, inserts: Int64)
  {
    self.init()
    self.fileID = fileID
    self.previousCommit = previousCommit?.text
    self.updates = updates
    self.inserts = inserts
  }

  /// What files have together of one of the counts or sizes; nil where it passes 64 bits.
  package static func total(_ files: [WriteStatistics], _ value: (WriteStatistics) -> Int64) -> Int64? {
    var total: Int64 = 0
    for file in files {
      let (sum, overflow) = total.addingReportingOverflow(value(file))
      guard !overflow else { return nil }
      total = sum
    }
    return total
  }

  init() {
    fileID = ""
    writes = 0
    deletes = 0
    updates = 0
    inserts = 0
    bytesWritten = 0
    fileSize = 0
  }
}

extension WriteStatistics {
  /// The members in the order in which Hudi writes them.
  var json: JSONValue {
    .members([
      "fileId": .string(fileID), "path": .text(path),
      "cdcStats": changeLogs.map { logs in
        .object(logs.pairs.map { .init($0.key, .integer($0.value)) })
      } ?? .null,
      // The text "null": Hudi compares it, and fails on a null.
      "prevCommit": .string(previousCommit ?? "null"),
      "numWrites": .integer(writes), "numDeletes": .integer(deletes), "numUpdateWrites": .integer(updates),
      "numInserts": .integer(inserts), "totalWriteBytes": .integer(bytesWritten),
      "totalWriteErrors": .integer(errors), "tempPath": .text(temporaryPath),
      "partitionPath": .text(partitionPath), "totalLogRecords": .integer(logs.records),
      "totalLogFilesCompacted": .integer(logs.filesCompacted),
      "totalLogSizeCompacted": .integer(logs.sizeCompacted),
      "totalUpdatedRecordsCompacted": .integer(logs.updatesCompacted),
      "totalLogBlocks": .integer(logs.blocks), "totalCorruptLogBlock": .integer(logs.corruptBlocks),
      "totalRollbackBlocks": .integer(logs.rollbackBlocks), "fileSizeInBytes": .integer(fileSize),
      "minEventTime": leastEventTime.map { .integer($0) } ?? .null,
      "maxEventTime": greatestEventTime.map { .integer($0) } ?? .null,
      "runtimeStats": runtime.map {
        .members([
          "totalScanTime": .integer($0.scan), "totalUpsertTime": .integer($0.upsert),
          "totalCreateTime": .integer($0.create),
        ])
      } ?? .null,
    ])
  }

  /// Reads the members that are known, passes over others, and takes what is missing or null as nothing.
  init(json: JSONValue) throws(CommitMetadataError) {
    self.init()
    guard let members = json.members else {
      throw CommitMetadataError("the statistics of a file are no object")
    }
    for member in members {
      let value = member.value
      if value == .null { continue }
      switch member.key {
      case "fileId": fileID = try member.text()
      case "path": path = try member.text()
      case "cdcStats": changeLogs = try Self.changeLogs(member)
      case "prevCommit":
        let text = try member.text()
        previousCommit = text == "null" ? nil : text
      case "numWrites": writes = try member.count()
      case "numDeletes": deletes = try member.count()
      case "numUpdateWrites": updates = try member.count()
      case "numInserts": inserts = try member.count()
      case "totalWriteBytes": bytesWritten = try member.count()
      case "totalWriteErrors": errors = try member.count()
      case "tempPath": temporaryPath = try member.text()
      case "partitionPath": partitionPath = try member.text()
      case "totalLogRecords": logs.records = try member.count()
      case "totalLogFilesCompacted": logs.filesCompacted = try member.count()
      case "totalLogSizeCompacted": logs.sizeCompacted = try member.count()
      case "totalUpdatedRecordsCompacted": logs.updatesCompacted = try member.count()
      case "totalLogBlocks": logs.blocks = try member.count()
      case "totalCorruptLogBlock": logs.corruptBlocks = try member.count()
      case "totalRollbackBlocks": logs.rollbackBlocks = try member.count()
      case "fileSizeInBytes": fileSize = try member.count()
      case "minEventTime": leastEventTime = try member.count()
      case "maxEventTime": greatestEventTime = try member.count()
      case "runtimeStats":
        runtime = Runtime(
          scan: value["totalScanTime"]?.int64 ?? 0, upsert: value["totalUpsertTime"]?.int64 ?? 0,
          create: value["totalCreateTime"]?.int64 ?? 0)
      default: break
      }
    }
  }

  private static func changeLogs(_ member: JSONValue.Member) throws(CommitMetadataError) -> OrderedMap<Int64>
  {
    guard let members = member.value.members else { throw CommitMetadataError("\(member.key) is no object") }
    var logs = OrderedMap<Int64>()
    for log in members { logs[log.key] = try log.count() }
    return logs
  }
}
