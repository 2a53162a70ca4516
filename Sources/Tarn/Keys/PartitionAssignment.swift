import TarnBytes
import TarnColumns

extension RecordKeyGenerator {
  /// Finds the partition of each row.
  func assignPartitions(
    _ changes: ChangeBatch, _ needsPartition: Bool, _ warn: (String) -> Void, to result: inout Keys
  ) throws(TableError) {
    guard !partition.fields.isEmpty else {
      result.partitions = [""]
      result.partitionOf = [Int32](repeating: 0, count: changes.count)
      return
    }
    var columns: [Column] = []
    for name in partition.fields { columns.append(try column(name, changes.rows)) }
    result.partitionOf.reserveCapacity(changes.count)
    var assignment = PartitionAssignment(partition: partition)
    var warned = false
    // Of strings in a dictionary, each entry has one partition.
    if columns.count == 1, columns[0].validity == nil, case .dictionary(let strings) = columns[0].values {
      var known = [Int32](repeating: -1, count: strings.entries.strings.count)
      for (row, position) in strings.indices.enumerated() {
        if known[Int(position)] < 0 { known[Int(position)] = try assignment.partition(of: columns, row) }
        result.partitionOf.append(known[Int(position)])
      }
      result.partitions = assignment.paths
      return
    }
    for row in 0..<changes.count {
      let isNull = columns.contains { $0.isNull(row) }
      if isNull, changes.isDelete[row], !needsPartition {
        result.partitionOf.append(-1)
        continue
      }
      if isNull, !warned {
        warned = true
        warn(
          "a partition column is null in row \(row): its folder is \(PartitionPath.null), and Trino shows \\N"
        )
      }
      result.partitionOf.append(try assignment.partition(of: columns, row))
    }
    result.partitions = assignment.paths
  }
}

/// Numbers the partitions that occur; a path is only made for values that are seen for the first time.
private struct PartitionAssignment {
  let partition: PartitionPath
  /// The paths so far, each once.
  private(set) var paths: [String] = []
  private var positions: [ExactText: Int32] = [:]
  /// The values seen, as texts that differ where the values do, and the path of each.
  private var seen = ByteStrings()
  private var pathOf: [Int32] = []
  private var index = HashIndex(expected: 64)
  private var text: [UInt8] = []

  init(partition: PartitionPath) { self.partition = partition }

  mutating func partition(of columns: [Column], _ row: Int) throws(TableError) -> Int32 {
    text.removeAll(keepingCapacity: true)
    for column in columns {
      let start = text.count
      if column.isNull(row) {
        text.append(0)
        continue
      }
      text.append(1)
      KeyText.append(column, row, to: &text)
      text.appendVarint(UInt64(text.count - start))
    }
    let known = index.findOrInsert(
      hash: XXH64.hash(text.span.bytes), position: seen.count,
      where: { [seen, text] in seen[$0].isEqual(to: text.span.bytes) }, hashOf: { [seen] in seen.hash($0) })
    if let known { return pathOf[known] }
    do { try seen.appendBuilt { [text] in $0.append(contentsOf: text) } } catch { throw TableError(error) }
    pathOf.append(try makePath(columns, row))
    return pathOf[pathOf.count - 1]
  }

  private mutating func makePath(_ columns: [Column], _ row: Int) throws(TableError) -> Int32 {
    var path: [UInt8] = []
    for (field, column) in columns.enumerated() {
      if field > 0 { path.append(0x2f) }
      var value: [UInt8]?
      if !column.isNull(row) {
        var text: [UInt8] = []
        KeyText.append(column, row, to: &text)
        value = text
      }
      try partition.append(field: field, value: value, to: &path)
    }
    let name = String(decoding: path, as: UTF8.self)
    // A null and an empty value share a folder.
    if let known = positions[ExactText(name)] { return known }
    let position = Int32(paths.count)
    paths.append(name)
    positions[ExactText(name)] = position
    return position
  }
}
