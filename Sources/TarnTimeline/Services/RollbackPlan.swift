import TarnAvro

/// What a rollback will do: the content of `<instant>.rollback.requested`.
///
/// Source: `HoodieRollbackPlan`; part B of the format, section 4.
package struct RollbackPlan: ServiceDocument {
  /// The action that is rolled back; nil only in plans of others.
  package var instant: InstantInfo?
  /// What becomes of the files of each file group.
  package var requests: [Request]
  /// The version of the plan's form.
  package var version: Int32? = 1

  /// What becomes of files of one partition.
  package struct Request: Sendable, Hashable {
    /// The partition; empty where the table has none.
    package var partitionPath: String
    /// The file group whose logs are rolled back by a block; empty where files are deleted.
    package var fileID: String?
    /// The instant of that group's base file; empty where files are deleted.
    package var baseInstant: String?
    /// Paths of files that are deleted, whole and without a scheme.
    package var deletedFiles: [String]
    /// Logs whose blocks are rolled back, as URIs, with their sizes.
    package var logs: OrderedMap<Int64>?

    /// The request to delete files, as Spark makes it.
    package init(partitionPath: String, deleting files: [String]) {
      self.init(partitionPath: partitionPath, fileID: "", baseInstant: "", deletedFiles: files, logs: [:])
    }

    /// Makes a request of its parts.
    package init(
      partitionPath: String, fileID: String?, baseInstant: String?, deletedFiles: [String],
      logs: OrderedMap<Int64>?
    ) {
      self.partitionPath = partitionPath
      self.fileID = fileID
      self.baseInstant = baseInstant
      self.deletedFiles = deletedFiles
      self.logs = logs
    }

    init(record: AvroRecord) throws(AvroError) {
      partitionPath = try record.required(record.text("partitionPath"), "partitionPath")
      fileID = try record.text("fileId")
      baseInstant = try record.text("latestBaseInstant")
      deletedFiles = try record.texts("filesToBeDeleted") ?? []
      logs = try record.sizes("logBlocksToBeDeleted")
    }

    var value: AvroValue {
      .record([
        "partitionPath": .string(partitionPath), "fileId": .text(fileID),
        "latestBaseInstant": .text(baseInstant), "filesToBeDeleted": .texts(deletedFiles),
        "logBlocksToBeDeleted": .map(logs) { .long($0) },
      ])
    }
  }

  /// Makes a plan.
  package init(instant: InstantInfo, requests: [Request]) {
    self.instant = instant
    self.requests = requests
  }

  /// Reads a plan.
  ///
  /// - Throws: ``AvroError``.
  package init(avro bytes: [UInt8]) throws(AvroError) { try self.init(container: bytes) }

  /// The plan as a file.
  ///
  /// - Throws: Nothing that a plan can bring about.
  package func bytes() throws(AvroError) -> [UInt8] { try container() }

  static var schema: String { ServiceSchemas.rollbackPlan }

  init(record: AvroRecord) throws(AvroError) {
    if let record = try record.record("instantToRollback") { instant = try InstantInfo(record: record) }
    requests = []
    for request in try record.records("RollbackRequests") ?? [] {
      requests.append(try Request(record: request))
    }
    version = try record.number("version")
  }

  var record: AvroRecord {
    [
      "instantToRollback": instant?.value ?? .null, "RollbackRequests": .array(requests.map(\.value)),
      "version": .number(version),
    ]
  }
}
