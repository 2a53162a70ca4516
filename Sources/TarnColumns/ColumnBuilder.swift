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
  private var dictionary: DictionaryBuilder?
  /// Bytes of strings that were taken out of dictionaries.
  private var writtenOut = 0

  /// Bytes of strings in dictionaries up to which they are put behind others as these are.
  private static let mostWrittenOut = 1 << 20

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
    goOnInDictionary()
    guard dictionary == nil else {
      dictionary?.appendEmpty(added)
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
    case .dictionary: break
    case .list(var offsets, let elements):
      values = .int8([])
      offsets.append(contentsOf: repeatElement(Int32(elements.count), count: added))
      values = .list(offsets: offsets, elements: elements)
    case .map(var offsets, let keys, let items):
      values = .int8([])
      offsets.append(contentsOf: repeatElement(Int32(keys.count), count: added))
      values = .map(offsets: offsets, keys: keys, values: items)
    case .structure(var columns, let count):
      values = .int8([])
      for index in columns.indices { Self.change(&columns[index]) { $0.appendNulls(added) } }
      values = .structure(columns, count: count + added)
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
      goOnInDictionary()
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
      goOnInDictionary()
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

  /// Makes strings that are in a dictionary ready to be gone on with.
  private mutating func goOnInDictionary() {
    guard case .dictionary(let strings) = values else { return }
    values = .boolean(Bitmap())
    dictionary = DictionaryBuilder(strings)
  }
}

extension ColumnBuilder {
  private func check(_ column: Column) throws(ColumnError) {
    guard column.type == type else {
      throw ColumnError.typeMismatch(expected: type.name, found: column.type.name)
    }
  }

  /// Appends a range of another column of the same type.
  ///
  /// - Throws: ``ColumnError`` where the type differs, or the column would pass 2 GiB.
  public mutating func append(_ column: Column, _ rows: Range<Int>) throws(ColumnError) {
    try check(column)
    guard !rows.isEmpty else { return }
    goOnInDictionary()
    switch column.values {
    case .dictionary(let theirs) where !writesOut(theirs, { theirs.plainByteCount(rows) }):
      if length == 0 {
        values = .boolean(Bitmap())
        dictionary = DictionaryBuilder(theirs.part(rows))
      } else {
        try dictionary?.append(theirs, rows)
      }
    case .bytes(let theirs) where dictionary != nil: try dictionary?.append(theirs, rows)
    default: try Self.join(&values, column.values, rows)
    }
    if let theirs = column.validity {
      if validity == nil { validity = Bitmap(repeating: true, count: length) }
      validity?.append(theirs, rows)
    } else {
      validity?.append(repeating: true, count: rows.count)
    }
    length += rows.count
  }

  /// Whether strings of a dictionary, which take so many bytes, are put end to end: a few behind others, or at first
  /// fewer than the dictionary has.
  private mutating func writesOut(_ theirs: DictionaryStrings, _ count: () -> Int) -> Bool {
    guard dictionary == nil, case .bytes(let strings) = values else { return false }
    let entries = theirs.entries.strings.bytes.count
    guard length > 0 || entries > DictionaryBuilder.smallBytes else { return false }
    if length == 0 {
      let bytes = count()
      guard bytes <= min(entries, Self.mostWrittenOut) else { return false }
      writtenOut = bytes
      return true
    }
    writtenOut += count()
    if writtenOut <= Self.mostWrittenOut { return true }
    values = .boolean(Bitmap())
    dictionary = DictionaryBuilder(plain: strings)
    return false
  }

  /// About how many bytes the strings take that are held.
  public var stringByteCount: Int {
    if let dictionary { return dictionary.byteCount }
    return switch values {
    case .bytes(let strings): strings.bytes.count
    case .dictionary(let strings): strings.entries.strings.bytes.count
    default: 0
    }
  }

  /// What stands where a list was that is about to grow.
  private static let taken = Column.Values.boolean(Bitmap())
  private static let mismatch = ColumnError.malformed("columns of one type differ in layout")

