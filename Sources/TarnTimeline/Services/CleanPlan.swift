import TarnAvro

/// What a cleaner will remove: the content of `<instant>.clean.requested`.
///
/// Source: `HoodieCleanerPlan`; part B of the format, section 3.
package struct CleanPlan: ServiceDocument {
  /// The oldest action whose files are all kept; nil where the policy does not go by actions.
  package var earliest: Retained?
  /// The latest completed commit when it was planned; empty where older writers did not say.
  package var lastCompleted: String
  /// Hudi's name of the policy, as `KEEP_LATEST_COMMITS`.
  package var policy: String
  /// Files by partition, as old writers gave them.
  package var oldFiles: OrderedMap<[String]>? = [:]
  /// The version of the plan's form.
  package var version: Int32? = 2
  /// Files to be removed, by partition.
  package var files: OrderedMap<[File]>?
  /// Partitions whose folders are to be removed.
  package var partitions: [String]? = []
  /// Texts under keys, as `savepointed_timestamps`.
  package var extra: OrderedMap<String>? = [:]

  /// An action that is kept.
  package struct Retained: Sendable, Hashable {
    /// The instant's digits.
    package var instant: String
    /// The action's name.
    package var action: String
    /// The name of its state, as `COMPLETED`.
    package var state: String

    /// Makes one of its names.
    package init(instant: String, action: String, state: String) {
      self.instant = instant
      self.action = action
      self.state = state
    }
  }

  /// A file to be removed.
  package struct File: Sendable, Hashable {
    /// The path, whole.
    package var path: String?
    /// Whether it is a file that the table was made of and does not own.
    package var isBootstrap: Bool?

    /// Makes one.
    package init(path: String?, isBootstrap: Bool? = false) {
      self.path = path
      self.isBootstrap = isBootstrap
    }
  }

  /// Makes a plan.
  package init(earliest: Retained?, lastCompleted: String, policy: String, files: OrderedMap<[File]>) {
    self.earliest = earliest
    self.lastCompleted = lastCompleted
    self.policy = policy
    self.files = files
  }

  /// Reads a plan.
  ///
  /// - Throws: ``AvroError``.
  package init(avro bytes: [UInt8]) throws(AvroError) { try self.init(container: bytes) }

  /// The plan as a file.
  ///
  /// - Throws: Nothing that a plan can bring about.
  package func bytes() throws(AvroError) -> [UInt8] { try container() }

  static var schema: String { ServiceSchemas.cleanPlan }

  init(record: AvroRecord) throws(AvroError) {
    if let kept = try record.record("earliestInstantToRetain") {
      earliest = Retained(
        instant: try kept.required(kept.text("timestamp"), "timestamp"),
        action: try kept.required(kept.text("action"), "action"),
        state: try kept.required(kept.text("state"), "state"))
    }
    lastCompleted = try record.text("lastCompletedCommitTimestamp") ?? ""
    policy = try record.required(record.text("policy"), "policy")
    oldFiles = try record.lists("filesToBeDeletedPerPartition")
    version = try record.number("version")
    let key = "filePathsToBeDeletedPerPartition"
    files = try record.map(key) { value throws(AvroError) in
      var files: [File] = []
      for file in try AvroRecord("", [.init(key, value)]).records(key) ?? [] {
        files.append(
          File(path: try file.text("filePath"), isBootstrap: try file.boolean("isBootstrapBaseFile")))
      }
      return files
    }
    partitions = try record.texts("partitionsToBeDeleted")
    extra = try record.labels("extraMetadata")
  }

  var record: AvroRecord {
    let earliest = earliest.map { kept in
      AvroValue.record([
        "timestamp": .string(kept.instant), "action": .string(kept.action), "state": .string(kept.state),
      ])
    }
    return [
      "earliestInstantToRetain": earliest ?? .null, "lastCompletedCommitTimestamp": .string(lastCompleted),
      "policy": .string(policy), "filesToBeDeletedPerPartition": .map(oldFiles, AvroValue.texts),
      "version": .number(version),
      "filePathsToBeDeletedPerPartition": .map(files) { files in
        .array(
          files.map {
            .record(["filePath": .text($0.path), "isBootstrapBaseFile": .boolean($0.isBootstrap)])
          })
      },
      "partitionsToBeDeleted": partitions.map(AvroValue.texts) ?? .null,
      "extraMetadata": .map(extra) { .string($0) },
    ]
  }
}
