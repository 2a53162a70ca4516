import TarnBytes
import TarnColumns
import TarnTestSupport
import Testing

@Suite struct CivilTimeTests {
  static func parse(_ text: String) -> CivilTime.Parsed? { CivilTime.parse(Array(text.utf8).span.bytes) }
  static func date(_ text: String) -> Int? { CivilTime.parseDate(Array(text.utf8).span.bytes) }

  static func text(_ microseconds: Int64, isInstant: Bool = true) -> String {
    var out: [UInt8] = []
    CivilTime.append(microseconds: microseconds, isInstant: isInstant, to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  @Test func everyDayOfEightCenturiesComesBack() {
    var day = CivilTime.days(year: 1600, month: 1, day: 1)
    #expect(day == -135_140)
    var wrong = 0
    for year in 1600..<2400 {
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      for (month, length) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
        for number in 1...length {
          if CivilTime.days(year: year, month: month + 1, day: number) != day { wrong += 1 }
          if CivilTime.date(days: day) != (year, month + 1, number) { wrong += 1 }
          day += 1
        }
        let first = CivilTime.date(days: day - 1)
        let name = "\(year)-\(month < 9 ? "0" : "")\(month + 1)-"
        if Self.date(name + "\(length)") != day - 1 || first.day != length { wrong += 1 }
        if Self.date(name + "\(length + 1)") != nil { wrong += 1 }
      }
    }
    #expect(wrong == 0)
    #expect(CivilTime.days(year: 1970, month: 1, day: 1) == 0)
  }

  @Test(
    arguments: [
      ("1970-01-01", 0, false), ("1970-01-01T00:00", 0, false), ("1970-01-01 00:00:01", 1_000_000, false),
      ("1970-01-01T00:00:00Z", 0, true), ("1970-01-01t00:00:00.5z", 500_000, true),
      ("1970-01-01T00:00:00,000001Z", 1, true), ("1970-01-01T02:00:00+02:00", 0, true),
      ("1970-01-01T02:00:00+0200", 0, true), ("1970-01-01T02:00+02", 0, true),
      ("1969-12-31T18:30:00-05:30", 0, true), ("1969-12-31T23:59:59.999999Z", -1, true),
      ("2024-02-29T23:59:59.123456Z", 1_709_251_199_123_456, true),
      ("0001-01-01T00:00:00Z", -62_135_596_800_000_000, true),
      ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999, true),
    ] as [(String, Int64, Bool)]) func timesParse(_ text: String, _ microseconds: Int64, _ hasZone: Bool)
  {
    let time = Self.parse(text)
    #expect(time?.microseconds == microseconds)
    #expect(time?.hasZone == hasZone)
    #expect(time?.lostDigits == false)
  }

  @Test func digitsBelowAMicrosecondAreReported() {
    #expect(Self.parse("1970-01-01T00:00:00.0000019Z")?.lostDigits == true)
    #expect(Self.parse("1970-01-01T00:00:00.0000019Z")?.microseconds == 1)
    #expect(Self.parse("1970-01-01T00:00:00.000001000Z")?.lostDigits == false)
    let long = "1970-01-01T00:00:00." + String(repeating: "9", count: 500)
    #expect(Self.parse(long)?.microseconds == 999_999)
  }

