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
    var folders = PartitionFolders(partition, columns)
    let values: ValueNumbers
    do { values = try ValueNumbers(of: columns) } catch { throw KeyError(error) }
    let haveNull = values.firstRows.map { row in columns.contains { $0.isNull(Int(row)) } }
    var numbers: [Int32] = []
    numbers.reserveCapacity(changes.count)
    var warned: Set<Int> = []
    for (row, value) in values.numbers.enumerated() {
      let value = Int(value)
      // A key that is deleted from the whole table need not have been where the row says.
      let isAnywhere = !needsPartition && changes.isDelete[row]
      if haveNull[value] {
        if isAnywhere {
          numbers.append(-1)
          continue
        }
        for index in columns.indices where columns[index].isNull(row) && warned.insert(index).inserted {
          warnOfNull(index, columns[index].type, row, warn)
        }
      }
      let folder = folders.number(of: value, firstRow: Int(values.firstRows[value]))
      if folder < 0, !isAnywhere, let why = folders.objections[value] {
        do { try refused.refuse(row, why) } catch { throw KeyError(error) }
      }
      numbers.append(folder)
    }
    return RowPartitions(paths: folders.paths, numbers: numbers)
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

/// Numbers the folders of partitions; a path is made for values when they are asked for the first time.
private struct PartitionFolders {
  private let partition: PartitionPath
  private let columns: [Column]
  /// The paths so far, each once.
  private(set) var paths: [String] = []
  /// Why values can have no path.
  private(set) var objections: [Int: String] = [:]
  private var places: [ExactText: Int32] = [:]
  /// The path of each value; nil where it was not asked for yet.
  private var known: [Int32?] = []

  init(_ partition: PartitionPath, _ columns: [Column]) {
    self.partition = partition
    self.columns = columns
  }

  /// The number of the path of values; -1 where they can have none.
  ///
  /// - Parameters:
  ///   - value: The values' number.
  ///   - firstRow: A row that has them.
  mutating func number(of value: Int, firstRow: Int) -> Int32 {
    if value < known.count, let place = known[value] { return place }
    while known.count <= value { known.append(nil) }
    let place = makePath(value, firstRow)
    known[value] = place
    return place
  }

  private mutating func makePath(_ value: Int, _ row: Int) -> Int32 {
    var path: [UInt8] = []
    if let why = partition.append(columns, row, to: &path) {
      objections[value] = why
      return -1
    }
    let name = String(decoding: path, as: UTF8.self)
    // A null and an empty value share a folder.
    if let known = places[ExactText(name)] { return known }
    let place = Int32(paths.count)
    paths.append(name)
    places[ExactText(name)] = place
    return place
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
