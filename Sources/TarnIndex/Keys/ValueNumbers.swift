import TarnBytes
import TarnColumns

/// The values of columns, numbered in the order in which they come: equal ones have one number.
package struct ValueNumbers {
  /// The number of each row's values.
  package private(set) var numbers: [Int32] = []
  /// The first row with the values of each number.
  package private(set) var firstRows: [Int32] = []

  /// Numbers the values of one column by their texts; null is a value of its own.
  ///
  /// - Throws: ``ColumnError`` where the texts would pass 2 GiB.
  init(_ column: Column) throws(ColumnError) {
    numbers.reserveCapacity(column.count)
    // Of strings in a dictionary each entry is looked at once, unless most of them belong to other rows.
    if case .dictionary(let strings) = column.values, strings.entries.strings.count <= column.count {
      let firsts = Self.firstPlaces(of: strings.entries.strings)
      number(column, firsts, placeCount: firsts.count) { Int(strings.indices[$0]) }
    } else {
      let firsts = Self.firstPlaces(of: try KeyText.texts(of: column))
      number(column, firsts, placeCount: firsts.count) { $0 }
    }
  }

  /// Numbers the values of several columns together; there is at least one.
  ///
  /// - Throws: ``ColumnError`` where the texts of one would pass 2 GiB.
  package init(of columns: [Column]) throws(ColumnError) {
    guard let first = columns.first else { return }
    self = try ValueNumbers(first)
    for column in columns.dropFirst() { self = ValueNumbers(self, try ValueNumbers(column)) }
  }

  /// Numbers the pairs of the values of two columns.
  init(_ left: ValueNumbers, _ right: ValueNumbers) {
    numbers.reserveCapacity(left.numbers.count)
    var index = HashIndex(expected: left.firstRows.count)
    var pairs: [UInt64] = []
    for row in left.numbers.indices {
      let pair =
        UInt64(UInt32(bitPattern: left.numbers[row])) << 32 | UInt64(UInt32(bitPattern: right.numbers[row]))
      let known = index.findOrInsert(
        hash: XXH64.hash(pair), position: pairs.count, where: { pairs[$0] == pair },
        hashOf: { XXH64.hash(pairs[$0]) })
      if known == nil {
        pairs.append(pair)
        firstRows.append(Int32(row))
      }
      numbers.append(Int32(known ?? pairs.count - 1))
    }
  }

  /// - Parameter place: Where the text of a row's value stands among the texts.
  @inline(__always)
  private mutating func number(
    _ column: Column, _ firstPlaces: [Int32], placeCount: Int, place: (Int) -> Int
  ) {
    var numberOf = [Int32](repeating: -1, count: placeCount)
    var ofNull: Int32 = -1
    for row in 0..<column.count {
      if column.isNull(row) {
        if ofNull < 0 { ofNull = begin(row) }
        numbers.append(ofNull)
        continue
      }
      let first = Int(firstPlaces[place(row)])
      if numberOf[first] < 0 { numberOf[first] = begin(row) }
      numbers.append(numberOf[first])
    }
  }

  private mutating func begin(_ row: Int) -> Int32 {
    firstRows.append(Int32(row))
    return Int32(firstRows.count - 1)
  }

  /// The first place at which each of some strings stands.
  private static func firstPlaces(of strings: ByteStrings) -> [Int32] {
    var places: [Int32] = []
    places.reserveCapacity(strings.count)
    let hashes = strings.hashes()
    var index = HashIndex(expected: 64)
    var firsts: [Int32] = []
    for place in 0..<strings.count {
      // Equal values often stand together.
      if place > 0, hashes[place] == hashes[place - 1], strings.equals(place, strings, place - 1) {
        places.append(places[place - 1])
        continue
      }
      let known = index.findOrInsert(
        hash: hashes[place], position: firsts.count,
        where: { strings.equals(Int(firsts[$0]), strings, place) }, hashOf: { hashes[Int(firsts[$0])] })
      if known == nil { firsts.append(Int32(place)) }
      places.append(known.map { firsts[$0] } ?? Int32(place))
    }
    return places
  }
}
