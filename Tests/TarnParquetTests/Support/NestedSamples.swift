import TarnColumns
import TarnTestSupport

/// Schemas and rows of any nesting, made of a seed.
struct NestedSamples {
  private var random: SeededGenerator

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// A column's field; names are unique within their parent.
  mutating func field(_ name: String, depth: Int = 0) -> Field {
    let isNullable = !random.oneIn(3)
    let kind = depth < 4 ? random.below(depth == 0 ? 3 : 5) : 4
    switch kind {
    case 0: return Field(name, .list(field("element", depth: depth + 1)), isNullable: isNullable)
    case 1:
      let fields = (0...random.below(3)).map { field("f\($0)", depth: depth + 1) }
      return Field(name, .structure(fields), isNullable: isNullable)
    case 2:
      let key = Field("key", random.oneIn(2) ? .string : .int32, isNullable: false)
      return Field(
        name, .map(key: key, value: field("value", depth: depth + 1)), isNullable: isNullable)
    default:
      let types: [DataType] = [
        .boolean, .int32, .int64, .double, .string, .binary, .date, .decimal(precision: 12, scale: 3),
        .timestamp(.microseconds, .instant),
      ]
      return Field(name, types[random.below(types.count)], isNullable: isNullable)
    }
  }

  /// A column of so many values; those that are not `there` belong to a parent that is null.
  mutating func column(_ field: Field, there: [Bool]) throws -> Column {
    let nullOneIn = 2 + random.below(20)
    let valid = there.map { $0 && !(field.isNullable && random.oneIn(nullOneIn)) }
    var validity: Bitmap?
    if valid.contains(false), field.isNullable {
      var bits = Bitmap()
      for bit in valid { bits.append(bit) }
      validity = bits
    }
    return try Column(type: field.type, values: try values(field.type, valid), validity: validity)
  }

  private mutating func values(_ type: DataType, _ valid: [Bool]) throws -> Column.Values {
    switch type {
    case .list(let element):
      let offsets = offsets(valid)
      return .list(offsets: offsets, elements: try column(element, there: all(offsets)))
    case .map(let key, let value):
      let offsets = offsets(valid)
      return .map(
        offsets: offsets, keys: try keys(key, offsets), values: try column(value, there: all(offsets)))
    case .structure(let fields):
      var columns: [Column] = []
      for field in fields { columns.append(try column(field, there: valid)) }
      return .structure(columns, count: valid.count)
    default:
      var builder = ColumnBuilder(type)
      for isThere in valid { try append(isThere ? random.below(1_000) : 0, to: &builder) }
      return builder.finish().values
    }
  }

  private func all(_ offsets: [Int32]) -> [Bool] { [Bool](repeating: true, count: Int(offsets.last ?? 0)) }

  private mutating func offsets(_ valid: [Bool]) -> [Int32] {
    var offsets: [Int32] = [0]
    for isThere in valid {
      offsets.append((offsets.last ?? 0) + (isThere ? Int32(random.below(4)) : 0))
    }
    return offsets
  }

  /// Keys that differ within each map.
  private func keys(_ field: Field, _ offsets: [Int32]) throws -> Column {
    var builder = ColumnBuilder(field.type)
    for (start, end) in zip(offsets, offsets.dropFirst()) {
      for key in 0..<(end - start) {
        if field.type == .string { try builder.append("key \(key)") } else { builder.append(key) }
      }
    }
    return builder.finish()
  }

  private func append(_ seed: Int, to builder: inout ColumnBuilder) throws {
    switch builder.type {
    case .boolean: builder.append(seed & 1 == 0)
    case .int32, .date: builder.append(Int32(seed) * 3)
    case .double: builder.append(Double(seed) / 4)
    case .decimal: builder.append(Int128(seed) * 1_001)
    case .string: try builder.append("text \(seed % 37)")
    case .binary: try builder.append([UInt8](repeating: 7, count: seed % 9).span.bytes)
    default: builder.append(Int64(seed) * 1_000_003)
    }
  }
}

/// The rows of a batch as JSON, one a line, as the foreign readers give them.
func jsonLines(_ batch: RecordBatch) -> [String] {
  (0..<batch.count).map { row in
    var out = Array("{".utf8)
    for (index, field) in batch.schema.fields.enumerated() {
      if index > 0 { out.append(0x2c) }
      out.append(contentsOf: Array("\"\(field.name)\":".utf8))
      batch.columns[index].appendJSON(row, to: &out)
    }
    out.append(0x7d)
    return String(decoding: out, as: UTF8.self)
  }
}
