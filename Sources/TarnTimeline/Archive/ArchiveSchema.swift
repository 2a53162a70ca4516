/// The schema of what Tarn archives: Hudi's own without the actions that Tarn never archives.
///
/// Each field has a default in Hudi's schema, as an archive of an older writer lacks fields of newer ones; and whole, it
/// would be most of a file with some instants.
///
/// Source: `HoodieArchivedMetaEntry`, as Hudi 0.15 puts it into the blocks of an archive.
enum ArchiveSchema {
  private static let file = ServiceSchemas.record(
    "HoodieWriteStat",
    ["fileId", "path", "prevCommit"].map { ServiceSchemas.optional($0, ServiceSchemas.text) }
      + ["numWrites", "numDeletes", "numUpdateWrites", "totalWriteBytes", "totalWriteErrors"].map(count)
      + [ServiceSchemas.optional("partitionPath", ServiceSchemas.text)]
      + [
        "totalLogRecords", "totalLogFiles", "totalUpdatedRecordsCompacted", "numInserts", "totalLogBlocks",
        "totalCorruptLogBlock", "totalRollbackBlocks", "fileSizeInBytes",
      ].map(count))

  private static func count(_ name: String) -> String { ServiceSchemas.optional(name, #""long""#) }

  private static func files(_ type: String) -> String {
    ServiceSchemas.optional(
      "partitionToWriteStats", ServiceSchemas.map(of: #"{"type":"array","items":\#(type)}"#))
  }

  private static let operation = ServiceSchemas.optional("operationType", ServiceSchemas.text)

  private static let commit = ServiceSchemas.record(
    "HoodieCommitMetadata",
    [
      files(file),
      ServiceSchemas.optional(
        "extraMetadata", ServiceSchemas.map(of: ServiceSchemas.text, isStandardNull: true)),
      ServiceSchemas.version, operation,
    ])

  private static let replacement = ServiceSchemas.record(
    "HoodieReplaceCommitMetadata",
    [
      files(#""HoodieWriteStat""#),
      ServiceSchemas.optional("extraMetadata", ServiceSchemas.map(of: ServiceSchemas.text)),
      ServiceSchemas.version, operation,
      ServiceSchemas.optional("partitionToReplaceFileIds", ServiceSchemas.map(of: ServiceSchemas.texts)),
    ])

  static let text = ServiceSchemas.document(
    "HoodieArchivedMetaEntry",
    [
      ServiceSchemas.optional("hoodieCommitMetadata", commit),
      ServiceSchemas.optional(
        "hoodieCleanMetadata", ServiceSchemas.record("HoodieCleanMetadata", ServiceSchemas.cleanFields)),
      ServiceSchemas.optional(
        "hoodieRollbackMetadata",
        ServiceSchemas.record("HoodieRollbackMetadata", ServiceSchemas.rollbackFields)),
      ServiceSchemas.optional("commitTime", ServiceSchemas.text),
      ServiceSchemas.optional("actionType", ServiceSchemas.text), ServiceSchemas.version,
      ServiceSchemas.optional("actionState", ServiceSchemas.text),
      ServiceSchemas.optional("hoodieReplaceCommitMetadata", replacement),
      ServiceSchemas.optional("stateTransitionTime", ServiceSchemas.text),
    ])
}
