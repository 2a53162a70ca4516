import TarnAvro

/// What a cleaner removed: the content of `<instant>.clean`.
///
/// Source: `HoodieCleanMetadata`; part B of the format, section 3.
package struct CleanMetadata: ServiceDocument {
  /// The clean's own instant.
  package var start: String
  /// Milliseconds that it took.
  package var duration: Int64
  /// Files that were removed.
  package var deletedCount: Int32
  /// The oldest commit whose files are all kept; empty where the policy does not go by commits.
  package var earliest: String
  /// The latest completed commit when it was planned; empty where older writers did not say.
  package var lastCompleted: String
  /// What was done in each partition.
  package var partitions: OrderedMap<Partition>
  /// The version of the form.
  package var version: Int32? = 2
  /// What was done to files that the table was made of.
  package var bootstrapPartitions: OrderedMap<Partition>? = [:]
  /// Texts under keys.
  package var extra: OrderedMap<String>? = [:]

  /// What was done in a partition.
  package struct Partition: Sendable, Hashable {
    /// The partition; empty where the table has none.
    package var path: String
    /// Hudi's name of the policy.
    package var policy: String
    /// Names of the files that were to go.
    package var patterns: [String]
    /// Names of the files that went.
    package var deleted: [String]
    /// Names of the files that could not be removed.
    package var failed: [String] = []
    /// Whether the folder went too; nil where older writers did not say.
    package var isDeleted: Bool? = false

    /// Makes one of files that went.
    package init(path: String, policy: String, deleted: [String]) {
      self.path = path
      self.policy = policy
      self.patterns = deleted
      self.deleted = deleted
    }

    init(record: AvroRecord) throws(AvroError) {
      path = try record.required(record.text("partitionPath"), "partitionPath")
      policy = try record.text("policy") ?? ""
      patterns = try record.texts("deletePathPatterns") ?? []
      deleted = try record.texts("successDeleteFiles") ?? []
      failed = try record.texts("failedDeleteFiles") ?? []
      isDeleted = try record.boolean("isPartitionDeleted")
    }

    var value: AvroValue {
      .record([
        "partitionPath": .string(path), "policy": .string(policy), "deletePathPatterns": .texts(patterns),
        "successDeleteFiles": .texts(deleted), "failedDeleteFiles": .texts(failed),
        "isPartitionDeleted": .boolean(isDeleted),
      ])
    }
  }

  /// Makes metadata.
  package init(
    start: String, duration: Int64, deletedCount: Int32, earliest: String, lastCompleted: String,
    partitions: OrderedMap<Partition>
  ) {
    self.start = start
    self.duration = duration
    self.deletedCount = deletedCount
    self.earliest = earliest
    self.lastCompleted = lastCompleted
    self.partitions = partitions
  }

  /// Reads metadata.
  ///
  /// - Throws: ``AvroError``.
  package init(avro bytes: [UInt8]) throws(AvroError) { try self.init(container: bytes) }

  /// The metadata as a file.
  ///
  /// - Throws: Nothing that metadata can bring about.
  package func bytes() throws(AvroError) -> [UInt8] { try container() }

  static var schema: String { ServiceSchemas.cleanMetadata }

  init(record: AvroRecord) throws(AvroError) {
    start = try record.required(record.text("startCleanTime"), "startCleanTime")
    duration = try record.whole("timeTakenInMillis") ?? 0
    deletedCount = try record.number("totalFilesDeleted") ?? 0
    earliest = try record.text("earliestCommitToRetain") ?? ""
    lastCompleted = try record.text("lastCompletedCommitTimestamp") ?? ""
    partitions = try record.records(under: "partitionMetadata", Partition.init(record:)) ?? [:]
    version = try record.number("version")
    bootstrapPartitions = try record.records(under: "bootstrapPartitionMetadata", Partition.init(record:))
    extra = try record.labels("extraMetadata")
  }

  var record: AvroRecord {
    [
      "startCleanTime": .string(start), "timeTakenInMillis": .long(duration),
      "totalFilesDeleted": .int(deletedCount), "earliestCommitToRetain": .string(earliest),
      "lastCompletedCommitTimestamp": .string(lastCompleted),
      "partitionMetadata": .map(partitions, \.value), "version": .number(version),
      "bootstrapPartitionMetadata": .map(bootstrapPartitions, \.value),
      "extraMetadata": .map(extra) { .string($0) },
    ]
  }
}