  @Test(arguments: [
    "", "1970", "1970-1-1", "1970-00-01", "1970-13-01", "1970-01-00", "1970-01-32", "2023-02-29",
    "1900-02-29",
    "2024-04-31", "70-01-01", "+1970-01-01", "1970/01/01", "1970-01-01T", "1970-01-01T1", "1970-01-01T10",
    "1970-01-01T24:00", "1970-01-01T10:60", "1970-01-01T10:00:60", "1970-01-01T10:00:00.",
    "1970-01-01T10:00:",
    "1970-01-01T10:00:00+", "1970-01-01T10:00:00+2", "1970-01-01T10:00:00+24:00", "1970-01-01T10:00:00+02:60",
    "1970-01-01T10:00:00+02:", "1970-01-01T10:00:00+02:0", "1970-01-01T10:00:00ZZ", "1970-01-01T10:00:00 Z",
    "1970-01-01Z", "1970-01-01x10:00", " 1970-01-01", "1970-01-01T10:00:00Z ", "1970-01-01T-1:00",
  ]) func whatIsNoTimeIsRefused(_ text: String) { #expect(Self.parse(text) == nil) }

  @Test func onlyDatesAreDates() {
    #expect(Self.date("2000-02-29") == 11_016)
    #expect(Self.date("2000-02-29T00:00") == nil)
    #expect(Self.date("2000-02-2") == nil)
  }

  @Test func timesAreWrittenAsTheyAreRead() {
    var generator = SeededGenerator(seed: 3)
    for _ in 0..<2_000 {
      let micros = Int64(generator.next() % 300_000_000_000_000_000) - 60_000_000_000_000_000
      #expect(Self.parse(Self.text(micros))?.microseconds == micros)
      #expect(Self.parse(Self.text(micros))?.hasZone == true)
      #expect(Self.parse(Self.text(micros, isInstant: false))?.hasZone == false)
    }
    #expect(Self.text(-1) == "1969-12-31T23:59:59.999999Z")
    #expect(Self.text(0, isInstant: false) == "1970-01-01T00:00:00.000000")
    #expect(Self.text(.max) == "294247-01-10T04:00:54.775807Z")
    #expect(Self.text(.min) == "-290308-12-21T19:59:05.224192Z")
  }
}

@Suite struct RowTextTests {
  @Test func everyTypeHasItsJSON() throws {
    #expect(json(column(.boolean) { $0.append(true) }) == "true")
    #expect(json(column(.int8) { $0.append(Int8.min) }) == "-128")
    #expect(json(column(.int16) { $0.append(Int16.max) }) == "32767")
    #expect(json(column(.int32) { $0.append(Int32.min) }) == "-2147483648")
    #expect(json(column(.int64) { $0.append(Int64.min) }) == "-9223372036854775808")
    #expect(json(column(.float) { $0.append(Float(0.1)) }) == "0.1")
    #expect(json(column(.double) { $0.append(1e-7) }) == "1e-07")
    #expect(json(column(.double) { $0.append(1e300) }) == "1e+300")
    #expect(json(try column(.string) { try $0.append("a\"é\n") }) == #""a\"é\n""#)
    #expect(json(column(.date) { $0.append(Int32(-1)) }) == "\"1969-12-31\"")
    #expect(
      json(column(.timestamp(.milliseconds, .instant)) { $0.append(Int64(1)) })
        == "\"1970-01-01T00:00:00.001000Z\"")
    #expect(
      json(column(.timestamp(.microseconds, .local)) { $0.append(Int64(1)) })
        == "\"1970-01-01T00:00:00.000001\"")
    for type in Sample.all { #expect(json(Column(nulls: 1, of: type)) == "null") }
  }

  @Test func numbersThatJSONLacksAreTexts() {
    for (value, text) in [(.nan, "NaN"), (.infinity, "Infinity"), (-.infinity, "-Infinity")]
      as [(Double, String)]
    {
      #expect(json(column(.double) { $0.append(value) }) == "\"\(text)\"")
      #expect(json(column(.float) { $0.append(Float(value)) }) == "\"\(text)\"")
    }
  }

  @Test(
    arguments: [
      (0, 0, "0"), (-150, 0, "-150"), (-150, 2, "-1.50"),
      (1, 38, "0." + String(repeating: "0", count: 37) + "1"),
    ] as [(Int128, Int, String)]) func decimalsAreTextsWithAllTheirPlaces(
      _ value: Int128, _ scale: Int, _ text: String
    )
  {
    #expect(json(column(.decimal(precision: 38, scale: scale)) { $0.append(value) }) == "\"\(text)\"")
  }

  @Test func binaryIsBase64AndExtremesAreNumbers() throws {
    let bytes: [UInt8] = [0, 255]
    #expect(json(try column(.binary) { try $0.append(bytes.span.bytes) }) == "\"AP8=\"")
    let late = column(.timestamp(.milliseconds, .instant)) { $0.append(Int64.max) }
    #expect(json(late) == "\"9223372036854775807\"")
    let early = column(.timestamp(.microseconds, .instant)) { $0.append(Int64.min) }
    #expect(json(early) == "\"-290308-12-21T19:59:05.224192Z\"")
    #expect(json(column(.date) { $0.append(Int32.max) }) == "\"5881580-07-11\"")
  }

  @Test(arguments: Sample.all) func everyRowIsJSON(_ type: DataType) throws {
    var generator = SeededGenerator(seed: 31)
    let column = try Sample.column(type, 60, &generator)
    let batch = try RecordBatch(
      schema: Schema([Field("a\"b", type), Field("c", type)]), columns: [column, column])
    for row in 0..<60 {
      var line: [UInt8] = []
      batch.appendJSONLine(row, to: &line)
      #expect(line.last == 0x0a)
      let value = try JSONValue(parsing: line)
      #expect(value.members?.map(\.key) == ["a\"b", "c"])
      #expect((value["c"] == .null) == column.isNull(row))
    }
  }

  @Test(arguments: Sample.all) func textsOfManyRowsAreThoseOfEach(_ type: DataType) throws {
    var generator = SeededGenerator(seed: 37)
    let column = try Sample.column(type, 90, &generator)
    var (plain, json) = (ColumnTexts(.plain), ColumnTexts(.json))
    for rows in [0..<90, 10..<11, 30..<80] {
      plain.make(column, rows)
      json.make(column, rows)
      for (index, row) in rows.enumerated() {
        var (text, value): ([UInt8], [UInt8]) = ([], [])
        column.appendText(row, to: &text)
        column.appendJSON(row, to: &value)
        #expect(Array(plain[index]) == text && Array(json[index]) == value)
      }
    }
  }

