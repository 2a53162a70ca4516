/// Builds a column value by value, or from parts of others.
///
/// The typed appends take the value's layout in memory; giving one of another layout is a mistake of the
/// program and traps.
public struct ColumnBuilder: Sendable {
  /// The type of the column.
  public let type: DataType
  @usableFromInline var validity: Bitmap?
  @usableFromInline var values: Column.Values
  @usableFromInline var length = 0
  /// Strings in dictionaries, which ``values`` does not have then.
  var dictionary: DictionaryBuilder?
  /// Bytes of strings that were taken out of dictionaries.
  var writtenOut = 0
  /// The columns within a list, map or structure, which ``values`` does not have then.
  var nested: NestedBuilder?

  /// Begins an empty column.
  public init(_ type: DataType) {
    self.type = type
    values = Self.empty(type)
  }

  static func empty(_ type: DataType) -> Column.Values {
    switch type {
    case .boolean: .boolean(Bitmap())
    case .int8: .int8([])
    case .int16: .int16([])
    case .int32, .date: .int32([])
    case .int64, .timestamp, .time: .int64([])
    case .float: .float([])
    case .double: .double([])
    case .decimal: .decimal([])
    case .string, .binary: .bytes(ByteStrings())
    case .list(let element): .list(offsets: [0], elements: ColumnBuilder(element.type).finish())
    case .structure(let fields): .structure(fields.map { ColumnBuilder($0.type).finish() }, count: 0)
    case .map(let key, let value):
      .map(
        offsets: [0], keys: ColumnBuilder(key.type).finish(), values: ColumnBuilder(value.type).finish())
    }
  }

  /// Number of values so far.
  public var count: Int { length }

  /// Takes memory for so many values of fixed size, or strings with so many bytes, before the first of them.
  public mutating func reserve(_ count: Int, bytes: Int = 0) {
    guard length == 0 else { return }
    switch values {
    case .int8: reserve(Int8.self, count)
    case .int16: reserve(Int16.self, count)
    case .int32: reserve(Int32.self, count)
    case .int64: reserve(Int64.self, count)
    case .float: reserve(Float.self, count)
    case .double: reserve(Double.self, count)
    case .decimal: reserve(Int128.self, count)
    case .bytes:
      var strings = ByteStrings()
      strings.reserve(strings: count, bytes: bytes)
      values = .bytes(strings)
    default: break
    }
  }

  private mutating func reserve<Value: FixedSizeValue>(_: Value.Type, _ count: Int) {
    var list: [Value] = []
    list.reserveCapacity(count)
    values = Value.columnValues(list)
  }

  /// The column; the builder is spent.
  public consuming func finish() -> Column {
    let bits = validity.flatMap { $0.isAllSet ? nil : $0 }
    if let taken = dictionary.take() { return Column(unchecked: type, .dictionary(taken.finish()), bits) }
    if let taken = nested.take() { return Column(unchecked: type, taken.finish(), bits) }
    return Column(unchecked: type, values, bits)
  }

  @inlinable
  mutating func noteValid() {
    if validity != nil { validity?.append(true) }
    length &+= 1
  }

  /// Appends nulls.
  public mutating func appendNulls(_ added: Int = 1) {
    guard added > 0 else { return }
    if validity == nil { validity = Bitmap(repeating: true, count: length) }
    validity?.append(repeating: false, count: added)
    length += added
    goOnWithin()
    guard dictionary == nil else {
      dictionary?.appendEmpty(added)
      return
    }
    guard nested == nil else {
      nested?.appendNulls(added)
      return
    }
    switch values {
    case .boolean(var bits):
      values = Self.taken
      bits.append(repeating: false, count: added)
      values = .boolean(bits)
    case .int8: appendZeros(Int8.self, added)
    case .int16: appendZeros(Int16.self, added)
    case .int32: appendZeros(Int32.self, added)
    case .int64: appendZeros(Int64.self, added)
    case .float: appendZeros(Float.self, added)
    case .double: appendZeros(Double.self, added)
    case .decimal: appendZeros(Int128.self, added)
    case .bytes(var strings):
      values = Self.taken
      strings.appendEmpty(added)
      values = .bytes(strings)
    case .dictionary, .list, .map, .structure: break
    }
  }

  /// Appends what nulls have in their places.
  private mutating func appendZeros<Value: FixedSizeValue>(_: Value.Type, _ added: Int) {
    guard var list = Value.columnValues(in: values) else { return }
    values = Self.taken
    list.append(contentsOf: repeatElement(.zero, count: added))
    values = Value.columnValues(list)
  }

  /// Goes on building a column.
  public init(_ column: Column) {
    type = column.type
    validity = column.validity
    values = column.values
    length = column.count
  }

  /// Appends a boolean.
  public mutating func append(_ value: Bool) {
    guard case .boolean(var bits) = values else { preconditionFailure("not a boolean column") }
    values = Self.taken
    bits.append(value)
    values = .boolean(bits)
    noteValid()
  }

  /// Appends a value in the type's layout: an integer or floating-point number of its width, days since 1970-01-01 of
  /// a date, units of a timestamp, or the digits of a decimal without the point.
  @inlinable
  public mutating func append<Value: FixedSizeValue>(_ value: Value) {
    guard var list = Value.columnValues(in: values) else {
      preconditionFailure("a column of another layout than the value")
    }
    // What is held twice would be copied whole to grow.
    values = Self.taken
    list.append(value)
    values = Value.columnValues(list)
    noteValid()
  }

  /// Appends a string or bytes.
  ///
  /// - Throws: ``ColumnError`` where the column would pass 2 GiB.
  public mutating func append(_ bytes: RawSpan) throws(ColumnError) {
    guard case .bytes(var strings) = values else {
      goOnWithin()
      precondition(dictionary != nil, "not a string column")
      try dictionary?.append(bytes)
      noteValid()
      return
    }
    values = Self.taken
    defer { values = .bytes(strings) }
    try strings.append(bytes)
    noteValid()
  }

  /// Appends a string.
  ///
  /// - Throws: ``ColumnError`` where the column would pass 2 GiB.
  public mutating func append(_ text: String) throws(ColumnError) {
    try append(Array(text.utf8).span.bytes)
  }

  /// Appends a string which `build` writes.
  ///
  /// - Throws: ``ColumnError`` where the column would pass 2 GiB.
  public mutating func appendBuilt(_ build: (inout [UInt8]) -> Void) throws(ColumnError) {
    guard case .bytes(var strings) = values else {
      goOnWithin()
      precondition(dictionary != nil, "not a string column")
      try dictionary?.appendBuilt(build)
      noteValid()
      return
    }
    values = Self.taken
    defer { values = .bytes(strings) }
    try strings.appendBuilt(build)
    noteValid()
  }

  /// Makes strings that are in a dictionary, and columns within the column, ready to be gone on with.
  mutating func goOnWithin() {
    switch values {
    case .dictionary(let strings): dictionary = DictionaryBuilder(strings)
    case .list, .map, .structure: nested = NestedBuilder(values)
    default: return
    }
    values = Self.taken
  }

  /// What stands where values were that are about to grow.
  @inlinable static var taken: Column.Values { .int8([]) }
}
