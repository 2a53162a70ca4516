internal import TarnBytes

/// Rows told apart by their values: those of one group have the same.
package struct DistinctRows: Sendable {
  /// The group of each row, numbered in the order in which they come first.
  package private(set) var groupOf: [Int32] = []
  /// The first row of each group.
  package private(set) var firstRows: [Int32] = []

  /// All rows in one group.
  package init(alike count: Int) {
    groupOf = [Int32](repeating: 0, count: count)
    if count > 0 { firstRows = [0] }
  }

  fileprivate init(reserving count: Int) { groupOf.reserveCapacity(count) }

  /// Adds a row of a group that was there before, or else begins one with it.
  @inline(__always)
  fileprivate mutating func add(_ known: Int?) {
    if known == nil { firstRows.append(Int32(truncatingIfNeeded: groupOf.count)) }
    groupOf.append(Int32(truncatingIfNeeded: known ?? (firstRows.count &- 1)))
  }

  /// Rows that are in one group here and in others as well.
  ///
  /// - Precondition: Both have as many rows.
  package func divided(by others: DistinctRows) -> DistinctRows {
    precondition(groupOf.count == others.groupOf.count)
    if firstRows.count <= 1 { return others }
    if others.firstRows.count <= 1 { return self }
    var pairs: [Int64] = []
    pairs.reserveCapacity(groupOf.count)
    for (row, group) in groupOf.enumerated() {
      pairs.append(Int64(group) &<< 32 | Int64(others.groupOf[row]))
    }
    return DistinctRows(pairs, nil)
  }

  /// Groups of whole numbers, and one of the nulls.
  fileprivate init<Value: FixedWidthInteger>(_ values: [Value], _ validity: Bitmap?) {
    self.init(values, validity, key: { $0 })
  }

  /// Groups of values that have equal keys, and one of the nulls.
  @inline(__always)
  fileprivate init<Value, Key: FixedWidthInteger>(
    _ values: [Value], _ validity: Bitmap?, key: (Value) -> Key
  ) {
    self.init(reserving: values.count)
    // The first row of each group but that of the nulls, whose value is no value.
    var index = HashIndex(expected: 64)
    var nulls: Int?
    var last: (key: Key, group: Int)?
    var keys: [Key] = []
    for (row, value) in values.enumerated() {
      if let validity, !validity[row] {
        add(nulls)
        if nulls == nil {
          nulls = firstRows.count - 1
          keys.append(0)
        }
        continue
      }
      let key = key(value)
      // Rows of one partition often follow one another.
      if let last, last.key == key {
        add(last.group)
        continue
      }
      let group = index.findOrInsert(
        hash: Self.hash(key), position: firstRows.count, where: { keys[$0] == key },
        hashOf: { Self.hash(keys[$0]) })
      last = (key, group ?? firstRows.count)
      if group == nil { keys.append(key) }
      add(group)
    }
  }

  @inline(__always)
  private static func hash<Key: FixedWidthInteger>(_ key: Key) -> UInt64 {
    let high = Key.bitWidth > 64 ? UInt64(truncatingIfNeeded: key >> 64) : 0
    let word = (UInt64(truncatingIfNeeded: key) ^ high &* 0xc2b2_ae3d_27d4_eb4f) &* 0x9e37_79b9_7f4a_7c15
    return word ^ word >> 32
  }

  /// Groups of strings, and one of the nulls.
  fileprivate init(_ strings: ByteStrings, _ validity: Bitmap?) {
    self.init(reserving: strings.count)
    var index = HashIndex(expected: 64)
    var nulls: Int?
    var last: (row: Int, group: Int)?
    var firsts: [Int] = []
    for row in 0..<strings.count {
      if let validity, !validity[row] {
        add(nulls)
        if nulls == nil {
          nulls = firstRows.count - 1
          firsts.append(row)
        }
        continue
      }
      if let last, strings.equals(row, strings, last.row) {
        add(last.group)
        continue
      }
      let group = index.findOrInsert(
        hash: strings.hash(row), position: firstRows.count,
        where: { strings.equals(firsts[$0], strings, row) }, hashOf: { strings.hash(firsts[$0]) })
      last = (row, group ?? firstRows.count)
      if group == nil { firsts.append(row) }
      add(group)
    }
  }

  /// Groups of strings in a dictionary, whose entries may repeat, and one of the nulls.
  fileprivate init(_ dictionary: DictionaryStrings, _ validity: Bitmap?) {
    let entries = DistinctRows(dictionary.entries.strings, nil)
    self.init(reserving: dictionary.count)
    // The nulls behind all entries.
    var groups = [Int32](repeating: -1, count: entries.firstRows.count + 1)
    let nulls = entries.firstRows.count
    for (row, place) in dictionary.indices.enumerated() {
      let isNull = validity.map { !$0[row] } ?? false
      let entry = isNull ? nulls : Int(entries.groupOf[Int(place)])
      let known = groups[entry]
      add(known < 0 ? nil : Int(known))
      if known < 0 { groups[entry] = Int32(truncatingIfNeeded: firstRows.count &- 1) }
    }
  }
}

