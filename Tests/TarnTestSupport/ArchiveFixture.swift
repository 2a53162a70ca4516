import TarnAvro

/// Archives made byte by byte, in a form of Hudi's schema that has what is read and a little more.
package enum ArchiveFixture {
  /// The schema.
  package static let schema = #"""
    {"type":"record","name":"HoodieArchivedMetaEntry","namespace":"org.apache.hudi.avro.model","fields":[
      {"name":"hoodieCommitMetadata","type":["null",{"type":"record","name":"HoodieCommitMetadata","fields":[
        {"name":"partitionToWriteStats","type":["null",{"type":"map","values":{"type":"array","items":
          {"type":"record","name":"HoodieWriteStat","fields":[
            {"name":"fileId","type":["null","string"],"default":null},
            {"name":"path","type":["null","string"],"default":null},
            {"name":"prevCommit","type":["null","string"],"default":null},
            {"name":"numWrites","type":["null","long"],"default":null},
            {"name":"totalLogFiles","type":["null","long"],"default":null},
            {"name":"fileSizeInBytes","type":["null","long"],"default":null}]}}}],"default":null},
        {"name":"extraMetadata","type":["null",{"type":"map","values":"string"}],"default":null},
        {"name":"version","type":["int","null"],"default":1},
        {"name":"operationType","type":["null","string"],"default":null}]}],"default":null},
      {"name":"hoodieCleanMetadata","type":["null",{"type":"record","name":"HoodieCleanMetadata","fields":[
        {"name":"startCleanTime","type":"string"}]}],"default":null},
      {"name":"commitTime","type":["null","string"],"default":null},
      {"name":"actionType","type":["null","string"],"default":null},
      {"name":"version","type":["int","null"],"default":1},
      {"name":"actionState","type":["null","string"],"default":null},
      {"name":"hoodieReplaceCommitMetadata","type":["null",{"type":"record","name":"HoodieReplaceCommitMetadata","fields":[
        {"name":"partitionToWriteStats","type":["null",{"type":"map","values":
          {"type":"array","items":"HoodieWriteStat"}}],"default":null},
        {"name":"partitionToReplaceFileIds","type":["null",
          {"type":"map","values":{"type":"array","items":"string"}}],"default":null}]}],"default":null},
      {"name":"HoodieInflightReplaceMetadata","type":["null","HoodieCommitMetadata"],"default":null}]}
    """#

  /// An entry in one state.
  package static func entry(
    _ instant: String, _ action: String = "commit", _ state: String? = "COMPLETED",
    _ metadata: AvroValue = .null, under field: String = "hoodieCommitMetadata"
  ) throws -> [UInt8] {
    var out: [UInt8] = []
    let record = AvroRecord(
      "",
      [
        .init("commitTime", .string(instant)), .init("actionType", .string(action)),
        .init("actionState", state.map { .string($0) } ?? .null), .init(field, metadata),
      ])
    try AvroEncoder(AvroLayout(parsing: schema)).append(.record(record), to: &out)
    return out
  }

  /// What a commit did that wrote one file.
  package static func commit(_ path: String, writes: Int64 = 1, extra: [(String, String)] = []) -> AvroValue {
    .record([
      "partitionToWriteStats": .map([
        .init(
          "p",
          .array([
            .record([
              "fileId": .string("f-0"), "path": .string(path), "prevCommit": .string("null"),
              "numWrites": .long(writes), "fileSizeInBytes": .long(99),
            ])
          ]))
      ]),
      "extraMetadata": .map(
        extra.map { .init($0.0, .string($0.1)) } + [.init("ROLLING_STAT", .string(""))]),
      "operationType": .string("UPSERT"),
    ])
  }

  /// A file with a block a list of entries.
  package static func file(_ blocks: [[[UInt8]]]) -> [UInt8] {
    var file = LogBytes()
    for entries in blocks {
      file.append(kind: 3, header: [(2, schema)], content: LogBytes.content(of: entries))
    }
    return file.bytes
  }
}
