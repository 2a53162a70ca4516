import TarnAvro

/// What a rollback did: the content of `<instant>.rollback`.
///
/// Source: `HoodieRollbackMetadata`; part B of the format, section 4.
package struct RollbackMetadata: ServiceDocument {
  /// The rollback's own instant.
  package var start: String
  /// Milliseconds that it took.
  package var duration: Int64
  /// Files that were deleted.
  package var deletedCount: Int32
  /// The instants that were rolled back.
  package var commits: [String]
  /// What was done in each partition.
  package var partitions: OrderedMap<Partition>
  /// The version of the form.
  package var version: Int32? = 1
  /// The instants that were rolled back, with their actions.
  package var instants: [InstantInfo]

  /// What was done in a partition.
  package struct Partition: Sendable, Hashable {
    /// The partition; empty where the table has none.
    package var path: String
    /// Files that were deleted, or were not there.
    package var deleted: [String]
    /// Files that could not be deleted.
    package var failed: [String] = []
    /// Logs that were written with a block that rolls back, and their sizes.
    package var rollbackLogs: OrderedMap<Int64>? = [:]
    /// Logs that the failed commit wrote, and their sizes.
    package var failedLogs: OrderedMap<Int64>? = [:]

    /// Makes one of deleted files.
    package init(path: String, deleted: [String]) {
      self.path = path
      self.deleted = deleted
    }

    init(record: AvroRecord) throws(AvroError) {
      path = try record.required(record.text("partitionPath"), "partitionPath")
      deleted = try record.texts("successDeleteFiles") ?? []
      failed = try record.texts("failedDeleteFiles") ?? []
      rollbackLogs = try record.sizes("rollbackLogFiles")
      failedLogs = try record.sizes("logFilesFromFailedCommit")
    }

    var value: AvroValue {
      .record([
        "partitionPath": .string(path), "successDeleteFiles": .texts(deleted),
        "failedDeleteFiles": .texts(failed), "rollbackLogFiles": .map(rollbackLogs) { .long($0) },
        "logFilesFromFailedCommit": .map(failedLogs) { .long($0) },
      ])
    }
  }

  /// Makes metadata of the rollback of one action.
  package init(
    start: String, duration: Int64, deletedCount: Int32, rolledBack: InstantInfo,
    partitions: OrderedMap<Partition>
  ) {
    self.start = start
    self.duration = duration
    self.deletedCount = deletedCount
    self.commits = [rolledBack.instant]
    self.partitions = partitions
    self.instants = [rolledBack]
  }

  /// Reads metadata.
  ///
  /// - Throws: ``AvroError``.
  package init(avro bytes: [UInt8]) throws(AvroError) { try self.init(container: bytes) }

  /// The metadata as a file.
  ///
  /// - Throws: Nothing that metadata can bring about.
  package func bytes() throws(AvroError) -> [UInt8] { try container() }

  static var schema: String { ServiceSchemas.rollbackMetadata }

  init(record: AvroRecord) throws(AvroError) {
    start = try record.required(record.text("startRollbackTime"), "startRollbackTime")
    duration = try record.whole("timeTakenInMillis") ?? 0
    deletedCount = try record.number("totalFilesDeleted") ?? 0
    commits = try record.texts("commitsRollback") ?? []
    partitions = try record.records(under: "partitionMetadata", Partition.init(record:)) ?? [:]
    version = try record.number("version")
    instants = []
    for info in try record.records("instantsRollback") ?? [] {
      instants.append(try InstantInfo(record: info))
    }
  }

  var record: AvroRecord {
    [
      "startRollbackTime": .string(start), "timeTakenInMillis": .long(duration),
      "totalFilesDeleted": .int(deletedCount), "commitsRollback": .texts(commits),
      "partitionMetadata": .map(partitions, \.value), "version": .number(version),
      "instantsRollback": .array(instants.map(\.value)),
    ]
  }
}
