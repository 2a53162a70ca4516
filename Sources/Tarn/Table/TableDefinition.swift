import TarnAvro
import TarnColumns
import TarnParquet
import TarnTimeline

/// What a new table is to be.
struct TableDefinition {
  var name: String
  var schema: Schema
  var recordKey: [String]
  var partition: [String]
  var ordering: String?
  var options: TableOptions

  /// A table's name from the last component of its place.
  static func name(from component: String) -> String {
    String(component.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "_" })
  }

  /// Checks that the columns fit together.
  ///
  /// - Throws: ``TableError`` with code `mismatch` or `unsupported`, naming the column.
  func check() throws(TableError) {
    guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else {
      throw TableError(.mismatch, "\(name.debugDescription) is no table name: use letters, digits and `_`")
    }
    guard !recordKey.isEmpty else { throw TableError(.mismatch, "a table needs at least one key column") }
    var seen: Set<String> = []
    for field in schema.fields {
      guard seen.insert(field.name.lowercased()).inserted else {
        throw TableError(
          .mismatch,
          "column \(field.name) stands twice in the schema, or differs from another only in case, which "
            + "Spark and Athena do not tell apart")
      }
      if MetaColumns.isReserved(field.name) {
        guard field.name == MetaColumns.isDeleted else { throw Self.reserved(field.name) }
        guard field.type == .boolean else {
          throw TableError(
            .mismatch,
            "column \(field.name) is \(field.type.name): it says which rows are deleted, and must be boolean")
        }
      }
      guard Self.isColumnName(field.name) else {
        throw TableError(
          .mismatch,
          "column \(field.name.debugDescription): Avro takes letters, digits and `_`, not first a digit")
      }
      if let objection = Self.objection(to: field.type) {
        throw TableError(.mismatch, "column \(field.name) is \(field.type.name): \(objection)")
      }
      if field.type.isNested {
        throw TableError(
          .unsupported, "column \(field.name) is \(field.type.name): Tarn does not write nested columns yet")
      }
    }
    for (role, names) in [("key", recordKey), ("partition", partition)] {
      for name in names {
        guard let field = schema[name] else {
          throw TableError(
            .mismatch,
            "the \(role) column \(name) is not in the schema: \(schema.names.joined(separator: ", "))")
        }
        if let objection = KeyText.objection(to: field.type) {
          throw TableError(
            .mismatch, "column \(name) is \(field.type.name) and cannot be a \(role) column: \(objection)")
        }
      }
      guard Set(names).count == names.count else {
        throw TableError(.mismatch, "a \(role) column is named twice: \(names.joined(separator: ", "))")
      }
    }
    if let ordering {
      guard let field = schema[ordering] else {
        throw TableError(.mismatch, "the ordering column \(ordering) is not in the schema")
      }
      if field.type == .boolean || field.type == .binary || field.type.isNested {
        throw TableError(.mismatch, "column \(ordering) is \(field.type.name) and cannot order rows")
      }
    }
    // What a writer would refuse to read back is refused here.
    _ = try OwnOptions(properties()) { TableError(.mismatch, "the options of the new table: \($0)") }
  }

  /// Refuses a column by its name.
  static func reserved(_ name: String) -> TableError {
    TableError(
      .mismatch,
      "column \(name): Hudi keeps names that begin with _hoodie_, in whatever case, for itself: rename the column, or "
        + "leave it out")
  }

  /// Why there can be no column of a type; nil where there can.
  static func objection(to type: DataType) -> String? {
    if type == .time { return "Spark and Athena read no times of the day; keep it as text or as a number" }
    guard case .decimal(let precision, let scale) = type else { return nil }
    let isSound = (1...DataType.greatestPrecision).contains(precision) && (0...precision).contains(scale)
    return isSound ? nil : "a decimal has 1 to 38 digits, none to all of them behind the point"
  }

  /// Whether Avro, and so Hudi, takes a column name.
  static func isColumnName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return name.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0) || $0 == 0x5f
    }
  }

  /// The properties of the new table, as format-tables 1.4 and 1.5 have them.
  func properties() -> TableProperties {
    var properties = TableProperties(
      name: name, recordKeyFields: recordKey, orderingField: ordering, partitionFields: partition,
      isHiveStyle: options.hiveStylePartitions, isURLEncoded: options.encodesPartitionPaths,
      populatesMetaFields: options.populatesMetaColumns,
      createSchema: AvroSchema.text(of: schema, table: name))
    for (key, value) in options.own.entries(bloom: options.bloomFilter) { properties.entries[key] = value }
    properties.set(options.columnOwners)
    return properties
  }
}

