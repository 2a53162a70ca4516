import TarnBytes
import TarnColumns
import TarnExpressions
import TarnIndex
import TarnParquet
import TarnTimeline

/// The partitions in which a condition may be true, as far as their paths tell.
struct PartitionPruning: Sendable {
  private let condition: Condition
  private let partition: PartitionPath?
  private let schema: Schema

  /// - Parameters:
  ///   - condition: The condition.
  ///   - properties: The table's; where its paths are not made of its partition columns alone, nothing is ruled out.
  ///   - schema: The table's columns.
  init(_ condition: Condition, _ properties: TableProperties, _ schema: Schema) {
    self.condition = condition
    self.schema = schema
    switch properties.keyGenerator {
    case .simple where !properties.formatsTimes, .complex where !properties.formatsTimes,
      .nonPartitioned:
      partition = PartitionPath(
        fields: properties.partitionFields, isHiveStyle: properties.isHiveStyle,
        isEncoded: properties.isURLEncoded)
    // With a generator of its own kinds, Hudi makes paths of what it makes of the values.
    case .simple, .complex, .custom, .timestamp, .other: partition = nil
    }
  }

  /// Whether paths can tell anything of the condition.
  var isPossible: Bool { partition.map { !condition.columns.isDisjoint(with: $0.fields) } ?? false }

  /// Partitions beyond which they are not named one by one.
  private static let mostPaths = 1_024

  /// The paths of the partitions in which there may be rows, where the condition names the values of all partition
  /// columns; nil where it does not.
  func paths() -> [String]? {
    guard let partition, isPossible else { return nil }
    var combinations: [[Column]] = [[]]
    for name in partition.fields {
      guard let field = schema[name], PartitionValues.areRead(field.type),
        let values = condition.values(of: name), values.count * combinations.count <= Self.mostPaths
      else { return nil }
      var longer: [[Column]] = []
      for literal in values {
        guard let value = try? literal.stored(in: field) else { return nil }
        longer += combinations.map { $0 + [value] }
      }
      combinations = longer
    }
    var paths: [String] = []
    for columns in combinations {
      var path: [UInt8] = []
      guard partition.append(columns, 0, to: &path) == nil else { return nil }
      let text = String(decoding: path, as: UTF8.self)
      // A null and an empty value share a folder, which older releases called otherwise.
      guard !text.contains(PartitionPath.null) else { return nil }
      paths.append(text)
    }
    return paths
  }

  /// Whether a folder on the way to partitions is looked into; nil where their names do not tell.
  ///
  /// A value that is not encoded may be a path of several folders.
  var folders: (@Sendable (String) -> Bool)? {
    guard let partition, isPossible, partition.isEncoded else { return nil }
    return { [condition, schema] path in
      (try? PartitionValues(path, partition, schema, isWhole: false).mayHold(condition)) ?? true
    }
  }

  /// Whether the condition may be true for a row of a partition.
  func mayHold(_ path: String) throws(FileGroupError) -> Bool {
    guard let partition, !partition.fields.isEmpty else { return true }
    return try PartitionValues(path, partition, schema).mayHold(condition)
  }

  /// Whether the first row of a file stands in the folder that its fields make, as the properties of a table need not
  /// tell how another writer makes its paths.
  ///
  /// - Throws: ``FileGroupError`` where the file cannot be read.
  func isTrue(of slice: FileSlice, _ file: ParquetFile) async throws(FileGroupError) -> Bool {
    guard let partition, file.rowCount > 0 else { return false }
    let fields = partition.fields.compactMap { schema[$0] }
    guard fields.count == partition.fields.count,
      fields.allSatisfy({ KeyText.objection(to: $0.type) == nil && file.unreadable[$0.name] == nil })
    else { return false }
    let row = try await fileGroupErrors { try await StoredRows.read(file, at: [0], as: Schema(fields)) }
    var path: [UInt8] = []
    let columns = fields.map { row[$0.name] ?? Column(nulls: 1, of: $0.type) }
    guard partition.append(columns, 0, to: &path) == nil else { return false }
    return ExactText(String(decoding: path, as: UTF8.self)) == ExactText(slice.partitionPath)
  }
}
