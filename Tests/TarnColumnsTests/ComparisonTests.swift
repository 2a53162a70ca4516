import TarnColumns
import TarnTestSupport
import Testing

/// How two values compare, asked of the layout for each pair.
private func plainOrder(_ left: Column, _ row: Int, _ right: Column, _ other: Int) -> Int {
  func sign<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : (a == b ? 0 : 1) }
  func number<T: FloatingPoint>(_ a: T, _ b: T) -> Int {
    a.isNaN || b.isNaN ? (a.isNaN ? 1 : 0) - (b.isNaN ? 1 : 0) : sign(a, b)
  }
  func bytes(_ column: Column, _ row: Int) -> [UInt8]? {
    switch column.values {
    case .bytes(let strings): Array(strings.bytes[strings.range(row)])
    case .dictionary(let strings):
      Array(strings.entries.strings.bytes[strings.entries.strings.range(strings.position(row))])
    default: nil
    }
  }
  guard !left.isNull(row), !right.isNull(other) else {
    return (left.isNull(row) ? 0 : 1) - (right.isNull(other) ? 0 : 1)
  }
  switch (left.values, right.values) {
  case (.boolean(let a), .boolean(let b)): return sign(a[row] ? 1 : 0, b[other] ? 1 : 0)
  case (.int8(let a), .int8(let b)): return sign(a[row], b[other])
  case (.int16(let a), .int16(let b)): return sign(a[row], b[other])
  case (.int32(let a), .int32(let b)): return sign(a[row], b[other])
  case (.int64(let a), .int64(let b)): return sign(a[row], b[other])
  case (.decimal(let a), .decimal(let b)): return sign(a[row], b[other])
  case (.float(let a), .float(let b)): return number(a[row], b[other])
  case (.double(let a), .double(let b)): return number(a[row], b[other])
  default:
    guard let a = bytes(left, row), let b = bytes(right, other), a != b else { return 0 }
    return a.lexicographicallyPrecedes(b) ? -1 : 1
  }
}

extension Column {
  /// The strings of a column as positions among entries, some of which repeat; other columns as they are.
  fileprivate func inDictionary(_ entries: DictionaryStrings.Entries? = nil) throws -> Column {
    guard case .bytes(let strings) = values else { return self }
    if let entries {
      let places = (0..<UInt32(count)).map { $0 * 2 % UInt32(entries.strings.count) }
      return try Column(
        type: type, values: .dictionary(DictionaryStrings(indices: places, entries: entries)),
        validity: validity)
    }
    var twice = strings
    try twice.append(strings, 0..<strings.count)
    let places = (0..<UInt32(count)).map { $0 % 3 == 0 ? $0 : $0 + UInt32(count) }
    return try Column(
      type: type,
      values: .dictionary(DictionaryStrings(indices: places, entries: DictionaryStrings.Entries(twice))),
      validity: validity)
  }
}

@Suite struct ComparisonTests {
  static let count = 140

  /// Pairs of columns of a type with some equal rows, in every form that its values have.
  static func pairs(_ type: DataType, _ generator: inout SeededGenerator) throws -> [(Column, Column)] {
    var pairs: [(Column, Column)] = []
    for nulls in [(0, 0), (3, 0), (0, 3), (3, 4)] {
      let left = try Sample.column(type, count, nulls: nulls.0, &generator)
      let other = try Sample.column(type, count, nulls: nulls.1, &generator)
      let right = try Column.concatenate([left.slice(0..<70), other.slice(70..<count)], type: type)
      pairs += [(left, right), (right, left), (left, left)]
      guard case .bytes = left.values else { continue }
      let held = try left.inDictionary()
      guard case .dictionary(let strings) = held.values else { continue }
      let sharing = try right.inDictionary(strings.entries)
      pairs += [(held, right), (left, try right.inDictionary()), (held, try right.inDictionary())]
      pairs += [(held, sharing), (sharing, held), (held, held)]
    }
    return pairs
  }

