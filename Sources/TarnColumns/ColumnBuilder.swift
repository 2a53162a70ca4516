import TarnBytes

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
    case .int8: values = .int8(Self.empty(count))
    case .int16: values = .int16(Self.empty(count))
    case .int32: values = .int32(Self.empty(count))
    case .int64: values = .int64(Self.empty(count))
    case .float: values = .float(Self.empty(count))
    case .double: values = .double(Self.empty(count))
    case .decimal: values = .decimal(Self.empty(count))
    case .bytes:
      var strings = ByteStrings()
      strings.reserve(strings: count, bytes: bytes)
      values = .bytes(strings)
    default: break
    }
  }

  private static func empty<T>(_ capacity: Int) -> [T] {
    var list: [T] = []
    list.reserveCapacity(capacity)
    return list
  }

  /// The column; the builder is spent.
  public consuming func finish() -> Column {
    let bits = validity.flatMap { $0.isAllSet ? nil : $0 }
    if let taken = dictionary.take() { return Column(unchecked: type, .dictionary(taken.finish()), bits) }
    if let taken = nested.take() { return Column(unchecked: type, taken.finish(), bits) }
    return Column(unchecked: type, values, bits)
  }

  @usableFromInline
  mutating func noteValid() {
    validity?.append(true)
    length += 1
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
      values = .int8([])
      bits.append(repeating: false, count: added)
      values = .boolean(bits)
    case .int8(var list): take(&list, added) { .int8($0) }
    case .int16(var list): take(&list, added) { .int16($0) }
    case .int32(var list): take(&list, added) { .int32($0) }
    case .int64(var list): take(&list, added) { .int64($0) }
    case .float(var list): take(&list, added) { .float($0) }
    case .double(var list): take(&list, added) { .double($0) }
    case .decimal(var list): take(&list, added) { .decimal($0) }
    case .bytes(var strings):
      values = .int8([])
      strings.appendEmpty(added)
      values = .bytes(strings)
    case .dictionary, .list, .map, .structure: break
    }
  }

  /// Appends zeros for nulls; the payload is out of `values` meanwhile, so that it is not copied.
  private mutating func take<T: ExpressibleByIntegerLiteral>(
    _ list: inout [T], _ added: Int, _ wrap: ([T]) -> Column.Values
  ) {
    values = .boolean(Bitmap())
    list.append(contentsOf: repeatElement(0, count: added))
    values = wrap(list)
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
    values = .int8([])
    bits.append(value)
    values = .boolean(bits)
    noteValid()
  }

  /// Appends an 8-bit integer.
  public mutating func append(_ value: Int8) {
    guard case .int8(var list) = values else { preconditionFailure("not an int8 column") }
    values = .boolean(Bitmap())
    list.append(value)
    values = .int8(list)
    noteValid()
  }

  /// Appends a 16-bit integer.
  public mutating func append(_ value: Int16) {
    guard case .int16(var list) = values else { preconditionFailure("not an int16 column") }
    values = .boolean(Bitmap())
    list.append(value)
    values = .int16(list)
    noteValid()
  }

  /// Appends a 32-bit integer, or a date in days since 1970-01-01.
  public mutating func append(_ value: Int32) {
    guard case .int32(var list) = values else { preconditionFailure("not an int32 column") }
    values = .boolean(Bitmap())
    list.append(value)
    values = .int32(list)
    noteValid()
  }

  /// Appends a 64-bit integer, or a timestamp in the type's unit.
  public mutating func append(_ value: Int64) {
    guard case .int64(var list) = values else { preconditionFailure("not an int64 column") }
    values = .boolean(Bitmap())
    list.append(value)
    values = .int64(list)
    noteValid()
  }

  /// Appends a 32-bit floating-point number.
  public mutating func append(_ value: Float) {
    guard case .float(var list) = values else { preconditionFailure("not a float column") }
    values = .boolean(Bitmap())
    list.append(value)
    values = .float(list)
    noteValid()
  }

  /// Appends a 64-bit floating-point number.
  public mutating func append(_ value: Double) {
    guard case .double(var list) = values else { preconditionFailure("not a double column") }
    values = .boolean(Bitmap())
    list.append(value)
    values = .double(list)
    noteValid()
  }

  /// Appends a decimal's digits without the point.
  public mutating func append(_ unscaled: Int128) {
    guard case .decimal(var list) = values else { preconditionFailure("not a decimal column") }
    values = .boolean(Bitmap())
    list.append(unscaled)
    values = .decimal(list)
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
    values = .boolean(Bitmap())
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
    values = .boolean(Bitmap())
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
  static let taken = Column.Values.boolean(Bitmap())
}
