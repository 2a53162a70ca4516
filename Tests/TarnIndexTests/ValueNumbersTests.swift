import TarnBytes
import TarnColumns
import TarnTestSupport
import Testing

import TarnIndex

@Suite struct ValueNumbersTests {
  /// A column of few values, some of them null, of a type.
  private static func column(_ type: DataType, _ count: Int, _ random: inout SeededGenerator) throws -> Column
  {
    var builder = ColumnBuilder(type)
    for _ in 0..<count {
      let value = random.below(6)
      switch type {
      case _ where value == 0: builder.appendNulls()
      case .string: try builder.append(value == 1 ? "" : "value \(value)")
      default: builder.append(Int64(value))
      }
    }
    return builder.finish()
  }

  @Test(arguments: 0..<20)
  func rowsHaveOneNumberIfAndOnlyIfTheirValuesAreEqual(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let count = random.below(80)
    var columns = [try Self.column(.string, count, &random), try Self.column(.int64, count, &random)]
    if seed % 2 == 1 {
      // Equal entries of a dictionary are one value.
      var entries = ByteStrings()
      for entry in ["a", "b", "a", ""] { try entries.append(entry) }
      let indices = (0..<count).map { _ in UInt32(random.below(4)) }
      columns.append(
        try Column(
          type: .string,
          values: .dictionary(
            DictionaryStrings(indices: indices, entries: DictionaryStrings.Entries(entries)))
        ))
    }
    let values = try ValueNumbers(of: columns)
    let rows = (0..<count).map { row in columns.map { column in column.isNull(row) ? nil : text(column, row) }
    }
    var numbers: [[String?]: Int32] = [:]
    for row in 0..<count {
      let expected = numbers[rows[row], default: Int32(numbers.count)]
      #expect(values.numbers[row] == expected)
      if numbers.updateValue(expected, forKey: rows[row]) == nil {
        #expect(values.firstRows[Int(expected)] == Int32(row))
      }
    }
    #expect(values.firstRows.count == numbers.count && values.numbers.count == count)
  }

  private func text(_ column: Column, _ row: Int) -> String {
    var text: [UInt8] = []
    column.appendText(row, to: &text)
    return String(decoding: text, as: UTF8.self)
  }
}