  @Test(arguments: Sample.all) func manyRowsAtOnceCompareAsEachDoes(_ type: DataType) throws {
    var generator = SeededGenerator(seed: 41)
    for (left, right) in try Self.pairs(type, &generator) {
      let isSame = (0..<Self.count).map { Plain(left, $0) == Plain(right, $0) }
      #expect(BitmapTests.bits(left.equalRows(to: right)) == isSame)
      let one = generator.below(Self.count)
      let equalsOne = (0..<Self.count).map { Plain(left, $0) == Plain(right, one) }
      #expect(BitmapTests.bits(left.rows(equalTo: right, one)) == equalsOne)
      let rows = (0..<200).map { _ in Int32(generator.below(Self.count)) }
      let others = rows.map { generator.oneIn(2) ? $0 : Int32(generator.below(Self.count)) }
      let areSame = zip(rows, others).map { Plain(left, Int($0)) == Plain(right, Int($1)) }
      #expect(BitmapTests.bits(left.equalRows(rows, to: right, others)) == areSame)
      #expect(left.areEqual(rows, to: right, others) == areSame.allSatisfy { $0 })
      let same = isSame.indices.filter { isSame[$0] }.map { Int32($0) }
      #expect(left.areEqual(same, to: right, same))
      for (row, other) in zip(rows, others) {
        let isEqual = Plain(left, Int(row)) == Plain(right, Int(other))
        #expect(left.isEqual(Int(row), to: right, Int(other)) == isEqual)
      }
      guard !type.isNested else { continue }
      let expected = zip(rows, others).map { plainOrder(left, Int($0), right, Int($1)) }
      #expect(left.orders(rows, to: right, others).map(Int.init) == expected)
      #expect(zip(rows, others).map { left.compare(Int($0), to: right, Int($1)) } == expected)
      // Of equal ones the first stays the first.
      let sorted = rows.enumerated().sorted {
        let order = plainOrder(left, Int($0.element), left, Int($1.element))
        return order == 0 ? $0.offset < $1.offset : order < 0
      }
      #expect(left.sorted(rows) == sorted.map(\.element))
    }
  }

  @Test func numbersThatAreNoneCompareAtOnceAsTheyDoAlone() throws {
    let special: [Double] = [0, -0.0, .nan, -.nan, .infinity, -.infinity, 1, -1, 0x1p-149]
    let doubles = try Column(type: .double, values: .double(special))
    let floats = try Column(type: .float, values: .float(special.map { Float($0) }))
    for column in [doubles, floats] {
      let rows = special.indices.flatMap { _ in special.indices.map { Int32($0) } }
      let others = special.indices.flatMap { row in special.indices.map { _ in Int32(row) } }
      #expect(
        column.orders(rows, to: column, others).map(Int.init)
          == zip(rows, others).map { plainOrder(column, Int($0), column, Int($1)) })
      #expect(
        BitmapTests.bits(column.equalRows(rows, to: column, others)) == zip(rows, others).map { $0 == $1 })
    }
  }

  @Test func columnsOfOtherLayoutsHaveNothingInCommon() throws {
    let numbers = try Column(type: .int32, values: .int32([1, 2]))
    let others = try Column(type: .int64, values: .int64([1, 2]))
    #expect(numbers.equalRows(to: others).setCount == 0)
    #expect(numbers.compare(0, to: others, 1) == 0)
    // Nulls are alike whatever the type.
    #expect(Column(nulls: 2, of: .int32).equalRows(to: Column(nulls: 2, of: .string)).isAllSet)
  }

  @Test func batchesAreEqualWhereAllColumnsAre() throws {
    var generator = SeededGenerator(seed: 43)
    let types: [DataType] = [.int64, .string, .list(Field("element", .int32))]
    let schema = Schema(types.enumerated().map { Field("c\($0.offset)", $0.element) })
    let left = try RecordBatch(
      schema: schema, columns: try types.map { try Sample.column($0, 100, &generator) })
    var right = left
    for index in types.indices {
      right.columns[index] = try Column.concatenate(
        [
          left.columns[index].slice(0..<60 + index * 10),
          try Sample.column(types[index], 40 - index * 10, &generator),
        ], type: types[index])
    }
    let expected = (0..<100).map { row in
      types.indices.allSatisfy { Plain(left.columns[$0], row) == Plain(right.columns[$0], row) }
    }
    #expect(BitmapTests.bits(left.equalRows(to: right)) == expected)
    #expect(
      try RecordBatch(schema: Schema([]), columns: [], count: 3).equalRows(to: left.select([]).slice(0..<3))
        .isAllSet)
  }
}

