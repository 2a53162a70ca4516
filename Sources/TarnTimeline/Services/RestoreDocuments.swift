import TarnAvro

/// What a restore will do: the content of `<instant>.restore.requested`.
///
/// Source: `HoodieRestorePlan`; part B of the format, section 4.
package struct RestorePlan: ServiceDocument {
  /// The actions that are rolled back, the newest first.
  package var instants: [InstantInfo]
  /// The version of the plan's form.
  package var version: Int32? = 2
  /// The savepoint to which the table goes back; nil where older writers did not say.
  package var savepoint: String?

  /// Makes a plan.
  package init(instants: [InstantInfo], savepoint: String?) {
    self.instants = instants
    self.savepoint = savepoint
  }

  /// Reads a plan.
  ///
  /// - Throws: ``AvroError``.
  package init(avro bytes: [UInt8]) throws(AvroError) { try self.init(container: bytes) }

  /// The plan as a file.
  ///
  /// - Throws: Nothing that a plan can bring about.
  package func bytes() throws(AvroError) -> [UInt8] { try container() }

  static var schema: String { ServiceSchemas.restorePlan }

  init(record: AvroRecord) throws(AvroError) {
    instants = []
    for info in try record.records("instantsToRollback") ?? [] {
      instants.append(try InstantInfo(record: info))
    }
    version = try record.number("version")
    savepoint = try record.text("savepointToRestoreTimestamp")
  }

  var record: AvroRecord {
    [
      "instantsToRollback": .array(instants.map(\.value)), "version": .number(version),
      "savepointToRestoreTimestamp": .text(savepoint),
    ]
  }
}

/// What a restore did: the content of `<instant>.restore`.
///
/// Source: `HoodieRestoreMetadata`; part B of the format, section 4.
package struct RestoreMetadata: ServiceDocument {
  /// The restore's own instant.
  package var start: String
  /// Milliseconds that it took.
  package var duration: Int64
  /// The instants that were rolled back.
  package var commits: [String]
  /// What the rollbacks of each instant did.
  package var rollbacks: OrderedMap<[RollbackMetadata]>
  /// The version of the form.
  package var version: Int32? = 1
  /// The instants that were rolled back, with their actions.
  package var instants: [InstantInfo]

  /// Makes metadata.
  package init(
    start: String, duration: Int64, rollbacks: OrderedMap<[RollbackMetadata]>, instants: [InstantInfo]
  ) {
    self.start = start
    self.duration = duration
    self.commits = instants.map(\.instant)
    self.rollbacks = rollbacks
    self.instants = instants
  }

  /// Reads metadata.
  ///
  /// - Throws: ``AvroError``.
  package init(avro bytes: [UInt8]) throws(AvroError) { try self.init(container: bytes) }

  /// The metadata as a file.
  ///
  /// - Throws: Nothing that metadata can bring about.
  package func bytes() throws(AvroError) -> [UInt8] { try container() }

  static var schema: String { ServiceSchemas.restoreMetadata }

  init(record: AvroRecord) throws(AvroError) {
    start = try record.required(record.text("startRestoreTime"), "startRestoreTime")
    duration = try record.whole("timeTakenInMillis") ?? 0
    commits = try record.texts("instantsToRollback") ?? []
    let key = "hoodieRestoreMetadata"
    rollbacks =
      try record.map(key) { value throws(AvroError) in
        guard case .array(let elements) = value else {
          throw AvroError(.mismatch, field: key, "a value is no array")
        }
        var rollbacks: [RollbackMetadata] = []
        for case .record(let element) in elements { rollbacks.append(try RollbackMetadata(record: element)) }
        return rollbacks
      } ?? [:]
    version = try record.number("version")
    instants = []
    for info in try record.records("restoreInstantInfo") ?? [] {
      instants.append(try InstantInfo(record: info))
    }
  }

  var record: AvroRecord {
    [
      "startRestoreTime": .string(start), "timeTakenInMillis": .long(duration),
      "instantsToRollback": .texts(commits),
      "hoodieRestoreMetadata": .map(rollbacks) { .array($0.map { .record($0.record) }) },
      "version": .number(version), "restoreInstantInfo": .array(instants.map(\.value)),
    ]
  }
}
