/// The schemas that Hudi's writers put into the files of their services, to the byte.
///
/// Source: those files, by Hudi 0.15 and 1.2, which have the same.
enum ServiceSchemas {
  static let text = #"{"type":"string","avro.java.string":"String"}"#
  static let texts = #"{"type":"array","items":\#(text)}"#
  static let version = #"{"name":"version","type":["int","null"],"default":1}"#

  static func document(_ name: String, _ fields: [String]) -> String {
    #"{"type":"record","name":"\#(name)","namespace":"org.apache.hudi.avro.model","fields":["#
      + fields.joined(separator: ",") + "]}"
  }

  static func record(_ name: String, _ fields: [String]) -> String {
    #"{"type":"record","name":"\#(name)","fields":["# + fields.joined(separator: ",") + "]}"
  }

  static func field(_ name: String, _ type: String) -> String {
    #"{"name":"\#(name)","type":\#(type)}"#
  }

  static func field(_ name: String, _ type: String, standard: String) -> String {
    #"{"name":"\#(name)","type":\#(type),"default":\#(standard)}"#
  }

  static func optional(_ name: String, _ type: String, doc: String? = nil) -> String {
    let doc = doc.map { #""doc":"\#($0)","# } ?? ""
    return #"{"name":"\#(name)","type":["null",\#(type)],\#(doc)"default":null}"#
  }

  static func map(of values: String, isStandardNull: Bool = false) -> String {
    #"{"type":"map","values":\#(values),"avro.java.string":"String"\#(isStandardNull ? #","default":null"# : "")}"#
  }

  static func array(of items: String, standard: String) -> String {
    #"{"type":"array","items":\#(items),"default":\#(standard)}"#
  }

  private static let instant = record(
    "HoodieInstantInfo", [field("commitTime", text), field("action", text)])

  static let rollbackPlan = document(
    "HoodieRollbackPlan",
    [
      optional("instantToRollback", instant, doc: "Hoodie instant that needs to be rolled back"),
      optional(
        "RollbackRequests",
        #"{"type":"array","items":"#
          + record(
            "HoodieRollbackRequest",
            [
              field("partitionPath", text), optional("fileId", text), optional("latestBaseInstant", text),
              field("filesToBeDeleted", array(of: text, standard: "[]"), standard: "[]"),
              optional("logBlocksToBeDeleted", map(of: #""long""#)),
            ]) + "}"),
      version,
    ])

  static let rollbackFields = [
    field("startRollbackTime", text), field("timeTakenInMillis", #""long""#),
    field("totalFilesDeleted", #""int""#), field("commitsRollback", texts),
    field(
      "partitionMetadata",
      map(
        of: record(
          "HoodieRollbackPartitionMetadata",
          [
            field("partitionPath", text), field("successDeleteFiles", texts),
            field("failedDeleteFiles", texts), optional("rollbackLogFiles", map(of: #""long""#)),
            optional("logFilesFromFailedCommit", map(of: #""long""#)),
          ]))),
    version, field("instantsRollback", array(of: instant, standard: "[]"), standard: "[]"),
  ]

  static let rollbackMetadata = document("HoodieRollbackMetadata", rollbackFields)

  static let savepointMetadata = document(
    "HoodieSavepointMetadata",
    [
      field("savepointedBy", text), field("savepointedAt", #""long""#), field("comments", text),
      field(
        "partitionMetadata",
        map(
          of: record(
            "HoodieSavepointPartitionMetadata",
            [field("partitionPath", text), field("savepointDataFile", texts)]))),
      version,
    ])

  static let restorePlan = document(
    "HoodieRestorePlan",
    [
      field("instantsToRollback", array(of: instant, standard: "null"), standard: "[]"),
      #"{"name":"version","type":["int","null"],"default":2}"#, optional("savepointToRestoreTimestamp", text),
    ])

  static let restoreMetadata = document(
    "HoodieRestoreMetadata",
    [
      field("startRestoreTime", text), field("timeTakenInMillis", #""long""#),
      field("instantsToRollback", texts),
      field(
        "hoodieRestoreMetadata",
        map(
          of: #"{"type":"array","items":["null",\#(record("HoodieRollbackMetadata", rollbackFields))],"#
            + #""default":null}"#)),
      version,
      field("restoreInstantInfo", array(of: #""HoodieInstantInfo""#, standard: "null"), standard: "[]"),
    ])

  static let replaceRequest = document(
    "HoodieRequestedReplaceMetadata",
    [
      optional("operationType", text),
      optional(
        "clusteringPlan",
        record(
          "HoodieClusteringPlan",
          [
            optional(
              "inputGroups",
              #"{"type":"array","items":"#
                + record(
                  "HoodieClusteringGroup",
                  [
                    optional(
                      "slices",
                      #"{"type":"array","items":"#
                        + record(
                          "HoodieSliceInfo",
                          [
                            optional("dataFilePath", text), optional("deltaFilePaths", texts),
                            #"{"name":"fileId","type":["null",\#(text)]}"#, optional("partitionPath", text),
                            optional("bootstrapFilePath", text), version,
                          ]) + "}"),
                    optional("metrics", map(of: #""double""#)),
                    #"{"name":"numOutputFileGroups","type":["int","null"],"default":1}"#,
                    optional("extraMetadata", map(of: text)), version,
                  ]) + "}"),
            optional(
              "strategy",
              record(
                "HoodieClusteringStrategy",
                [optional("strategyClassName", text), optional("strategyParams", map(of: text)), version])),
            optional("extraMetadata", map(of: text)), version,
            optional("preserveHoodieMetadata", #""boolean""#),
          ])),
      optional("extraMetadata", map(of: text)), version,
    ])

  static let cleanPlan = document(
    "HoodieCleanerPlan",
    [
      optional(
        "earliestInstantToRetain",
        record(
          "HoodieActionInstant", [field("timestamp", text), field("action", text), field("state", text)])),
      field("lastCompletedCommitTimestamp", text, standard: #""""#), field("policy", text),
      optional("filesToBeDeletedPerPartition", map(of: texts)), version,
      optional(
        "filePathsToBeDeletedPerPartition",
        map(
          of: #"{"type":"array","items":"#
            + record(
              "HoodieCleanFileInfo",
              [optional("filePath", text), optional("isBootstrapBaseFile", #""boolean""#)]) + "}"),
        doc: "This field replaces the field filesToBeDeletedPerPartition"),
      optional("partitionsToBeDeleted", texts, doc: "partitions to be deleted"),
      optional("extraMetadata", map(of: text, isStandardNull: true)),
    ])

  static let cleanFields = [
    field("startCleanTime", text), field("timeTakenInMillis", #""long""#),
    field("totalFilesDeleted", #""int""#), field("earliestCommitToRetain", text),
    field("lastCompletedCommitTimestamp", text, standard: #""""#),
    field(
      "partitionMetadata",
      map(
        of: record(
          "HoodieCleanPartitionMetadata",
          [
            field("partitionPath", text), field("policy", text), field("deletePathPatterns", texts),
            field("successDeleteFiles", texts), field("failedDeleteFiles", texts),
            optional("isPartitionDeleted", #""boolean""#),
          ]))),
    version,
    optional(
      "bootstrapPartitionMetadata", map(of: #""HoodieCleanPartitionMetadata""#, isStandardNull: true)),
    optional("extraMetadata", map(of: text, isStandardNull: true)),
  ]

  static let cleanMetadata = document("HoodieCleanMetadata", cleanFields)
}
