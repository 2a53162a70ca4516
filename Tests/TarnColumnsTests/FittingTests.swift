import TarnColumns
import TarnTestSupport
import Testing

@Suite struct FittingTests {
  static func column(_ type: DataType, _ fill: (inout ColumnBuilder) -> Void) -> Column {
    var builder = ColumnBuilder(type)
    fill(&builder)
    return builder.finish()
  }

  static func texts(_ column: Column) -> [String] {
    (0..<column.count).map { row in
      if column.isNull(row) { return "null" }
      var text: [UInt8] = []
      column.appendText(row, to: &text)
      return String(decoding: text, as: UTF8.self)
    }
  }

  @Test func valuesThatFitAreConvertedExactlyAndOthersNamed() throws {
    let longs = Self.column(.int64) { column in
      for value in [1, Int64(Int32.min), Int64(Int32.max) + 1, Int64.max] { column.append(value) }
      column.appendNulls()
    }
    let cases: [(Column, DataType, [String], [Int])] = [
      (longs, .int32, ["1", "-2147483648", "null", "null", "null"], [2, 3]),
      (longs, .int8, ["1", "null", "null", "null", "null"], [1, 2, 3]),
      (
        longs, .decimal(precision: 11, scale: 2), ["1.00", "null", "null", "null", "null"], [1, 2, 3]
      ),
      (longs, .double, ["1.0", "-2147483648.0", "2147483648.0", "null", "null"], [3]),
      (longs, .float, ["1.0", "-2.1474836e+09", "2.1474836e+09", "null", "null"], [3]),
      (
        Self.column(.decimal(precision: 20, scale: 2)) {
          for value in [Int128(150), 100, 12_345_678_900] { $0.append(value) }
        }, .decimal(precision: 5, scale: 1), ["1.5", "1.0", "null"], [2]
      ),
      (
        Self.column(.decimal(precision: 20, scale: 2)) {
          for value in [Int128(150), 100] { $0.append(value) }
        },
        .int32, ["null", "1"], [0]
      ),
      (
        Self.column(.double) { for value in [0.5, 0.1, -0.0, .nan, .infinity, 1e300] { $0.append(value) } },
        .float, ["0.5", "null", "-0.0", "NaN", "Infinity", "null"], [1, 5]
      ),
      (
        Self.column(.timestamp(.microseconds, .instant)) {
          for value in [Int64(-5_000), 1] { $0.append(value) }
        },
        .timestamp(.milliseconds, .instant), ["1969-12-31T23:59:59.995000Z", "null"], [1]
      ),
      (
        Self.column(.timestamp(.milliseconds, .instant)) {
          for value in [Int64(7), .max] { $0.append(value) }
        },
        .timestamp(.microseconds, .instant), ["1970-01-01T00:00:00.007000Z", "null"], [1]
      ),
      (Self.column(.int32) { $0.append(Int32.max) }, .double, ["2147483647.0"], []),
      (Self.column(.int16) { $0.append(Int16.min) }, .float, ["-32768.0"], []),
      (Self.column(.int32) { $0.append(Int32(16_777_217)) }, .float, ["null"], [0]),
    ]
    for (column, type, expected, misfits) in cases {
      let fitted = try column.fitted(to: type)
      #expect(fitted.column.type == type)
      #expect(Self.texts(fitted.column) == expected, "\(column.type.name) to \(type.name)")
      #expect(fitted.misfits == misfits, "\(column.type.name) to \(type.name)")
    }
  }

  @Test(arguments: 0..<6) func whatFitsComesBackAsItWas(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let types: [DataType] = [
      .int8, .int16, .int32, .int64, .float, .double, .decimal(precision: 5, scale: 2),
      .decimal(precision: 18, scale: 0), .decimal(precision: 38, scale: 20),
    ]
    var (fitting, misfitting) = (0, 0)
    for _ in 0..<400 {
      let digits = Int.random(in: 0...19, using: &generator)
      let value = Int64.random(in: Int64.min...Int64.max, using: &generator) / Int64(pow10(19 - digits))
      let whole = Self.column(.int64) { $0.append(value) }
      for type in types {
        let (column, misfits) = try whole.fitted(to: type)
        guard misfits.isEmpty else {
          misfitting += 1
          #expect(column.isNull(0))
          continue
        }
        fitting += 1
        // Through any other type that holds it, and back.
        for other in types where type.mayFit(other) {
          let (there, lost) = try column.fitted(to: other)
          if lost.isEmpty, other.mayFit(.int64) {
            #expect(
              Self.texts(try there.fitted(to: .int64).column) == ["\(value)"], "\(type.name), \(other.name)")
          }
        }
      }
    }
    #expect(fitting > 1_000 && misfitting > 500)
  }

  private func pow10(_ digits: Int) -> UInt64 {
    (0..<min(digits, 18)).reduce(UInt64(1)) { power, _ in power * 10 }
  }

  @Test func typesWithoutCommonValuesDoNotFit() {
    for (from, to) in [
      (DataType.double, DataType.int32), (.double, .decimal(precision: 10, scale: 2)), (.string, .int32),
      (.int32, .string), (.date, .int32),
      (.timestamp(.microseconds, .local), .timestamp(.milliseconds, .instant)),
      (.decimal(precision: 5, scale: 2), .double),
    ] {
      #expect(!from.mayFit(to))
      #expect(throws: ColumnError.self) { _ = try Column(nulls: 1, of: from).fitted(to: to) }
    }
  }

  @Test func theLeastTypeThatHoldsTwoIsFound() {
    let decimal = { (precision: Int, scale: Int) in DataType.decimal(precision: precision, scale: scale) }
    let cases: [(DataType, DataType, DataType?)] = [
      (.int32, .int64, .int64), (.float, .double, .double), (.int32, .double, .double),
      (.int32, .float, .double), (.int64, .double, nil), (.int32, decimal(12, 2), decimal(12, 2)),
      (.int32, decimal(5, 2), decimal(12, 2)), (.int64, decimal(5, 2), decimal(21, 2)),
      (decimal(10, 2), decimal(10, 4), decimal(12, 4)), (decimal(38, 0), decimal(10, 2), nil),
      (.string, .int32, nil), (.int64, decimal(38, 20), nil),
    ]
    for (a, b, joined) in cases {
      #expect(a.joined(with: b) == joined, "\(a.name) and \(b.name)")
      #expect(b.joined(with: a) == joined, "\(b.name) and \(a.name)")
    }
  }
}
