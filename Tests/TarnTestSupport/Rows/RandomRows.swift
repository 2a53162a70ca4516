import TarnColumns

/// Rows of a schema that is made up too: nested types up to a depth, nulls, and empty values, from a seed.
public struct RandomRows {
  private var generator: SeededGenerator
  private let depth: Int

  /// - Parameters:
  ///   - seed: What all depends on.
  ///   - depth: How deep types are nested; 0 for flat ones alone.
  public init(seed: UInt64, depth: Int = 3) {
    generator = SeededGenerator(seed: seed)
    self.depth = depth
  }

  /// Every flat type.
  public static let flatTypes: [DataType] =
    [
      .boolean, .int8, .int16, .int32, .int64, .float, .double, .string, .binary, .date, .time,
      .timestamp(.milliseconds, .instant), .timestamp(.microseconds, .instant),
      .timestamp(.milliseconds, .local), .timestamp(.microseconds, .local),
    ] + [1, 9, 18, 19, 38].map { .decimal(precision: $0, scale: $0 / 2) }

  /// A batch with every flat type and as many nested columns.
  public mutating func batch(_ count: Int) throws -> RecordBatch {
    var fields = Self.flatTypes.enumerated().map { Field("c\($0)", $1, isNullable: !generator.oneIn(4)) }
    if depth > 0 {
      for index in Self.flatTypes.indices {
        fields.append(Field("n\(index)", nested(depth), isNullable: !generator.oneIn(4)))
      }
    }
    let columns = try fields.map { try column($0, count) }
    return try RecordBatch(schema: Schema(fields), columns: columns, count: count)
  }

  private mutating func nested(_ depth: Int) -> DataType {
    switch generator.below(3) {
    case 0: return .list(field("element", depth - 1))
    case 1: return .structure((0...generator.below(3)).map { field("f\($0)", depth - 1) })
    default:
      let key: DataType = [.string, .int64, .int32][generator.below(3)]
      return .map(key: Field("key", key, isNullable: false), value: field("value", depth - 1))
    }
  }

  private mutating func field(_ name: String, _ depth: Int) -> Field {
    let isFlat = depth == 0 || generator.oneIn(3)
    let type = isFlat ? Self.flatTypes[generator.below(Self.flatTypes.count)] : nested(depth)
    return Field(name, type, isNullable: !generator.oneIn(4))
  }

  private mutating func column(_ field: Field, _ count: Int) throws -> Column {
    // Few nulls, many, none and nothing but nulls all occur.
    let share = [0, 1, 5, 9, 10][[0, 1, 1, 1, 2, 3, 4, 1][generator.below(8)]]
    let isNull = (0..<count).map { _ in field.isNullable && generator.below(10) < share }
    let values: Column.Values
    switch field.type {
    case .list(let element):
      let offsets = offsets(isNull)
      values = .list(offsets: offsets, elements: try column(element, Int(offsets.last ?? 0)))
    case .map(let key, let value):
      let offsets = offsets(isNull)
      let total = Int(offsets.last ?? 0)
      values = .map(
        offsets: offsets, keys: try keys(key.type, total), values: try column(value, total))
    case .structure(let fields):
      values = .structure(try fields.map { try column($0, count) }, count: count)
    default: return try flat(field.type, isNull)
    }
    var validity = Bitmap()
    for null in isNull { validity.append(!null) }
    return try Column(
      type: field.type, values: values, validity: validity.isAllSet ? nil : validity)
  }

  private mutating func offsets(_ isNull: [Bool]) -> [Int32] {
    let longest = [1, 3, 3, 12][generator.below(4)]
    var offsets: [Int32] = [0]
    for null in isNull {
      offsets.append((offsets.last ?? 0) + Int32(null ? 0 : generator.below(longest + 1)))
    }
    return offsets
  }

  /// Keys that differ within each map, since readers keep one of two that are equal.
  private func keys(_ type: DataType, _ count: Int) throws -> Column {
    var builder = ColumnBuilder(type)
    for key in 0..<count {
      switch type {
      case .string: try builder.append("k\(key % 50)")
      case .int32: builder.append(Int32(key % 50) - 25)
      default: builder.append(Int64(key % 50) << 33)
      }
    }
    return builder.finish()
  }

  private mutating func flat(_ type: DataType, _ isNull: [Bool]) throws -> Column {
    var builder = ColumnBuilder(type)
    // Columns of few values, of steady ones, and of any.
    let style = generator.below(3)
    for (row, null) in isNull.enumerated() {
      if null { builder.appendNulls() } else { try append(style, row, to: &builder) }
    }
    return builder.finish()
  }

  private mutating func append(_ style: Int, _ row: Int, to builder: inout ColumnBuilder) throws {
    let bits: UInt64
    switch style {
    case 0: bits = UInt64(generator.below(4)) &* 0x9e37_79b9_7f4a_7c15
    case 1: bits = UInt64(1_000 + row * 3 + generator.below(3))
    default: bits = generator.next()
    }
    let signed = Int64(bitPattern: bits)
    switch builder.type {
    case .boolean: builder.append(bits & 1 == 0)
    case .int8: builder.append(Int8(truncatingIfNeeded: bits))
    case .int16: builder.append(Int16(truncatingIfNeeded: bits))
    case .int32: builder.append(Int32(truncatingIfNeeded: bits))
    case .int64: builder.append(signed)
    case .float: builder.append(Self.float(bits))
    case .double: builder.append(Self.double(bits))
    case .date: builder.append(Int32(bits % 200_000) - 100_000)
    case .time: builder.append(Int64(bits % 86_400_000_000))
    // From the year 1653 to 2286.
    case .timestamp(.milliseconds, _): builder.append(signed % 10_000_000_000_000)
    case .timestamp: builder.append(signed % 10_000_000_000_000_000)
    case .decimal(let precision, _):
      let bound = (0..<precision).reduce(Int128(1)) { power, _ in power * 10 }
      builder.append((Int128(signed) << 64 | Int128(bits)) % bound)
    case .string: try builder.append(Self.text(bits))
    default: try builder.appendBuilt { $0.append(contentsOf: Self.text(bits).utf8.reversed()) }
    }
  }

  private static func float(_ bits: UInt64) -> Float {
    switch bits % 9 {
    case 0: -.infinity
    case 1: .nan
    case 2: -0.0
    default: Float(Int32(truncatingIfNeeded: bits)) / 8
    }
  }

  private static func double(_ bits: UInt64) -> Double {
    switch bits % 9 {
    case 0: .infinity
    case 1: .nan
    case 2: -0.0
    default: Double(Int64(bitPattern: bits)) / 1_024
    }
  }

  private static func text(_ bits: UInt64) -> String {
    switch bits % 7 {
    case 0: ""
    case 1: "with \"quotes\"\t\\"
    case 2: "ünï 😀 \(bits % 1_000)"
    case 3: String(repeating: "long ", count: Int(bits % 80))
    default: "key-\(bits)"
    }
  }
}
