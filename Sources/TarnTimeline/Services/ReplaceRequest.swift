import TarnAvro
import TarnBytes

/// What is to be replaced: the content of `<instant>.replacecommit.requested`.
///
/// Of file groups only a clustering names those that go; an overwrite finds them out while it runs, and says nothing.
///
/// Source: `HoodieRequestedReplaceMetadata`; part B of the format, section 5.
package struct ReplaceRequest: ServiceDocument {
  /// Hudi's name of the operation, as `CLUSTER`; nil where nothing is said.
  package var operation: String?
  /// What is clustered; nil for other replacements.
  package var plan: ClusteringPlan?
  /// Texts under keys.
  package var extra: OrderedMap<String>?
  /// The version of the form.
  package var version: Int32?

  /// The request of a replacement that says nothing, as that of an overwrite.
  package init() {}

  /// The request of a clustering.
  package init(clustering plan: ClusteringPlan) {
    operation = "CLUSTER"
    self.plan = plan
    extra = [:]
    version = 1
  }

  /// Reads a request.
  ///
  /// - Throws: ``AvroError``.
  package init(avro bytes: [UInt8]) throws(AvroError) { try self.init(container: bytes) }

  /// The request as a file.
  ///
  /// - Throws: Nothing that a request can bring about.
  package func bytes() throws(AvroError) -> [UInt8] { try container() }

  static var schema: String { ServiceSchemas.replaceRequest }

  init(record: AvroRecord) throws(AvroError) {
    operation = try record.text("operationType")
    plan = try record.record("clusteringPlan").map { record throws(AvroError) in
      try ClusteringPlan(record: record)
    }
    extra = try record.labels("extraMetadata")
    version = try record.number("version")
  }

  var record: AvroRecord {
    [
      "operationType": .text(operation), "clusteringPlan": plan?.value ?? .null,
      "extraMetadata": .map(extra) { .string($0) }, "version": .number(version),
    ]
  }
}

/// Which file slices are clustered.
///
/// Source: `HoodieClusteringPlan`; part B of the format, section 5.
package struct ClusteringPlan: Sendable, Hashable {
  /// A file slice that goes.
  package struct Slice: Sendable, Hashable {
    /// The base file's whole path; nil where there is none.
    package var path: String?
    /// The file group.
    package var fileID: String?
    /// Its partition.
    package var partition: String?

    /// Names a slice.
    package init(path: String?, fileID: String?, partition: String?) {
      self.path = path
      self.fileID = fileID
      self.partition = partition
    }
  }

  /// Slices of which new file groups are made together.
  package struct Group: Sendable, Hashable {
    /// The slices.
    package var slices: [Slice]
    /// How many file groups they become.
    package var outputs: Int32?

    /// Makes a group.
    package init(_ slices: [Slice], outputs: Int32) {
      self.slices = slices
      self.outputs = outputs
    }
  }

  /// The groups.
  package var groups: [Group]
  /// The class of Hudi's that would carry it out; nil where it is not said.
  package var strategy: String?
  /// What that class is told, as the columns by which it sorts.
  package var parameters: OrderedMap<String>?
  /// Whether rows keep the instants of their commits.
  package var keepsMetaColumns: Bool?

  /// Makes a plan, whose rows keep the instants of their commits.
  package init(_ groups: [Group], strategy: String, parameters: OrderedMap<String>) {
    self.groups = groups
    self.strategy = strategy
    self.parameters = parameters
    keepsMetaColumns = true
  }

  init(record: AvroRecord) throws(AvroError) {
    groups = []
    for group in try record.records("inputGroups") ?? [] {
      var slices: [Slice] = []
      for slice in try group.records("slices") ?? [] {
        slices.append(
          Slice(
            path: try slice.text("dataFilePath"), fileID: try slice.text("fileId"),
            partition: try slice.text("partitionPath")))
      }
      var found = Group(slices, outputs: 1)
      found.outputs = try group.number("numOutputFileGroups")
      groups.append(found)
    }
    let strategy = try record.record("strategy")
    self.strategy = try strategy?.text("strategyClassName")
    parameters = try strategy?.labels("strategyParams")
    keepsMetaColumns = try record.boolean("preserveHoodieMetadata")
  }

  fileprivate var value: AvroValue {
    let groups = groups.map { group in
      AvroValue.record([
        "slices": .array(
          group.slices.map { slice in
            .record([
              "dataFilePath": .text(slice.path), "deltaFilePaths": .array([]),
              "fileId": .text(slice.fileID), "partitionPath": .text(slice.partition),
              "bootstrapFilePath": .string(""), "version": .int(1),
            ])
          }),
        "metrics": .null, "numOutputFileGroups": .number(group.outputs), "extraMetadata": .null,
        "version": .int(1),
      ])
    }
    return .record([
      "inputGroups": .array(groups),
      "strategy": .record([
        "strategyClassName": .text(strategy), "strategyParams": .map(parameters) { .string($0) },
        "version": .int(1),
      ]),
      "extraMetadata": .map([]), "version": .int(1), "preserveHoodieMetadata": .boolean(keepsMetaColumns),
    ])
  }
}