  /// Appends values to others of the same layout.
  ///
  /// A list is taken out of its place before it grows, since one that is held twice is copied whole each time.
  private static func join(
    _ mine: inout Column.Values, _ theirs: Column.Values, _ rows: Range<Int>
  ) throws(ColumnError) {
    switch theirs {
    case .boolean(let other):
      guard case .boolean(var bits) = mine else { throw mismatch }
      mine = taken
      bits.append(other, rows)
      mine = .boolean(bits)
    case .int8(let other):
      guard case .int8(var list) = mine else { throw mismatch }
      mine = taken
      list.append(contentsOf: other[rows])
      mine = .int8(list)
    case .int16(let other):
      guard case .int16(var list) = mine else { throw mismatch }
      mine = taken
      list.append(contentsOf: other[rows])
      mine = .int16(list)
    case .int32(let other):
      guard case .int32(var list) = mine else { throw mismatch }
      mine = taken
      list.append(contentsOf: other[rows])
      mine = .int32(list)
    case .int64(let other):
      guard case .int64(var list) = mine else { throw mismatch }
      mine = taken
      list.append(contentsOf: other[rows])
      mine = .int64(list)
    case .float(let other):
      guard case .float(var list) = mine else { throw mismatch }
      mine = taken
      list.append(contentsOf: other[rows])
      mine = .float(list)
    case .double(let other):
      guard case .double(var list) = mine else { throw mismatch }
      mine = taken
      list.append(contentsOf: other[rows])
      mine = .double(list)
    case .decimal(let other):
      guard case .decimal(var list) = mine else { throw mismatch }
      mine = taken
      list.append(contentsOf: other[rows])
      mine = .decimal(list)
    case .bytes(let other):
      guard case .bytes(var strings) = mine else { throw mismatch }
      mine = taken
      try strings.append(other, rows)
      mine = .bytes(strings)
    case .dictionary(let other):
      guard case .bytes(var strings) = mine else { throw mismatch }
      mine = taken
      try strings.append(other.entries.strings, positions: other.positions.span.extracting(rows))
      mine = .bytes(strings)
    case .list(let otherOffsets, let otherElements):
      guard case .list(var offsets, var elements) = mine else { throw mismatch }
      mine = taken
      let part = Int(otherOffsets[rows.lowerBound])..<Int(otherOffsets[rows.upperBound])
      try extend(&offsets, otherOffsets, rows, elements.count)
      try extend(&elements, otherElements, part)
      mine = .list(offsets: offsets, elements: elements)
    case .map(let otherOffsets, let otherKeys, let otherItems):
      guard case .map(var offsets, var keys, var items) = mine else { throw mismatch }
      mine = taken
      let part = Int(otherOffsets[rows.lowerBound])..<Int(otherOffsets[rows.upperBound])
      try extend(&offsets, otherOffsets, rows, keys.count)
      try extend(&keys, otherKeys, part)
      try extend(&items, otherItems, part)
      mine = .map(offsets: offsets, keys: keys, values: items)
    case .structure(let others, _):
      guard case .structure(var columns, let count) = mine, columns.count == others.count else {
        throw mismatch
      }
      mine = taken
      for (index, other) in others.enumerated() { try extend(&columns[index], other, rows) }
      mine = .structure(columns, count: count + rows.count)
    }
  }

  /// Goes on building a column that lies within another, and puts it back; nobody else holds it meanwhile.
  private static func change<E: Error>(
    _ column: inout Column, _ body: (inout ColumnBuilder) throws(E) -> Void
  ) throws(E) {
    let type = column.type
    var builder = ColumnBuilder(column)
    column = Column(unchecked: type, taken, nil)
    try body(&builder)
    let values = builder.dictionary.map { Column.Values.dictionary($0.finish()) } ?? builder.values
    column = Column(unchecked: type, values, builder.validity)
  }

  private static func extend(
    _ column: inout Column, _ other: Column, _ rows: Range<Int>
  ) throws(ColumnError) {
    try change(&column) { (builder) throws(ColumnError) in try builder.append(other, rows) }
  }

  private static func extend(
    _ offsets: inout [Int32], _ others: [Int32], _ rows: Range<Int>, _ held: Int
  ) throws(ColumnError) {
    let start = Int(others[rows.lowerBound])
    guard held + Int(others[rows.upperBound]) - start <= Int(Int32.max) else { throw ColumnError.tooLarge }
    for row in rows { offsets.append(Int32(Int(others[row + 1]) - start + held)) }
  }

