internal import TarnBytes

/// The texts of some values of a column as JSON, end to end.
struct JSONTexts: Sendable {
  /// All texts.
  private(set) var bytes: [UInt8] = []
  /// Where each begins, and at last where the last one ends.
  private(set) var offsets: [Int] = [0]

  /// Takes note of where strings begin and end among all bytes of their column.
  mutating func note(_ strings: ByteStrings, _ rows: Range<Int>) {
    offsets.removeAll(keepingCapacity: true)
    for row in rows { offsets.append(strings.range(row).lowerBound) }
    offsets.append(rows.last.map { strings.range($0).upperBound } ?? 0)
  }

  /// Makes the texts of a range of a column's values, as ``Column/appendJSON(_:to:)`` has each.
  mutating func make(_ column: Column, _ rows: Range<Int>) {
    switch column.values {
    case .boolean(let bits): fill(column, rows) { $1.append(text: bits[$0] ? "true" : "false") }
    case .int8(let list): fill(column, rows) { $1.append(decimal: list[$0]) }
    case .int16(let list): fill(column, rows) { $1.append(decimal: list[$0]) }
    case .int32(let list):
      if column.type == .date {
        fill(column, rows) { row, text in
          text.append(0x22)
          CivilTime.append(date: Int(list[row]), to: &text)
          text.append(0x22)
        }
      } else {
        fill(column, rows) { $1.append(decimal: list[$0]) }
      }
    case .int64(let list):
      if column.type == .int64 {
        fill(column, rows) { $1.append(decimal: list[$0]) }
      } else {
        let time = TimeText(column.type)
        fill(column, rows) { row, text in
          text.append(0x22)
          time.append(list[row], to: &text)
          text.append(0x22)
        }
      }
    case .decimal(let list):
      guard case .decimal(_, let scale) = column.type else { return }
      fill(column, rows) { row, text in
        text.append(0x22)
        text.append(unscaled: list[row], scale: scale)
        text.append(0x22)
      }
    case .bytes(let strings) where column.type == .string:
      fill(column, rows) { $1.appendJSON(string: strings[$0]) }
    case .dictionary(let strings) where column.type == .string:
      let (entries, places) = (strings.entries.strings, strings.indices)
      fill(column, rows) { $1.appendJSON(string: entries[Int(places[$0])]) }
    case .float, .double, .bytes, .dictionary, .list, .map, .structure:
      fill(column, rows) { column.appendJSON($0, to: &$1) }
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
      if column.isNull(row) { text.append(text: "null") } else { append(row, &text) }
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
