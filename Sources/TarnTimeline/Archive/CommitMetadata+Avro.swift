import TarnAvro

extension CommitMetadata {
  /// What Hudi's archive puts into the metadata of every commit, and which says nothing.
  private static let rollingKey = "ROLLING_STAT"

  /// Takes what a record says; fields that it lacks or that are null mean nothing, as in JSON.
  ///
  /// Source: `HoodieCommitMetadata` and `HoodieReplaceCommitMetadata`, as Avro of the archived timeline.
  init(record: AvroRecord) throws(AvroError) {
    self.init(operation: try record.text("operationType").map(OperationType.init(rawValue:)))
    partitions =
      try record.map("partitionToWriteStats") { value throws(AvroError) in
        let key = "partitionToWriteStats"
        var files: [WriteStatistics] = []
        for file in try AvroRecord("", [.init(key, value)]).records(key) ?? [] {
          files.append(try WriteStatistics(record: file))
        }
        return files
      } ?? [:]
    isCompacted = try record.boolean("compacted") ?? false
    extra = try record.labels("extraMetadata") ?? [:]
    if extra[Self.rollingKey] == "" { extra[Self.rollingKey] = nil }
    replaced = try record.lists("partitionToReplaceFileIds")
  }

  /// The record that an archive keeps.
  func archived(isReplacement: Bool) -> AvroRecord {
    var extra = extra
    extra[Self.rollingKey] = ""
    var fields: [AvroValue.Entry] = [
      .init("partitionToWriteStats", .map(partitions) { .array($0.map { .record($0.archived) }) }),
      .init("extraMetadata", .map(extra) { .string($0) }),
      .init("operationType", .text(operation?.rawValue)),
    ]
    if isReplacement { fields.append(.init("partitionToReplaceFileIds", .map(replaced, AvroValue.texts))) }
    return AvroRecord("", fields)
  }
}

extension WriteStatistics {
  /// Takes what a record says; an archive leaves out much that the commit itself said.
  init(record: AvroRecord) throws(AvroError) {
    self.init()
    func count(_ name: String) throws(AvroError) -> Int64 { try record.whole(name) ?? 0 }
    fileID = try record.text("fileId") ?? ""
    path = try record.text("path")
    changeLogs = try record.sizes("cdcStats")
    // Hudi writes the text "null".
    previousCommit = try record.text("prevCommit").flatMap { $0 == "null" ? nil : $0 }
    writes = try count("numWrites")
    deletes = try count("numDeletes")
    updates = try count("numUpdateWrites")
    inserts = try count("numInserts")
    bytesWritten = try count("totalWriteBytes")
    errors = try count("totalWriteErrors")
    temporaryPath = try record.text("tempPath")
    partitionPath = try record.text("partitionPath")
    logs.records = try count("totalLogRecords")
    logs.filesCompacted = try count("totalLogFilesCompacted")
    logs.sizeCompacted = try count("totalLogSizeCompacted")
    logs.updatesCompacted = try count("totalUpdatedRecordsCompacted")
    logs.blocks = try count("totalLogBlocks")
    logs.corruptBlocks = try count("totalCorruptLogBlock")
    logs.rollbackBlocks = try count("totalRollbackBlocks")
    fileSize = try count("fileSizeInBytes")
    leastEventTime = try record.whole("minEventTime")
    greatestEventTime = try record.whole("maxEventTime")
    if let times = try record.record("runtimeStats") {
      runtime = Runtime(
        scan: try times.whole("totalScanTime") ?? 0, upsert: try times.whole("totalUpsertTime") ?? 0,
        create: try times.whole("totalCreateTime") ?? 0)
    }
  }

  /// The record that an archive keeps.
  fileprivate var archived: AvroRecord {
    [
      "fileId": .string(fileID), "path": .text(path), "prevCommit": .string(previousCommit ?? "null"),
      "numWrites": .long(writes), "numDeletes": .long(deletes), "numUpdateWrites": .long(updates),
      "totalWriteBytes": .long(bytesWritten), "totalWriteErrors": .long(errors),
      "partitionPath": .text(partitionPath), "totalLogRecords": .long(logs.records),
      "totalLogFiles": .long(0), "totalUpdatedRecordsCompacted": .long(logs.updatesCompacted),
      "numInserts": .long(inserts), "totalLogBlocks": .long(logs.blocks),
      "totalCorruptLogBlock": .long(logs.corruptBlocks), "totalRollbackBlocks": .long(logs.rollbackBlocks),
      "fileSizeInBytes": .long(fileSize),
    ]
  }
}
