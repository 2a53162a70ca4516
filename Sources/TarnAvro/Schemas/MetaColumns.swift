import TarnColumns

/// The five columns that Hudi puts in front of a table's own.
///
/// They stand here since Avro schemas with and without them are told apart.
package enum MetaColumns {
  /// Instant of the commit that last wrote the row.
  package static let commitTime = "_hoodie_commit_time"
  /// Text that is unique within its commit: `<instant>_<task>_<row>`.
  package static let commitSequence = "_hoodie_commit_seqno"
  /// The row's key as text.
  package static let recordKey = "_hoodie_record_key"
  /// The row's partition path; empty where the table has no partitions.
  package static let partitionPath = "_hoodie_partition_path"
  /// Name of the file that holds the row.
  package static let fileName = "_hoodie_file_name"

  /// A column of boolean, no meta column, by which a row of a batch says that its key is to be deleted
  /// (`HoodieRecord.HOODIE_IS_DELETED_FIELD`).
  package static let isDeleted = "_hoodie_is_deleted"

  /// Whether a name is one that Hudi keeps for itself, in whatever case, since its engines fold names.
  package static func isReserved(_ name: String) -> Bool { name.lowercased().hasPrefix("_hoodie_") }

  /// All five, in their order.
  package static let all = [commitTime, commitSequence, recordKey, partitionPath, fileName]

  /// All five as fields: nullable strings.
  package static var fields: [Field] { all.map { Field($0, .string) } }

  /// A schema with them in front.
  package static func added(to schema: Schema) -> Schema { Schema(fields + schema.fields) }

  /// A schema without them.
  package static func removed(from schema: Schema) -> Schema {
    Schema(schema.fields.filter { !all.contains($0.name) })
  }
}