  @Test func nestedValuesAreNestedJSON() throws {
    let numbers = column(.int64) { builder in
      builder.append(Int64(1))
      builder.appendNulls()
      builder.append(Int64(3))
    }
    let list = try Column(
      type: .list(Field("element", .int64)), values: .list(offsets: [0, 2, 2, 3], elements: numbers))
    #expect((0..<3).map { json(list, $0) } == ["[1,null]", "[]", "[3]"])
    let map = try Column(
      type: .map(key: Field("key", .int64), value: Field("value", list.type)),
      values: .map(
        offsets: [0, 1, 1, 3], keys: column(.int64) { for key: Int64 in [5, 6, 7] { $0.append(key) } },
        values: list))
    #expect((0..<3).map { json(map, $0) } == [#"{"5":[1,null]}"#, "{}", #"{"6":[],"7":[3]}"#])
    let structure = try Column(
      type: .structure([Field("n\"", .int64), Field("m", map.type)]),
      values: .structure([numbers, map], count: 3))
    #expect(json(structure, 1) == #"{"n\"":null,"m":{}}"#)
    var text: [UInt8] = []
    structure.appendText(2, to: &text)
    #expect(String(decoding: text, as: UTF8.self) == #"{"n\"":3,"m":{"6":[],"7":[3]}}"#)
  }
}

@Suite struct JSONLinesTests {
  /// The lines of rows, made by many at once.
  private func lines(_ batch: RecordBatch, _ rows: Range<Int>) -> [UInt8] {
    var lines = JSONLines(batch.schema)
    var out = Array("before".utf8)
    var rest = rows
    while !rest.isEmpty {
      let next = lines.append(firstOf: rest, of: batch, to: &out)
      #expect(next.lowerBound > rest.lowerBound && next.upperBound == rest.upperBound)
      rest = next
    }
    #expect(out.starts(with: "before".utf8))
    return Array(out.dropFirst(6))
  }

  /// The lines of rows, made one by one.
  private func single(_ batch: RecordBatch, _ rows: Range<Int>) -> [UInt8] {
    var out: [UInt8] = []
    for row in rows { batch.appendJSONLine(row, to: &out) }
    return out
  }

  @Test(arguments: [0, 1, 4]) func manyLinesAreThoseOfEachRow(_ nulls: Int) throws {
    var generator = SeededGenerator(seed: UInt64(61 + nulls))
    for _ in 0..<6 {
      let types = (0..<1 + generator.below(6)).map { _ in
        (Sample.all + [.time, .string, .string])[generator.below(Sample.all.count + 3)]
      }
      let schema = Schema(types.enumerated().map { Field("c \($0.offset)\"", $0.element) })
      var columns: [Column] = []
      for type in types {
        let layout = type == .time ? .int64 : type
        let column = try Sample.column(layout, 1_500, nulls: nulls, &generator)
        columns.append(try Column(type: type, values: column.values, validity: column.validity))
      }
      let batch = try RecordBatch(schema: schema, columns: columns)
      for rows in [0..<1_500, 0..<1, 700..<1_400, 1_499..<1_500] {
        #expect(lines(batch, rows) == single(batch, rows))
      }
    }
  }

  @Test func textsOfEveryLengthStandAsTheyAreOrEscaped() throws {
    var generator = SeededGenerator(seed: 67)
    for escapes in [0, 1, 7] {
      var plain = ColumnBuilder(.string)
      var other = ColumnBuilder(.string)
      for row in 0..<2_000 {
        var text = String(repeating: "x", count: generator.below(row % 50 == 0 ? 400 : 40))
        if escapes > 0, generator.oneIn(escapes * 20) { text += "\"\\\n\u{1}é😀" }
        try plain.append(text)
        try other.append(row % 3 == 0 ? "" : "\(row)")
      }
      let schema = Schema([Field("a", .string), Field("b", .string), Field("c", .string)])
      let (first, second) = (plain.finish(), other.finish())
      let strings = try #require(second.strings)
      let dictionary = try Column(
        type: .string,
        values: .dictionary(
          DictionaryStrings(
            indices: (0..<2_000).map { _ in UInt32(generator.below(2_000)) },
            entries: DictionaryStrings.Entries(strings))))
      let batch = try RecordBatch(schema: schema, columns: [first, dictionary, second])
      #expect(lines(batch, 0..<2_000) == single(batch, 0..<2_000))
    }
  }

  @Test func rowsWithoutColumnsAreEmptyObjects() throws {
    let batch = try RecordBatch(schema: Schema([]), columns: [], count: 2)
    #expect(lines(batch, 0..<2) == Array("{}\n{}\n".utf8))
  }
}
