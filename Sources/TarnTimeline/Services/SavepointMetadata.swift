import TarnAvro

/// What a savepoint keeps: the content of `<instant>.savepoint`, whose instant is that of the commit.
///
/// Source: `HoodieSavepointMetadata`; part B of the format, section 4.
package struct SavepointMetadata: ServiceDocument {
  /// Who asked for it.
  package var user: String
  /// When, in milliseconds since 1970.
  package var time: Int64
  /// What was said of it.
  package var comments: String
  /// Names of the files that must not be removed, by partition.
  package var files: OrderedMap<[String]>
  /// The version of the form.
  package var version: Int32? = 1

  /// Makes metadata.
  package init(user: String, time: Int64, comments: String, files: OrderedMap<[String]>) {
    self.user = user
    self.time = time
    self.comments = comments
    self.files = files
  }

  /// Reads metadata.
  ///
  /// - Throws: ``AvroError``.
  package init(avro bytes: [UInt8]) throws(AvroError) { try self.init(container: bytes) }

  /// The metadata as a file.
  ///
  /// - Throws: Nothing that metadata can bring about.
  package func bytes() throws(AvroError) -> [UInt8] { try container() }

  static var schema: String { ServiceSchemas.savepointMetadata }

  init(record: AvroRecord) throws(AvroError) {
    user = try record.text("savepointedBy") ?? ""
    time = try record.whole("savepointedAt") ?? 0
    comments = try record.text("comments") ?? ""
    // Not to know what is kept would let it be removed.
    files = try record.required(
      record.records(under: "partitionMetadata") { partition throws(AvroError) in
        try partition.required(partition.texts("savepointDataFile"), "savepointDataFile")
      }, "partitionMetadata")
    version = try record.number("version")
  }

  var record: AvroRecord {
    let partitions = files.pairs.map { partition, files in
      AvroValue.Entry(
        partition, .record(["partitionPath": .string(partition), "savepointDataFile": .texts(files)]))
    }
    return [
      "savepointedBy": .string(user), "savepointedAt": .long(time), "comments": .string(comments),
      "partitionMetadata": .map(partitions), "version": .number(version),
    ]
  }
}