  /// Appends chosen rows of another column of the same type; each must be below its count.
  ///
  /// - Throws: ``ColumnError`` where the type differs, or the column would pass 2 GiB.
  public mutating func append(_ column: Column, rows: [Int32]) throws(ColumnError) {
    try check(column)
    guard !rows.isEmpty else { return }
    if column.type.isNested {
      // Rows that follow one another go as one, so that few chosen out of many cost no more than all.
      var start = 0
      for index in rows.indices
      where index + 1 == rows.count || Int(rows[index + 1]) != Int(rows[index]) + 1 {
        try append(column, Int(rows[start])..<Int(rows[index]) + 1)
        start = index + 1
      }
      return
    }
    goOnInDictionary()
    switch column.values {
    case .dictionary(let theirs)
    where !writesOut(
      theirs,
      {
        rows.reduce(0) { $0 + theirs.entries.strings.length(theirs.position(Int($1))) }
      }):
      if length == 0 {
        values = .boolean(Bitmap())
        dictionary = DictionaryBuilder(theirs.gathered(rows))
      } else {
        try dictionary?.append(theirs, rows: rows)
      }
    case .bytes(let theirs) where dictionary != nil: try dictionary?.append(theirs, rows: rows)
    default: try Self.gather(&values, column.values, rows)
    }
    if let theirs = column.validity {
      if validity == nil { validity = Bitmap(repeating: true, count: length) }
      for row in rows { validity?.append(theirs[Int(row)]) }
    } else {
      validity?.append(repeating: true, count: rows.count)
    }
    length += rows.count
  }

  /// Appends chosen values to others of the same layout, taken out of their place as in ``join(_:_:_:)``.
  private static func gather(
    _ mine: inout Column.Values, _ theirs: Column.Values, _ rows: [Int32]
  ) throws(ColumnError) {
    switch theirs {
    case .boolean(let other):
      guard case .boolean(var bits) = mine else { throw mismatch }
      mine = taken
      for row in rows { bits.append(other[Int(row)]) }
      mine = .boolean(bits)
    case .int8(let other):
      guard case .int8(var list) = mine else { throw mismatch }
      mine = taken
      pick(&list, other, rows)
      mine = .int8(list)
    case .int16(let other):
      guard case .int16(var list) = mine else { throw mismatch }
      mine = taken
      pick(&list, other, rows)
      mine = .int16(list)
    case .int32(let other):
      guard case .int32(var list) = mine else { throw mismatch }
      mine = taken
      pick(&list, other, rows)
      mine = .int32(list)
    case .int64(let other):
      guard case .int64(var list) = mine else { throw mismatch }
      mine = taken
      pick(&list, other, rows)
      mine = .int64(list)
    case .float(let other):
      guard case .float(var list) = mine else { throw mismatch }
      mine = taken
      pick(&list, other, rows)
      mine = .float(list)
    case .double(let other):
      guard case .double(var list) = mine else { throw mismatch }
      mine = taken
      pick(&list, other, rows)
      mine = .double(list)
    case .decimal(let other):
      guard case .decimal(var list) = mine else { throw mismatch }
      mine = taken
      pick(&list, other, rows)
      mine = .decimal(list)
    case .bytes(let other):
      guard case .bytes(var strings) = mine else { throw mismatch }
      mine = taken
      try strings.append(other, rows: rows.span)
      mine = .bytes(strings)
    case .dictionary(let other):
      guard case .bytes(var strings) = mine else { throw mismatch }
      mine = taken
      let positions = rows.map { Int32(bitPattern: other.indices[Int($0)]) }
      try strings.append(other.entries.strings, rows: positions.span)
      mine = .bytes(strings)
    case .list, .map, .structure: throw mismatch
    }
  }

  private static func pick<T>(_ list: inout [T], _ other: [T], _ rows: [Int32]) {
    // Asked for at every run, room would be made anew at every run.
    if list.isEmpty { list.reserveCapacity(rows.count) }
    for row in rows { list.append(other[Int(row)]) }
  }
}