@Suite struct BuiltBitmapTests {
  @Test(arguments: [0, 1, 63, 64, 65, 128, 1_000]) func bitsAreThoseThatWereAskedFor(_ count: Int) {
    var generator = SeededGenerator(seed: UInt64(count))
    let bits = (0..<count).map { _ in generator.oneIn(2) }
    let bitmap = Bitmap(count: count) { bits[$0] }
    #expect(BitmapTests.bits(bitmap) == bits)
    #expect(bitmap == BitmapTests.bitmap(bits))
  }
}

@Suite struct StringHashTests {
  @Test func allHashesAreThoseOfEach() throws {
    var generator = SeededGenerator(seed: 47)
    let column = try Sample.column(.string, 100, nulls: 0, &generator)
    let strings = try #require(column.strings)
    #expect(strings.hashes() == (0..<100).map { strings.hash($0) })
  }
}

@Suite struct DistinctRowsTests {
  /// The group of each row, found one by one.
  private func groups<Value: Hashable>(_ values: [Value]) -> (groupOf: [Int32], firstRows: [Int32]) {
    var known: [Value: Int32] = [:]
    var (groupOf, firstRows): ([Int32], [Int32]) = ([], [])
    for (row, value) in values.enumerated() {
      if known[value] == nil {
        known[value] = Int32(known.count)
        firstRows.append(Int32(row))
      }
      groupOf.append(known[value] ?? -1)
    }
    return (groupOf, firstRows)
  }

  @Test(arguments: Sample.flat) func rowsWithTheSameValueAreInOneGroup(_ type: DataType) throws {
    var generator = SeededGenerator(seed: 71)
    for nulls in [0, 3] {
      let some = try Sample.column(type, 30, nulls: nulls, &generator)
      let rows = (0..<400).map { _ in Int32(generator.below(30)) }
      let column = try some.gather(rows + rows.prefix(40).map { _ in 3 })
      let distinct = try #require(column.distinctRows())
      let expected = groups(Plain.all(column))
      #expect(distinct.groupOf == expected.groupOf && distinct.firstRows == expected.firstRows)
      if case .bytes(let strings) = some.values {
        let entries = DictionaryStrings.Entries(strings)
        var validity = Bitmap()
        for row in rows { validity.append(!some.isNull(Int(row))) }
        let held = try Column(
          type: type,
          values: .dictionary(DictionaryStrings(indices: rows.map { UInt32($0) }, entries: entries)),
          validity: validity)
        let distinct = try #require(held.distinctRows())
        let expected = groups(Plain.all(held))
        #expect(distinct.groupOf == expected.groupOf && distinct.firstRows == expected.firstRows)
      }
      let others = try #require(Sample.column(.boolean, column.count, &generator).distinctRows())
      let both = groups(zip(distinct.groupOf, others.groupOf).map { [$0, $1] })
      let divided = distinct.divided(by: others)
      #expect(divided.groupOf == both.groupOf && divided.firstRows == both.firstRows)
      #expect(DistinctRows(alike: column.count).divided(by: distinct).groupOf == distinct.groupOf)
    }
    #expect(Column(nulls: 2, of: type).distinctRows()?.groupOf == [0, 0])
    #expect(Column(nulls: 0, of: type).distinctRows()?.firstRows == [])
    #expect(Column(nulls: 1, of: .list(Field("element", .int32))).distinctRows() == nil)
  }

  @Test(arguments: [false, true]) func extremesAreThoseOfUTF16(_ isASCII: Bool) throws {
    var generator = SeededGenerator(seed: 73)
    let letters = isASCII ? ["a", "b", "\u{0}", "~"] : ["a", "é", "\u{ffff}", "\u{e000}", "😀", "z"]
    for count in [1, 2, 3, 50] {
      for _ in 0..<20 {
        let texts = (0..<count).map { _ in
          (0..<generator.below(12)).map { _ in letters[generator.below(letters.count)] }.joined()
        }
        let strings = try ByteStringsTests.column(texts)
        let found = try #require(strings.extremesInUTF16())
        let units = texts.map { Array($0.utf16) }
        let sorted = units.sorted { $0.lexicographicallyPrecedes($1) }
        #expect(units[found.least] == sorted.first && units.firstIndex(of: units[found.least]) == found.least)
        #expect(units[found.greatest] == sorted.last)
        #expect(units.firstIndex(of: units[found.greatest]) == found.greatest)
      }
    }
    #expect(ByteStrings().extremesInUTF16() == nil)
  }
}
