import TarnColumns
import TarnFileGroups
import TarnIndex
import TarnTimeline

/// How the keys of a table's rows are made, and where those of stored rows are.
struct TableKeys: Sendable {
  /// Makes keys and partition paths of rows.
  let generator: RecordKeyGenerator
  /// Where the keys of stored rows are.
  let stored: StoredKeys
  /// What is asked of a file of another writer when it is first used; nil where there is nothing to ask.
  let check: StoredKeyCheck?

  /// - Parameters:
  ///   - properties: The table's.
  ///   - schema: The data columns once the write is done.
  ///   - buckets: The table's bucket index, as it says or the writer was told; nil for none.
  init(_ properties: TableProperties, _ schema: Schema, _ buckets: Buckets?) throws(TableError) {
    do throws(KeyError) {
      var generator = try RecordKeyGenerator(properties)
      generator.hashing = buckets.flatMap {
        KeyHashing(buckets: $0.count, fields: $0.named(properties.recordKeyFields).fields)
      }
      self.generator = generator
      stored = try StoredKeys(
        generator, schema, populatesMetaColumns: properties.populatesMetaFields)
    } catch { throw TableError(error) }
    check = StoredKeyCheck(
      generator, schema, table: properties.name, populatesMetaColumns: properties.populatesMetaFields)
  }
}

/// A table that can be written, as a write leaves it.
struct WritableTable: Sendable {
  /// The table's properties.
  let properties: TableProperties
  /// The options that Tarn keeps among them.
  let options: TarnOptions
  /// The data columns before the write.
  let present: Schema
  /// The data columns once the write is done.
  let schema: Schema
  /// How keys are made.
  let keys: TableKeys
  /// The ordering column, and behind it those that break ties; none where the table has no ordering column.
  let orderingColumns: [Field]
  /// Whether the storage copies long ranges of files itself.
  private let areFilesCopied: Bool

  /// Takes a table as it is found.
  ///
  /// - Parameters:
  ///   - state: The table.
  ///   - settings: How this process works on it.
  ///   - evolved: Makes the schema that the write leaves of the one there is.
  /// - Throws: ``TableError`` with code `unsupported` for a table that Tarn only reads.
  init(
    _ state: TableState, _ settings: TableSettings, evolved: (Schema) throws(TableError) -> Schema = { $0 }
  ) throws(TableError) {
    properties = state.properties
    options = try TarnOptions(properties)
    present = try state.requireSchema()
    if let nested = present.fields.first(where: \.type.isNested) {
      throw TableError(
        .unsupported,
        "table \(properties.name) has the nested column \(nested.name): Tarn only reads such tables yet",
        column: nested.name)
    }
    schema = try evolved(present)
    areFilesCopied = settings.areFilesCopied
    orderingColumns = try Self.orderingColumns(properties, schema)
    keys = try TableKeys(properties, schema, options.buckets ?? settings.buckets)
  }

  /// - Throws: ``TableError`` with code `damaged` where a column is to break ties that is not there.
  private static func orderingColumns(
    _ properties: TableProperties, _ schema: Schema
  ) throws(TableError) -> [Field] {
    let ordering = properties.orderingField.flatMap { schema[$0] }
    var ties: [Field] = []
    for name in properties.tieBreakers {
      guard ordering != nil, let field = schema[name] else {
        throw TableError(
          .damaged,
          "\(TablePaths.properties): tarn.ordering.ties names \(name), and the table has no "
            + (ordering == nil ? "ordering column before it" : "such column"),
          path: TablePaths.properties, column: name)
      }
      ties.append(field)
    }
    return ordering.map { [$0] + ties } ?? []
  }

  /// Whether deletions are kept as tombstones, so that older changes that come later are dropped.
  var keepsTombstones: Bool {
    !orderingColumns.isEmpty && options.hasKeyIndex && options.tombstoneRetentionHours > 0
  }

  /// Tombstones of before this time have expired at another, both in milliseconds since 1970-01-01T00:00:00Z.
  func tombstoneExpiry(at time: Int64) -> Int64 {
    time - Int64(options.tombstoneRetentionHours) * 3_600_000
  }

  /// How its base files are written.
  func fileFormat() throws(TableError) -> BaseFileFormat {
    let bloom = try TarnOptions.bloom(properties)
    return BaseFileFormat(
      table: properties.name, schema: schema, keys: keys.stored,
      keyColumn: keys.generator.keyFields.count == 1 ? keys.generator.keyFields.first : nil,
      ordering: orderingColumns.map(\.type),
      hasKeyIndex: options.hasKeyIndex,
      sizes: BaseFileSizes(
        file: options.targetFileSize, rowGroup: options.rowGroupSize, pageRows: options.pageRows,
        areCopied: areFilesCopied),
      encoding: (options.compression, bloom == .hudi ? .hudi : .perFile))
  }

  /// Says that deletions from this table are not kept though they could be.
  func warnOfForgottenDeletions(_ warn: (String) -> Void) {
    guard !orderingColumns.isEmpty, !options.hasKeyIndex else { return }
    warn(
      "table \(properties.name) has no key index (tarn.key.index=false) and remembers no deletions: "
        + "a change that comes later and is older than its key's deletion brings the row back")
  }
}
