import TarnBytes
import TarnColumns

extension RecordKeyGenerator {
  /// Finds the partition of each row.
  func partitions(
    of changes: ChangeBatch, _ needsPartition: Bool, _ warn: (String) -> Void, _ refused: inout RefusedRows
  ) throws(KeyError) -> RowPartitions {
    guard !partition.fields.isEmpty else { return RowPartitions(path: "", count: changes.count) }
    var columns: [Column] = []
    for name in partition.fields { columns.append(try column(name, changes.rows, &refused)) }
    var numbers: [Int32] = []
    numbers.reserveCapacity(changes.count)
    var assignment = PartitionAssignment(partition: partition)
    var warned: Set<Int> = []
    var ignored = RefusedRows(areNoted: true)
    // The values of a row as text, in memory that all rows share.
    var text: [UInt8] = []
    func place(_ row: Int) throws(KeyError) -> Int32 {
      // A key that is deleted from the whole table need not have been where the row says.
      if changes.isDelete[row], !needsPartition {
        return try assignment.partition(of: columns, row, &text, &ignored)
      }
      return try assignment.partition(of: columns, row, &text, &refused)
    }
    // Of strings in a dictionary, each entry has one partition.
    if columns.count == 1, columns[0].validity == nil, case .dictionary(let strings) = columns[0].values {
      var known = [Int32](repeating: -1, count: strings.entries.strings.count)
      for (row, position) in strings.indices.enumerated() {
        if known[Int(position)] < 0 { known[Int(position)] = try place(row) }
        numbers.append(known[Int(position)])
      }
      return RowPartitions(paths: assignment.paths, numbers: numbers)
    }
    for row in 0..<changes.count {
      let isNull = columns.contains { $0.isNull(row) }
      if isNull, changes.isDelete[row], !needsPartition {
        numbers.append(-1)
        continue
      }
      if isNull, warned.count < columns.count {
        for index in columns.indices where columns[index].isNull(row) && warned.insert(index).inserted {
          warnOfNull(index, columns[index].type, row, warn)
        }
      }
      numbers.append(try place(row))
    }
    return RowPartitions(paths: assignment.paths, numbers: numbers)
  }

  /// Says what other engines make of a null partition value.
  ///
  /// Source: format-tables 12 (Trino 470 and 476 were asked).
  private func warnOfNull(_ index: Int, _ type: DataType, _ row: Int, _ warn: (String) -> Void) {
    let effect =
      type == .string
      ? "Trino and Athena show it as the text \\N"
      : "Trino and Athena take it for the text \\N, which is no \(type.name), and fail on the column"
    warn(
      "partition column \(partition.fields[index]) is null in row \(row): its folder is \(PartitionPath.null), and "
        + effect)
  }
}

/// Numbers the partitions that occur; a path is only made for values that are seen for the first time.
private struct PartitionAssignment {
  let partition: PartitionPath
  /// The paths so far, each once.
  private(set) var paths: [String] = []
  private var positions: [ExactText: Int32] = [:]
  /// Why values that were seen can have no path.
  private var objections: [Int: String] = [:]
  /// The values seen, as texts that differ where the values do, and the path of each.
  private var seen = ByteStrings()
  private var pathOf: [Int32] = []
  private var index = HashIndex(expected: 64)

  init(partition: PartitionPath) { self.partition = partition }

  /// The number of a row's path; -1 where the row is refused.
  mutating func partition(
    of columns: [Column], _ row: Int, _ text: inout [UInt8], _ refused: inout RefusedRows
  ) throws(KeyError) -> Int32 {
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
      where: { [seen] in seen[$0].isEqual(to: text.span.bytes) }, hashOf: { [seen] in seen.hash($0) })
    let place = known ?? pathOf.count
    if known == nil {
      do { try seen.append(text.span.bytes) } catch { throw KeyError(error) }
      pathOf.append(makePath(columns, row))
    }
    if pathOf[place] < 0, let why = objections[place] {
      do { try refused.refuse(row, why) } catch { throw KeyError(error) }
    }
    return pathOf[place]
  }

  private mutating func makePath(_ columns: [Column], _ row: Int) -> Int32 {
    var path: [UInt8] = []
    if let why = partition.append(columns, row, to: &path) {
      objections[pathOf.count] = why
      return -1
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

extension PartitionPath {
  /// Appends the path of a row.
  ///
  /// - Returns: Why it can have none; nil where it has.
  package func append(_ columns: [Column], _ row: Int, to path: inout [UInt8]) -> String? {
    for (field, column) in columns.enumerated() {
      if field > 0 { path.append(0x2f) }
      var value: [UInt8]?
      if !column.isNull(row) {
        var text: [UInt8] = []
        KeyText.append(column, row, to: &text)
        value = text
      }
      if let why = append(field: field, value: value, to: &path) { return why }
    }
    return nil
  }
}
