import TarnColumns
import TarnExpressions

/// The columns that rows of a Swift type fill, property by property.
///
/// A class, since the parts of an encoder that fill it are handed out by value.
final class RowColumns {
  private var fields: [Field]
  private var builders: [ColumnBuilder]
  private var positions: [String: Int] = [:]
  /// Whether any row gave a column, null or not.
  private var isGiven: [Bool]
  /// Whole rows so far.
  private(set) var count = 0
  /// What the present row has that no row can have.
  var refusal: TableError?
  /// Types by which values are told apart, and whether they are dates.
  private var dates: [ObjectIdentifier: Bool] = [:]

  /// Makes columns of a table's types; properties of other names make new ones, by their own types.
  init(_ schema: Schema) {
    fields = schema.fields
    builders = schema.fields.map { ColumnBuilder($0.type) }
    isGiven = [Bool](repeating: false, count: schema.fields.count)
    for (index, name) in schema.names.enumerated() { positions[name] = index }
  }

  /// Ends a row: what it did not give is null.
  ///
  /// - Throws: ``TableError`` where it had a part that is no single value, even an empty one.
  func endRow() throws {
    if let refusal { throw refusal }
    count += 1
    for index in builders.indices where builders[index].count < count { builders[index].appendNulls() }
  }

  /// The rows, in the columns that any of them gave.
  func finish() throws(ColumnError) -> RecordBatch {
    let kept = fields.indices.filter { isGiven[$0] }
    return try RecordBatch(
      schema: Schema(kept.map { Field(fields[$0].name, fields[$0].type) }),
      columns: kept.map { builders[$0].finish() }, count: count)
  }

  /// Takes note of a property without value.
  func appendNull(_ name: String) throws {
    // A new column gets its type from the first value.
    guard let index = positions[name] else { return }
    try begin(index)
    builders[index].appendNulls()
  }

  /// The column of a property, which gets its type from the value where it is new.
  private func column(_ name: String, _ type: @autoclosure () -> DataType) throws -> Int {
    if let index = positions[name] {
      try begin(index)
      return index
    }
    let type = type()
    var builder = ColumnBuilder(type)
    builder.appendNulls(count)
    positions[name] = fields.count
    fields.append(Field(name, type))
    builders.append(builder)
    isGiven.append(true)
    return fields.count - 1
  }

  private func begin(_ index: Int) throws {
    guard builders[index].count == count else {
      throw TableError(.badRow, "row \(count): it gives \(fields[index].name) twice", row: count)
    }
    isGiven[index] = true
  }

  private func misfit(_ index: Int, _ value: String) -> TableError {
    TableError(
      .badRow,
      "row \(count): column \(fields[index].name) is \(fields[index].type.name): it cannot hold \(value)",
      column: fields[index].name, row: count)
  }

  func append(_ name: String, _ value: Bool) throws {
    let index = try column(name, .boolean)
    guard fields[index].type == .boolean else { throw misfit(index, "\(value)") }
    builders[index].append(value)
  }

  func append(_ name: String, _ value: String) throws {
    let index = try column(name, .string)
    if fields[index].type == .string { return try builders[index].append(value) }
    if case .decimal = fields[index].type { return try append(literal: .number(value), index) }
    try append(literal: .string(value), index)
  }

  func append(_ name: String, _ value: [UInt8]) throws {
    let index = try column(name, .binary)
    guard fields[index].type == .binary else { throw misfit(index, "bytes") }
    try builders[index].append(value.span.bytes)
  }

  func append(_ name: String, _ value: some BinaryInteger, as type: DataType) throws {
    let index = try column(name, type)
    switch fields[index].type {
    case .float, .double, .string, .timestamp: throw misfit(index, "the integer \(value)")
    case .date:
      guard let days = Int32(exactly: value) else { throw misfit(index, "\(value)") }
      builders[index].append(days)
    case .decimal: try append(literal: .number("\(value)"), index)
    default:
      guard let number = Int128(exactly: value), builders[index].append(exact: number) else {
        throw misfit(index, "\(value)")
      }
    }
  }

  func append(_ name: String, _ value: Double, _ text: String? = nil, as type: DataType = .double) throws {
    let index = try column(name, type)
    switch fields[index].type {
    case .double: builders[index].append(value)
    case .float:
      let narrow = Float(value)
      guard Double(narrow) == value || value.isNaN else { throw misfit(index, "\(value) without loss") }
      builders[index].append(narrow)
    case .decimal: try append(literal: .number(text ?? "\(value)"), index)
    default: throw misfit(index, "\(value)")
    }
  }

  /// Appends a time, given in seconds since 2001-01-01T00:00:00Z.
  func append(_ name: String, date seconds: Double) throws {
    let index = try column(name, .timestamp(.microseconds, .instant))
    guard case .timestamp(let unit, _) = fields[index].type else {
      throw misfit(index, "a time; it can go to a timestamp column")
    }
    // From the epoch of Foundation to that of Unix. Whole seconds apart from the rest, so that digits stay.
    let whole = seconds.rounded(.down)
    let perSecond = Double(unit.perSecond)
    let rest = ((seconds - whole) * perSecond).rounded()
    guard let time = Int64(exactly: (whole + 978_307_200) * perSecond + rest) else {
      throw misfit(index, "a time so far away")
    }
    builders[index].append(time)
  }

  private func append(literal: Literal, _ index: Int) throws {
    guard let column = try? literal.stored(in: fields[index]) else { throw misfit(index, literal.text) }
    try builders[index].append(column, 0..<1)
  }

  /// Whether a type is Foundation's `Date`, which this room does not import, and which encodes itself as its seconds.
  func isDate(_ type: Any.Type) -> Bool {
    if let known = dates[ObjectIdentifier(type)] { return known }
    let name = String(reflecting: type)
    let isDate = name == "Foundation.Date" || name == "FoundationEssentials.Date"
    dates[ObjectIdentifier(type)] = isDate
    return isDate
  }
}