extension OwnOptions {
  private enum Key {
    static let smallFileLimit = "tarn.small.file.limit.bytes"
    static let targetFileSize = "tarn.target.file.size.bytes"
    static let rowGroupSize = "tarn.row.group.size.bytes"
    static let pageRows = "tarn.page.rows"
    static let keyIndex = "tarn.key.index"
    static let tombstoneRetention = "tarn.tombstone.retention.hours"
    static let codec = "tarn.codec"
    static let bloom = "tarn.bloom.filter"
  }

  /// The options that differ from the defaults, as properties.
  func entries(bloom: BloomFilterChoice) -> [(String, String)] {
    let defaults = OwnOptions()
    var entries: [(String, String)] = []
    if smallFileLimit != defaults.smallFileLimit { entries.append((Key.smallFileLimit, "\(smallFileLimit)")) }
    if targetFileSize != defaults.targetFileSize { entries.append((Key.targetFileSize, "\(targetFileSize)")) }
    if rowGroupSize != defaults.rowGroupSize { entries.append((Key.rowGroupSize, "\(rowGroupSize)")) }
    if pageRows != defaults.pageRows { entries.append((Key.pageRows, "\(pageRows)")) }
    if hasKeyIndex != defaults.hasKeyIndex { entries.append((Key.keyIndex, "\(hasKeyIndex)")) }
    if tombstoneRetentionHours != defaults.tombstoneRetentionHours {
      entries.append((Key.tombstoneRetention, "\(tombstoneRetentionHours)"))
    }
    if let buckets { entries += buckets.entries }
    if compression != defaults.compression { entries.append((Key.codec, Self.name(of: compression))) }
    if bloom != .perFile { entries.append((Key.bloom, bloom.rawValue)) }
    return entries
  }

  /// The options of a table.
  ///
  /// - Throws: What `refusal` makes of the text that says which option has a value that makes no sense.
  package init(
    _ properties: TableProperties,
    refusal: (String) -> TableError = { TableError(.damaged, "\(TablePaths.properties): \($0)") }
  ) throws(TableError) {
    self.init()
    func number(_ key: String, _ standard: Int, _ range: ClosedRange<Int>) throws(TableError) -> Int {
      guard let text = properties.entries[key] else { return standard }
      guard let value = Int(text), range.contains(value) else {
        throw refusal("\(key)=\(text) is no number from \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }
    smallFileLimit = try number(Key.smallFileLimit, smallFileLimit, 0...(1 << 40))
    targetFileSize = try number(Key.targetFileSize, targetFileSize, 1_024...(1 << 40))
    rowGroupSize = try number(Key.rowGroupSize, rowGroupSize, 1_024...(1 << 31))
    pageRows = try number(Key.pageRows, pageRows, 1...1_000_000)
    tombstoneRetentionHours = try number(Key.tombstoneRetention, tombstoneRetentionHours, 0...1_000_000)
    if let text = properties.entries[Key.keyIndex] {
      guard let value = Bool(text) else { throw refusal("\(Key.keyIndex)=\(text) is neither true nor false") }
      hasKeyIndex = value
    }
    (buckets, deniesBuckets) = try Buckets.read(properties, refusal)
    if let text = properties.entries[Key.codec] {
      guard let known = Self.compression(named: text) else {
        throw refusal("\(Key.codec)=\(text) is no codec Tarn writes")
      }
      compression = known
    }
  }

  private static func name(of compression: ParquetWriteOptions.Compression) -> String {
    switch compression {
    case .uncompressed: "uncompressed"
    case .snappy: "snappy"
    case .gzip(let level): "gzip:\(level)"
    case .zstd(let level): "zstd:\(level)"
    }
  }

  /// The compression that a text such as `zstd:1` or `gzip` names; nil for another.
  static func compression(named text: String) -> ParquetWriteOptions.Compression? {
    let parts = text.split(separator: ":", maxSplits: 1)
    let level = parts.count == 2 ? Int(parts[1]) : nil
    if parts.count == 2, level == nil { return nil }
    switch parts.first {
    case "uncompressed": return parts.count == 1 ? .uncompressed : nil
    case "snappy": return parts.count == 1 ? .snappy : nil
    case "gzip": return (1...9).contains(level ?? 6) ? .gzip(level: level ?? 6) : nil
    case "zstd": return (1...19).contains(level ?? 1) ? .zstd(level: level ?? 1) : nil
    default: return nil
    }
  }

  /// How the Bloom filters of a table's files are sized.
  package static func bloom(_ properties: TableProperties) throws(TableError) -> BloomFilterChoice {
    guard let text = properties.entries[Key.bloom] else { return .perFile }
    guard let choice = BloomFilterChoice(rawValue: text) else {
      throw TableError(.damaged, "\(TablePaths.properties): \(Key.bloom)=\(text) is neither file nor hudi")
    }
    return choice
  }
}
