import TarnBytes
import TarnColumns

/// Values that have no column yet, or one that does not hold them, kept as text until it is known which type does.
struct LateValues: Sendable {
  /// Where a value stands, and what it is.
  private struct Entry {
    var row: Int32
    var kind: ScannedKind
    var isAttribute: Bool
    /// Whether it is null where it does not fit.
    var isLenient: Bool
  }

  private var entries: [Entry] = []
  private var texts = ByteStrings()

  /// Keeps a value of a row; the rows come in ascending order.
  ///
  /// - Returns: Whether it is kept: the texts of one batch take 2 GiB at most.
  mutating func append(
    _ value: ScannedValue, _ scanner: borrowing JSONScanner, row: Int, isLenient: Bool
  ) -> Bool {
    do {
      if value.valueIsEscaped {
        try texts.append(scanner.unescaped(value.value).span.bytes)
      } else {
        try texts.append(scanner.raw(value.value))
      }
    } catch { return false }
    entries.append(
      Entry(
        row: Int32(truncatingIfNeeded: row), kind: value.kind, isAttribute: value.isAttribute,
        isLenient: isLenient))
    return true
  }

  /// Takes the entries among the rows that stay of a batch.
  ///
  /// - Parameter rows: The rows that stay, ascending.
  mutating func keep(_ rows: [Int32]) {
    var texts = ByteStrings()
    var left: [Entry] = []
    var next = 0
    for (number, entry) in entries.enumerated() {
      while next < rows.count, rows[next] < entry.row { next += 1 }
      guard next < rows.count, rows[next] == entry.row else { continue }
      // A part of the texts is no longer than all of them.
      guard (try? texts.append(self.texts[number])) != nil else { continue }
      var moved = entry
      moved.row = Int32(truncatingIfNeeded: next)
      left.append(moved)
    }
    entries = left
    self.texts = texts
  }

  /// A column of a type with these values; nil where one of them does not fit it.
  ///
  /// - Parameters:
  ///   - kinds: What attributes the values were, where the type does not tell it.
  ///   - origin: Whose values they are.
  ///   - present: The column of the other rows' values; nil where these have none.
  ///   - count: Number of rows.
  func column(
    _ type: DataType, _ kinds: AttributeKinds = [], of origin: ColumnName.Origin, beside present: Column?,
    count: Int
  ) -> Column? {
    guard let target = ColumnTarget(type, column: 0, kinds: kinds, of: origin) else { return nil }
    var builder = ColumnBuilder(type)
    builder.reserve(count, bytes: type == .string || type == .binary ? texts.bytes.count : 0)
    var notes = ColumnNotes(columns: 1, utcOffset: nil)
    var done = 0
    do {
      for (number, entry) in entries.enumerated() {
        let row = Int(entry.row)
        try Self.fill(&builder, present, done..<row)
        done = row + 1
        let value = ScannedValue(
          name: 0..<0, value: 0..<0, kind: entry.kind, nameIsEscaped: false, valueIsEscaped: false,
          isAttribute: entry.isAttribute)
        do {
          try target.append(value, texts[number], to: &builder, &notes)
        } catch {
          guard entry.isLenient else { return nil }
          builder.appendNulls()
        }
      }
      try Self.fill(&builder, present, done..<count)
    } catch { return nil }
    return builder.finish()
  }

  private static func fill(
    _ builder: inout ColumnBuilder, _ present: Column?, _ rows: Range<Int>
  ) throws(ColumnError) {
    guard !rows.isEmpty else { return }
    guard let present else { return builder.appendNulls(rows.count) }
    try builder.append(present, rows)
  }
}

extension Column {
  /// A column of numbers in a decimal type of another scale, or a whole number's, by the values; nil where one of
  /// them does not fit.
  func fitted(to wider: DataType) -> Column? {
    if let plain = try? converted(to: wider) { return plain }
    guard case .decimal(let precision, let scale) = wider else { return nil }
    let numbers: [Int128]
    var power = scale
    switch (type, values) {
    case (.decimal(_, let narrow), .decimal(let list)) where narrow <= scale:
      numbers = list
      power = scale - narrow
    case (_, .int8(let list)): numbers = list.map { Int128($0) }
    case (_, .int16(let list)): numbers = list.map { Int128($0) }
    case (.int32, .int32(let list)): numbers = list.map { Int128($0) }
    case (.int64, .int64(let list)): numbers = list.map { Int128($0) }
    default: return nil
    }
    let (factor, limit) = (ExactDecimal.power(power), ExactDecimal.power(precision))
    var scaled: [Int128] = []
    scaled.reserveCapacity(numbers.count)
    for number in numbers {
      let (product, overflow) = number.multipliedReportingOverflow(by: factor)
      guard !overflow, product > -limit, product < limit else { return nil }
      scaled.append(product)
    }
    return try? Column(type: wider, values: .decimal(scaled), validity: validity)
  }
}
