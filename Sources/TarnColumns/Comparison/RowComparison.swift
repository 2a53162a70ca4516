/// Compares rows of one column with rows of another of its type, or of the same column.
///
/// Each layout of values has one of its own, so that a loop over rows asks for the type once, before it begins: see
/// ``Column/compared(with:_:)``.
@usableFromInline
package protocol RowComparison: Sendable {
  /// Whether two values are the same, as ``Column/isEqual(_:to:_:)`` has it.
  func isEqual(_ row: Int, _ other: Int) -> Bool
  /// How two values compare, as ``Column/compare(_:to:_:)`` has it: negative, zero or positive.
  func order(_ row: Int, _ other: Int) -> Int
}

/// Values of one size.
@usableFromInline
struct FixedSizeComparison<Value: ComparableValue>: RowComparison {
  @usableFromInline let left: [Value]
  @usableFromInline let right: [Value]

  @inlinable
  init(_ left: [Value], _ right: [Value]) { (self.left, self.right) = (left, right) }

  @inlinable
  @inline(__always)
  package func isEqual(_ row: Int, _ other: Int) -> Bool { left[row].isSame(as: right[other]) }

  @inlinable
  @inline(__always)
  package func order(_ row: Int, _ other: Int) -> Int { left[row].order(to: right[other]) }
}

/// Booleans: false comes before true.
@usableFromInline
struct BooleanComparison: RowComparison {
  @usableFromInline let left: Bitmap
  @usableFromInline let right: Bitmap

  @inlinable
  init(_ left: Bitmap, _ right: Bitmap) { (self.left, self.right) = (left, right) }

  @inlinable
  @inline(__always)
  package func isEqual(_ row: Int, _ other: Int) -> Bool { left[row] == right[other] }

  @inlinable
  @inline(__always)
  package func order(_ row: Int, _ other: Int) -> Int { (left[row] ? 1 : 0) &- (right[other] ? 1 : 0) }
}

/// Where the strings of rows are.
@usableFromInline
protocol StringRows: Sendable {
  /// The strings among which those of the rows are.
  var strings: ByteStrings { get }
  /// The place of a row's string among them.
  func place(_ row: Int) -> Int
}

/// Strings end to end.
@usableFromInline
struct PlainRows: StringRows {
  @usableFromInline let strings: ByteStrings

  @inlinable
  init(_ strings: ByteStrings) { self.strings = strings }

  @inlinable
  @inline(__always)
  func place(_ row: Int) -> Int { row }
}

/// Strings in a dictionary.
@usableFromInline
struct DictionaryRows: StringRows {
  @usableFromInline let strings: ByteStrings
  @usableFromInline let places: [UInt32]

  @inlinable
  init(_ dictionary: DictionaryStrings) {
    strings = dictionary.entries.strings
    places = dictionary.indices
  }

  @inlinable
  @inline(__always)
  func place(_ row: Int) -> Int { Int(places[row]) }
}

/// Strings and binary, by their bytes.
@usableFromInline
struct StringComparison<Left: StringRows, Right: StringRows>: RowComparison {
  @usableFromInline let left: Left
  @usableFromInline let right: Right

  @inlinable
  init(_ left: Left, _ right: Right) { (self.left, self.right) = (left, right) }

  @inlinable
  @inline(__always)
  package func isEqual(_ row: Int, _ other: Int) -> Bool {
    left.strings.equals(left.place(row), right.strings, right.place(other))
  }

  @inlinable
  @inline(__always)
  package func order(_ row: Int, _ other: Int) -> Int {
    let (mine, its) = (left.place(row), right.place(other))
    if left.strings.precedes(mine, right.strings, its) { return -1 }
    return left.strings.equals(mine, right.strings, its) ? 0 : 1
  }
}

/// Strings of one dictionary, of which equal positions are equal strings.
@usableFromInline
struct SharedDictionaryComparison: RowComparison {
  @usableFromInline let places: StringComparison<DictionaryRows, DictionaryRows>

  @inlinable
  init(_ left: DictionaryStrings, _ right: DictionaryStrings) {
    places = StringComparison(DictionaryRows(left), DictionaryRows(right))
  }

  @inlinable
  @inline(__always)
  package func isEqual(_ row: Int, _ other: Int) -> Bool {
    // The entries may repeat.
    places.left.place(row) == places.right.place(other) || places.isEqual(row, other)
  }

  @inlinable
  @inline(__always)
  package func order(_ row: Int, _ other: Int) -> Int {
    places.left.place(row) == places.right.place(other) ? 0 : places.order(row, other)
  }
}

/// Lists, maps and structures, which have no order; and columns of different layouts, of which no values are the same.
@usableFromInline
struct NestedComparison: RowComparison {
  @usableFromInline let left: Column
  @usableFromInline let right: Column

  @inlinable
  init(_ left: Column, _ right: Column) { (self.left, self.right) = (left, right) }

  @inlinable
  package func isEqual(_ row: Int, _ other: Int) -> Bool { left.isNestedEqual(row, to: right, other) }

  @inlinable
  package func order(_ row: Int, _ other: Int) -> Int { 0 }
}

/// Columns of which one has nulls: null equals null, and comes before everything.
@usableFromInline
struct NullableComparison<Values: RowComparison>: RowComparison {
  @usableFromInline let values: Values
  @usableFromInline let left: Bitmap?
  @usableFromInline let right: Bitmap?

  @inlinable
  init(_ values: Values, _ left: Bitmap?, _ right: Bitmap?) {
    (self.values, self.left, self.right) = (values, left, right)
  }

  @inlinable
  @inline(__always)
  package func isEqual(_ row: Int, _ other: Int) -> Bool {
    let isPresent = left.map { $0[row] } ?? true
    guard isPresent == (right.map { $0[other] } ?? true) else { return false }
    return !isPresent || values.isEqual(row, other)
  }

  @inlinable
  @inline(__always)
  package func order(_ row: Int, _ other: Int) -> Int {
    let isPresent = left.map { $0[row] } ?? true
    let isOtherPresent = right.map { $0[other] } ?? true
    guard isPresent, isOtherPresent else { return (isPresent ? 1 : 0) &- (isOtherPresent ? 1 : 0) }
    return values.order(row, other)
  }
}
