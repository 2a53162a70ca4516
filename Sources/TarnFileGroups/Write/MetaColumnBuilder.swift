import TarnAvro
import TarnBytes
import TarnColumns
import TarnTimeline

/// Makes rows of a base file of rows of the batch: five meta columns, then the data columns.
///
/// In a table without meta columns only the file's name stands in them.
///
/// Source: format-tables 5.
struct MetaColumnBuilder: Sendable {
  private let files: CommitFiles
  let partitionPath: String
  let fileName: String
  /// The number of this writer within the commit, which with the rows' own makes sequence numbers unique.
  let taskNumber: Int
  /// The number of the next row.
  private(set) var sequence: Int
  /// What all rows have in common, which columns share: the instant, the partition path and the file name.
  private var constants: [DictionaryStrings.Entries]?

  /// Begins behind the rows of this writer's other files.
  init(
    _ files: CommitFiles, partitionPath: String, fileName: String, taskNumber: Int, firstSequence: Int = 0
  ) {
    self.files = files
    self.partitionPath = partitionPath
    self.fileName = fileName
    self.taskNumber = taskNumber
    sequence = firstSequence
  }

  /// Chosen rows with meta columns of this commit.
  mutating func rows(_ rows: [Int32], of source: KeyedRows) throws -> RecordBatch {
    let data = try source.rows.gather(rows)
    return try RecordBatch(
      schema: files.format.fileSchema, columns: try columns(of: rows, source.keys) + data.columns,
      count: rows.count)
  }

  /// The meta columns of rows with these keys; the third is the key.
  mutating func columns(of rows: [Int32], _ all: ByteStrings) throws -> [Column] {
    let constants = try constants ?? makeConstants()
    self.constants = constants
    guard files.format.fillsMetaColumns else {
      let nothing = Column(nulls: rows.count, of: .string)
      return [nothing, nothing, nothing, nothing, Column(repeating: constants[2], count: rows.count)]
    }
    var keys = ByteStrings()
    try keys.append(all, rows: rows.span)
    var numbers = ByteStrings()
    var number = Array("\(files.stamp.instant.text)_\(taskNumber)_".utf8)
    let digits = number.count
    number.append(decimal: sequence)
    numbers.reserve(strings: rows.count, bytes: rows.count * (number.count + 1))
    for _ in rows {
      try numbers.append(number.span.bytes)
      Self.count(&number, from: digits)
    }
    sequence += rows.count
    return [
      Column(repeating: constants[0], count: rows.count),
      try Column(type: .string, values: .bytes(numbers)),
      try Column(type: .string, values: .bytes(keys)),
      Column(repeating: constants[1], count: rows.count),
      Column(repeating: constants[2], count: rows.count),
    ]
  }

  /// The name of the file, in which all of its rows are.
  mutating func fileNames(_ count: Int) throws -> Column {
    let constants = try constants ?? makeConstants()
    self.constants = constants
    return Column(repeating: constants[2], count: count)
  }

  /// Adds one to the decimal number at the end of a text.
  private static func count(_ text: inout [UInt8], from start: Int) {
    var index = text.count - 1
    while index >= start {
      if text[index] < 0x39 {
        text[index] += 1
        return
      }
      text[index] = 0x30
      index -= 1
    }
    text.insert(0x31, at: start)
  }

  private func makeConstants() throws(ColumnError) -> [DictionaryStrings.Entries] {
    try [files.stamp.instant.text, partitionPath, fileName].map { (text) throws(ColumnError) in
      var strings = ByteStrings()
      try strings.append(text)
      return DictionaryStrings.Entries(strings)
    }
  }
}
