internal import TarnBytes

/// The texts of some values of a column, end to end; the column's type is asked for once for all of them.
package struct ColumnTexts: Sendable {
  /// How values are written.
  package enum Form: Sendable {
    /// As ``Column/appendJSON(_:to:)`` has them.
    case json
    /// As ``Column/appendText(_:to:)`` has them.
    case plain
  }

  /// All texts.
  package private(set) var bytes: [UInt8] = []
  /// Where each begins, and at last where the last one ends.
  package private(set) var offsets: [Int] = [0]
  private let isJSON: Bool

  /// Makes texts of a form; there are none yet.
  package init(_ form: Form) { isJSON = form == .json }

  /// The text of one of the values.
  package subscript(index: Int) -> ArraySlice<UInt8> { bytes[offsets[index]..<offsets[index + 1]] }

  /// Takes note of where strings begin and end among all bytes of their column.
  mutating func note(_ strings: ByteStrings, _ rows: Range<Int>) {
    offsets.removeAll(keepingCapacity: true)
    for row in rows { offsets.append(strings.range(row).lowerBound) }
    offsets.append(rows.last.map { strings.range($0).upperBound } ?? 0)
  }

  /// Makes the texts of a range of a column's values.
  package mutating func make(_ column: Column, _ rows: Range<Int>) {
    switch column.values {
    case .boolean(let bits): fill(column, rows) { $1.append(text: bits[$0] ? "true" : "false") }
    case .int8(let list): fill(column, rows) { $1.append(decimal: list[$0]) }
    case .int16(let list): fill(column, rows) { $1.append(decimal: list[$0]) }
    case .int32(let list):
      if column.type == .date {
        fillQuoted(column, rows) { CivilTime.append(date: Int(list[$0]), to: &$1) }
      } else {
        fill(column, rows) { $1.append(decimal: list[$0]) }
      }
    case .int64(let list):
      if column.type == .int64 {
        fill(column, rows) { $1.append(decimal: list[$0]) }
      } else {
        let time = TimeText(column.type)
        fillQuoted(column, rows) { time.append(list[$0], to: &$1) }
      }
    case .decimal(let list):
      guard case .decimal(_, let scale) = column.type else { return }
      fillQuoted(column, rows) { $1.append(unscaled: list[$0], scale: scale) }
    case .bytes(let strings) where column.type == .string:
      if isJSON {
        fill(column, rows) { $1.appendJSON(string: strings[$0]) }
      } else {
        fill(column, rows) { $1.append(strings[$0]) }
      }
    case .dictionary(let strings) where column.type == .string:
      let (entries, places) = (strings.entries.strings, strings.indices)
      if isJSON {
        fill(column, rows) { $1.appendJSON(string: entries[Int(places[$0])]) }
      } else {
        fill(column, rows) { $1.append(entries[Int(places[$0])]) }
      }
    case .float, .double, .bytes, .dictionary, .list, .map, .structure:
      if isJSON {
        fill(column, rows) { column.appendJSON($0, to: &$1) }
      } else {
        fill(column, rows) { column.appendText($0, to: &$1) }
      }
    }
  }

  /// Appends a text for each value that is not null, which JSON has in quotes.
  @inline(__always)
  private mutating func fillQuoted(
    _ column: Column, _ rows: Range<Int>, _ append: (Int, inout [UInt8]) -> Void
  ) {
    guard isJSON else { return fill(column, rows, append) }
    fill(column, rows) { row, text in
      text.append(0x22)
      append(row, &text)
      text.append(0x22)
    }
  }

  /// Appends a text for each value that is not null.
  @inline(__always)
  private mutating func fill(_ column: Column, _ rows: Range<Int>, _ append: (Int, inout [UInt8]) -> Void) {
    var text: [UInt8] = []
    // Taken out, so that it is not copied, and put back, so that its memory serves the next texts.
    swap(&text, &bytes)
    text.removeAll(keepingCapacity: true)
    offsets.removeAll(keepingCapacity: true)
    offsets.append(0)
    for row in rows {
      if !column.isNull(row) { append(row, &text) } else if isJSON { text.append(text: "null") }
      offsets.append(text.count)
    }
    swap(&text, &bytes)
  }
}

/// The text of times of one type.
struct TimeText: Sendable {
  private enum Kind {
    case time, timestamp, number
  }

  private let kind: Kind
  private let isInstant: Bool
  /// Microseconds of a unit.
  private let microseconds: Int64

  /// - Parameter type: The type of values that are 64-bit integers.
  init(_ type: DataType) {
    switch type {
    case .time: (kind, isInstant, microseconds) = (.time, false, 1)
    case .timestamp(let unit, let zone):
      (kind, isInstant, microseconds) = (.timestamp, zone == .instant, 1_000_000 / unit.perSecond)
    default: (kind, isInstant, microseconds) = (.number, false, 1)
    }
  }

  /// Appends a value's text without quotes.
  func append(_ value: Int64, to out: inout [UInt8]) {
    let (micros, overflow) = value.multipliedReportingOverflow(by: microseconds)
    switch kind {
    case .time: CivilTime.append(time: value, to: &out)
    case .timestamp where !overflow: CivilTime.append(microseconds: micros, isInstant: isInstant, to: &out)
    // A time beyond the calendar of microseconds has no text but its number.
    case .timestamp, .number: out.append(decimal: value)
    }
  }
}
