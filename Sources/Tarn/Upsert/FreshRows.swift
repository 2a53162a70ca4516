import TarnAvro
import TarnBytes
import TarnColumns
import TarnTimeline

/// Makes rows of a base file of rows of the batch: five meta columns, then the data columns.
///
/// Source: format-tables 5.
struct FreshRows: Sendable {
  let context: CommitContext
  let partitionPath: String
  let fileName: String
  /// The number of this writer within the commit, which with the rows' own makes sequence numbers unique.
  let taskNumber: Int
  /// The number of the next row.
  private(set) var sequence: Int

  /// Begins behind the rows of this writer's other files.
  init(
    _ context: CommitContext, partitionPath: String, fileName: String, taskNumber: Int, firstSequence: Int = 0
  ) {
    self.context = context
    self.partitionPath = partitionPath
    self.fileName = fileName
    self.taskNumber = taskNumber
    sequence = firstSequence
  }

  /// Rows of the batch with fresh meta columns.
  mutating func batch(_ rows: [Int32]) throws -> RecordBatch {
    let data = try context.batch.changes.rows.gather(rows)
    return try RecordBatch(
      schema: context.fileSchema, columns: try metaColumns(of: rows) + data.columns, count: rows.count)
  }

  /// The meta columns of rows of the batch; the third is the key.
  mutating func metaColumns(of rows: [Int32]) throws -> [Column] {
    var keys = ByteStrings()
    try keys.append(context.batch.keys.keys, rows: rows.span)
    var numbers = ByteStrings()
    let prefix = Array("\(context.instant.text)_\(taskNumber)_".utf8)
    numbers.reserve(strings: rows.count, bytes: rows.count * (prefix.count + 7))
    for _ in rows {
      let number = sequence
      try numbers.appendBuilt {
        $0.append(contentsOf: prefix)
        $0.append(decimal: number)
      }
      sequence += 1
    }
    return [
      try Column(repeating: context.instant.text, count: rows.count),
      try Column(type: .string, values: .bytes(numbers)),
      try Column(type: .string, values: .bytes(keys)),
      try Column(repeating: partitionPath, count: rows.count),
      try Column(repeating: fileName, count: rows.count),
    ]
  }
}
