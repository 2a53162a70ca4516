import TarnBytes
import TarnColumns
import TarnTestSupport

/// A value as plain Swift, to check columns against.
indirect enum Plain: Hashable {
  case null
  case text(String)
  case many([Plain])

  /// What a column holds at a row, read from its parts.
  init(_ column: Column, _ row: Int) {
    if column.isNull(row) {
      self = .null
      return
    }
    switch column.values {
    case .boolean(let bits): self = .text("\(bits[row])")
    case .int8(let list): self = .text("\(list[row])")
    case .int16(let list): self = .text("\(list[row])")
    case .int32(let list): self = .text("\(list[row])")
    case .int64(let list): self = .text("\(list[row])")
    case .float(let list): self = .text("\(list[row])")
    case .double(let list): self = .text("\(list[row])")
    case .decimal(let list): self = .text("\(list[row])")
    case .bytes(let strings): self = .text(strings.string(row))
    case .dictionary(let strings): self = .text(strings.entries.strings.string(strings.position(row)))
    case .list(let offsets, let elements):
      self = .many((Int(offsets[row])..<Int(offsets[row + 1])).map { Plain(elements, $0) })
    case .map(let offsets, let keys, let items):
      self = .many(
        (Int(offsets[row])..<Int(offsets[row + 1])).map { .many([Plain(keys, $0), Plain(items, $0)]) })
    case .structure(let columns, _): self = .many(columns.map { Plain($0, row) })
    }
  }

  static func all(_ column: Column) -> [Plain] { (0..<column.count).map { Plain(column, $0) } }
}

/// Columns of every type, with random values.
enum Sample {
  static let flat: [DataType] = [
    .boolean, .int8, .int16, .int32, .int64, .float, .double, .decimal(precision: 38, scale: 3), .string,
    .binary,
    .date, .timestamp(.microseconds, .instant), .timestamp(.milliseconds, .local),
  ]
  static let nested: [DataType] = [
    .list(Field("element", .int32)), .list(Field("element", .list(Field("element", .string)))),
    .structure([Field("a", .int64), Field("b", .string), Field("c", .list(Field("element", .boolean)))]),
    .map(key: Field("key", .string, isNullable: false), value: Field("value", .double)), .structure([]),
  ]
  static let all = flat + nested

  /// So many values, about one in `nulls` of them null; none for zero.
  static func column(
    _ type: DataType, _ count: Int, nulls: Int = 4, _ generator: inout SeededGenerator
  ) throws -> Column {
    if type.isNested { return try nestedColumn(type, count, nulls, &generator) }
    var builder = ColumnBuilder(type)
    for _ in 0..<count {
      let bits = generator.next()
      if nulls > 0, generator.oneIn(nulls) {
        builder.appendNulls()
        continue
      }
      switch type {
      case .boolean: builder.append(bits & 1 == 0)
      case .int8: builder.append(Int8(truncatingIfNeeded: bits))
      case .int16: builder.append(Int16(truncatingIfNeeded: bits))
      case .int32, .date: builder.append(Int32(truncatingIfNeeded: bits))
      case .int64, .timestamp: builder.append(Int64(bitPattern: bits) / 1_000)
      case .float: builder.append(Float(Int32(truncatingIfNeeded: bits)) / 4)
      case .double: builder.append(Double(Int64(bitPattern: bits)) / 4)
      case .decimal: builder.append(Int128(Int64(bitPattern: bits)) * 1_000_000_007)
      default: try builder.append(["", "é", "a longer text \(bits)", "b"][Int(bits % 4)])
      }
    }
    return builder.finish()
  }

  private static func nestedColumn(
    _ type: DataType, _ count: Int, _ nulls: Int, _ generator: inout SeededGenerator
  ) throws -> Column {
    var validity = Bitmap()
    var offsets: [Int32] = [0]
    for _ in 0..<count {
      let isNull = nulls > 0 && generator.oneIn(nulls)
      validity.append(!isNull)
      offsets.append((offsets.last ?? 0) + (isNull ? 0 : Int32(generator.below(4))))
    }
    let held = Int(offsets.last ?? 0)
    let values: Column.Values
    switch type {
    case .list(let element):
      values = .list(offsets: offsets, elements: try column(element.type, held, nulls: nulls, &generator))
    case .map(let key, let value):
      values = .map(
        offsets: offsets, keys: try column(key.type, held, nulls: 0, &generator),
        values: try column(value.type, held, nulls: nulls, &generator))
    case .structure(let fields):
      var columns: [Column] = []
      for field in fields { columns.append(try column(field.type, count, nulls: nulls, &generator)) }
      values = .structure(columns, count: count)
    default: preconditionFailure("not nested")
    }
    return try Column(type: type, values: values, validity: validity)
  }
}

/// A value's text as JSON.
func json(_ column: Column, _ row: Int = 0) -> String {
  var out: [UInt8] = []
  column.appendJSON(row, to: &out)
  return String(decoding: out, as: UTF8.self)
}

/// A column of one value, or of several.
func column(_ type: DataType, _ fill: (inout ColumnBuilder) throws -> Void) rethrows -> Column {
  var builder = ColumnBuilder(type)
  try fill(&builder)
  return builder.finish()
}
