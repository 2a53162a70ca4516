import TarnBytes
import TarnColumns

/// The record keys of rows, and their partitions.
package struct RecordKeys: Sendable {
  /// The record key of each row.
  package var texts: ByteStrings
  /// The XXH64 of each key.
  package var hashes: [UInt64]
  /// The partition of each row.
  package var partitions: RowPartitions

  /// Takes keys, and hashes them.
  package init(_ texts: ByteStrings, _ partitions: RowPartitions) {
    self.texts = texts
    self.partitions = partitions
    hashes = texts.hashes()
  }

  /// The keys of no rows.
  package init() {
    texts = ByteStrings()
    hashes = []
    partitions = RowPartitions(paths: [])
  }

  /// Appends the keys of rows of others, whose partitions have the same numbers.
  package mutating func append(_ rows: [Int32], of others: RecordKeys) throws(ColumnError) {
    try texts.append(others.texts, rows: rows.span)
    for row in rows { hashes.append(others.hashes[Int(row)]) }
    partitions.append(rows, of: others.partitions)
  }
}

/// Which of a batch's partitions a row or a file group is in.
package struct PartitionNumber: Sendable, Hashable {
  /// Its place among the batch's partitions.
  package let value: Int32

  init(_ value: Int32) { self.value = value }
}

/// The partition of each row of a batch, resolved once.
package struct RowPartitions: Sendable {
  /// The paths that occur, each once.
  package private(set) var paths: [String]
  private var known: [ExactText: PartitionNumber] = [:]
  /// The number of each row's partition, below zero where it is not known.
  private var numbers: [Int32] = []

  /// Takes the paths of a batch, each once; there are no rows yet.
  package init(paths: [String]) {
    self.paths = paths
    for (number, path) in paths.enumerated() { known[ExactText(path)] = PartitionNumber(Int32(number)) }
  }

  /// Rows that are all in one partition.
  package init(path: String, count: Int) {
    self.init(paths: [path])
    numbers = [Int32](repeating: 0, count: count)
  }

  /// - Parameter numbers: The place of each row's path among `paths`, below zero where it is not known.
  init(paths: [String], numbers: [Int32]) {
    self.init(paths: paths)
    self.numbers = numbers
  }

  /// The partition of a row; nil where the row does not say it.
  @inline(__always)
  package subscript(row: Int) -> PartitionNumber? {
    numbers[row] < 0 ? nil : PartitionNumber(numbers[row])
  }

  /// Rows by their partitions, of those that have some; rows that do not say theirs are left out.
  package func grouped(_ rows: [Int32]) -> [PartitionNumber: [Int32]] {
    // By number, and not by hashing each row's.
    var byNumber = [[Int32]](repeating: [], count: paths.count)
    for row in rows where numbers[Int(row)] >= 0 { byNumber[Int(numbers[Int(row)])].append(row) }
    var grouped: [PartitionNumber: [Int32]] = [:]
    for (number, rows) in byNumber.enumerated() where !rows.isEmpty {
      grouped[PartitionNumber(Int32(number))] = rows
    }
    return grouped
  }

  /// Whether a row is in a partition; nil is that of rows which do not say theirs.
  @inline(__always)
  package func isRow(_ row: Int, in partition: PartitionNumber?) -> Bool {
    numbers[row] == partition?.value ?? -1
  }

  /// Whether two rows are in one partition.
  @inline(__always)
  package func areTogether(_ row: Int, _ other: Int) -> Bool { numbers[row] == numbers[other] }

  /// A number that mixes a row's partition into the hash of its key.
  @inline(__always)
  package func salt(_ row: Int) -> UInt64 { Self.salt(numbers[row]) }

  /// The number for rows of a partition.
  @inline(__always)
  package static func salt(_ partition: PartitionNumber?) -> UInt64 { salt(partition?.value ?? -1) }

  private static func salt(_ number: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: number)) &* 0x9e37_79b9_7f4a_7c15
  }

  /// The path of a partition.
  package func path(_ partition: PartitionNumber) -> String { paths[Int(partition.value)] }

  /// The path of a row's partition; nil where the row does not say it.
  package func path(ofRow row: Int) -> String? { self[row].map { path($0) } }

  /// The partition of a path; nil where no row names it.
  package func number(of path: String) -> PartitionNumber? { known[ExactText(path)] }

  /// All partitions.
  package var all: [PartitionNumber] { paths.indices.map { PartitionNumber(Int32($0)) } }

  /// The rows of each partition, of rows that say theirs.
  package func rows() -> [[Int32]] {
    var rows = [[Int32]](repeating: [], count: paths.count)
    for index in rows.indices {
      rows[index].reserveCapacity(numbers.count / max(paths.count, 1) + numbers.count / 16)
    }
    for (row, number) in numbers.enumerated() where number >= 0 { rows[Int(number)].append(Int32(row)) }
    return rows
  }

  mutating func append(_ rows: [Int32], of others: RowPartitions) {
    for row in rows { numbers.append(others.numbers[Int(row)]) }
  }
}
