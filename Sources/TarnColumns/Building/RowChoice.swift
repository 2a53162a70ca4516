/// Rows of a column that are appended to another: a range of them, or chosen ones in their order.
protocol RowChoice {
  /// How many they are.
  var count: Int { get }

  /// Appends the values of the rows.
  func append<Value>(_ other: [Value], to list: inout [Value])

  /// Appends the bits of the rows.
  func append(_ other: Bitmap, to bits: inout Bitmap)

  /// Appends the strings of the rows.
  ///
  /// - Throws: ``ColumnError`` where these would pass 2 GiB.
  func append(_ other: ByteStrings, to strings: inout ByteStrings) throws(ColumnError)

  /// Appends the strings of the rows, which are in a dictionary, end to end.
  ///
  /// - Throws: ``ColumnError`` where these would pass 2 GiB.
  func append(_ other: DictionaryStrings, to strings: inout ByteStrings) throws(ColumnError)

  /// Appends the positions of the rows' strings in a dictionary, each raised by a number.
  func append(positions other: [UInt32], raisedBy first: UInt32, to positions: inout [UInt32])

  /// The bytes that strings in a dictionary take end to end.
  func plainByteCount(_ strings: DictionaryStrings) -> Int
}

extension Range: RowChoice where Bound == Int {
  func append<Value>(_ other: [Value], to list: inout [Value]) { list.append(contentsOf: other[self]) }

  func append(_ other: Bitmap, to bits: inout Bitmap) { bits.append(other, self) }

  func append(_ other: ByteStrings, to strings: inout ByteStrings) throws(ColumnError) {
    try strings.append(other, self)
  }

  func append(_ other: DictionaryStrings, to strings: inout ByteStrings) throws(ColumnError) {
    try strings.append(other.entries.strings, rows: other.positions.span.extracting(self))
  }

  func append(positions other: [UInt32], raisedBy first: UInt32, to positions: inout [UInt32]) {
    guard first > 0 else { return positions.append(contentsOf: other[self]) }
    for position in other[self] { positions.append(first &+ position) }
  }

  func plainByteCount(_ strings: DictionaryStrings) -> Int { strings.plainByteCount(self) }
}

extension Array: RowChoice where Element == Int32 {
  func append<Value>(_ other: [Value], to list: inout [Value]) {
    // Asked for at every run, room would be made anew at every run.
    if list.isEmpty { list.reserveCapacity(count) }
    for row in self { list.append(other[Int(row)]) }
  }

  func append(_ other: Bitmap, to bits: inout Bitmap) {
    for row in self { bits.append(other[Int(row)]) }
  }

  func append(_ other: ByteStrings, to strings: inout ByteStrings) throws(ColumnError) {
    try strings.append(other, rows: span)
  }

  func append(_ other: DictionaryStrings, to strings: inout ByteStrings) throws(ColumnError) {
    var places: [UInt32] = []
    append(positions: other.positions, raisedBy: 0, to: &places)
    try strings.append(other.entries.strings, rows: places.span)
  }

  func append(positions other: [UInt32], raisedBy first: UInt32, to positions: inout [UInt32]) {
    if positions.isEmpty { positions.reserveCapacity(count) }
    for row in self { positions.append(first &+ other[Int(row)]) }
  }

  func plainByteCount(_ strings: DictionaryStrings) -> Int {
    let entries = strings.entries.strings
    var total = 0
    for row in self { total &+= entries.length(strings.position(Int(row))) }
    return total
  }
}