extension Column {
  /// The rows told apart by their values, as ``isEqual(_:to:_:)`` has it; nil for columns that hold other columns.
  package func distinctRows() -> DistinctRows? {
    switch values {
    case .boolean(let bits):
      DistinctRows((0..<bits.count).map { bits[$0] }, validity, key: { $0 ? 1 as UInt8 : 0 })
    case .int8(let list): DistinctRows(list, validity)
    case .int16(let list): DistinctRows(list, validity)
    case .int32(let list): DistinctRows(list, validity)
    case .int64(let list): DistinctRows(list, validity)
    case .decimal(let list): DistinctRows(list, validity)
    case .float(let list): DistinctRows(list, validity, key: \.bitPattern)
    case .double(let list): DistinctRows(list, validity, key: \.bitPattern)
    case .bytes(let strings): DistinctRows(strings, validity)
    case .dictionary(let strings): DistinctRows(strings, validity)
    case .list, .map, .structure: nil
    }
  }
}

extension ByteStrings {
  /// The positions of the least and the greatest string in the order of their UTF-16 units, as Java has it; nil where
  /// there is none.
  ///
  /// Of equal strings the first counts.
  package func extremesInUTF16() -> (least: Int, greatest: Int)? {
    guard count > 0 else { return nil }
    var (least, greatest) = (0, 0)
    let all = bytes
    // Of ASCII the order is that of the bytes, which the first eight of them mostly tell.
    guard UTF8Text.isASCII(all.span.bytes) else {
      for row in 1..<count {
        if precedesInUTF16(row, least) { least = row }
        if precedesInUTF16(greatest, row) { greatest = row }
      }
      return (least, greatest)
    }
    var (lowest, highest) = (beginning(0), beginning(0))
    for row in 1..<count {
      let word = beginning(row)
      if word < lowest || word == lowest && precedes(row, self, least) { (least, lowest) = (row, word) }
      if word > highest || word == highest && precedes(greatest, self, row) {
        (greatest, highest) = (row, word)
      }
    }
    return (least, greatest)
  }

  /// The first eight bytes as a number that orders as they do; a shorter string ends with zeros.
  @inline(__always)
  private func beginning(_ row: Int) -> UInt64 {
    let range = range(row)
    var word: UInt64 = 0
    for place in range.prefix(8) { word = word << 8 | UInt64(storedBytes[place]) }
    return range.count < 8 ? word << UInt64(8 * (8 - range.count)) : word
  }

  /// Whether a string comes before another in the order of their UTF-16 units.
  private func precedesInUTF16(_ row: Int, _ other: Int) -> Bool {
    let (mine, its) = (range(row), range(other))
    for step in 0..<Swift.min(mine.count, its.count) {
      let (a, b) = (storedBytes[mine.lowerBound + step], storedBytes[its.lowerBound + step])
      if a != b { return Self.weight(a) < Self.weight(b) }
    }
    return mine.count < its.count
  }

  /// Surrogates, which begin four-byte sequences in UTF-8, come before U+E000 and what follows it.
  private static func weight(_ byte: UInt8) -> Int {
    byte == 0xee || byte == 0xef ? Int(byte) + 0x10 : Int(byte)
  }
}
