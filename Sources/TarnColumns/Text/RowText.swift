internal import TarnBytes

/// Values as text for people and other programs.
extension Column {
  /// Appends a value as JSON: decimals as strings, instants as ISO 8601 with microseconds and `Z`, times of the day as `HH:MM:SS.ffffff`, binary
  /// as base64, nulls as `null`.
  public func appendJSON(_ row: Int, to out: inout [UInt8]) {
    guard !isNull(row) else {
      out.append(text: "null")
      return
    }
    switch values {
    case .boolean, .int8, .int16, .int64, .int32, .float, .double, .decimal, .bytes, .dictionary:
      let isQuoted = hasQuotedText
      if case .bytes(let strings) = values, type == .string {
        out.appendJSON(string: strings[row])
        return
      }
      if case .dictionary(let strings) = values, type == .string {
        let entries = strings.entries.strings
        out.appendJSON(string: entries[strings.position(row)])
        return
      }
      if isQuoted || isNotFinite(row) {
        out.append(0x22)
        appendText(row, to: &out)
        out.append(0x22)
      } else {
        appendText(row, to: &out)
      }
    case .list(let offsets, let elements):
      out.append(0x5b)
      for element in Int(offsets[row])..<Int(offsets[row + 1]) {
        if element > Int(offsets[row]) { out.append(0x2c) }
        elements.appendJSON(element, to: &out)
      }
      out.append(0x5d)
    case .map(let offsets, let keys, let items):
      out.append(0x7b)
      for entry in Int(offsets[row])..<Int(offsets[row + 1]) {
        if entry > Int(offsets[row]) { out.append(0x2c) }
        var key: [UInt8] = []
        keys.appendText(entry, to: &key)
        out.appendJSON(string: key.span.bytes)
        out.append(0x3a)
        items.appendJSON(entry, to: &out)
      }
      out.append(0x7d)
    case .structure(let columns, _):
      guard case .structure(let fields) = type else { return }
      out.append(0x7b)
      for (index, column) in columns.enumerated() {
        if index > 0 { out.append(0x2c) }
        out.appendJSON(string: fields[index].name)
        out.append(0x3a)
        column.appendJSON(row, to: &out)
      }
      out.append(0x7d)
    }
  }

  /// Whether the type's text stands in quotes within JSON.
  private var hasQuotedText: Bool {
    switch type {
    case .decimal, .string, .binary, .date, .time, .timestamp: true
    default: false
    }
  }

  private func isNotFinite(_ row: Int) -> Bool {
    switch values {
    case .float(let list): !list[row].isFinite
    case .double(let list): !list[row].isFinite
    default: false
    }
  }

  /// Appends a value's text without quotes; nothing for a null.
  ///
  /// Nested values are JSON.
  public func appendText(_ row: Int, to out: inout [UInt8]) {
    guard !isNull(row) else { return }
    switch values {
    case .boolean(let bits): out.append(text: bits[row] ? "true" : "false")
    case .int8(let list): out.append(decimal: list[row])
    case .int16(let list): out.append(decimal: list[row])
    case .int32(let list):
      if type == .date {
        CivilTime.append(date: Int(list[row]), to: &out)
      } else {
        out.append(decimal: list[row])
      }
    case .int64(let list): TimeText(type).append(list[row], to: &out)
    case .float(let list): Self.append(floating: list[row], to: &out)
    case .double(let list): Self.append(floating: list[row], to: &out)
    case .decimal(let list):
      guard case .decimal(_, let scale) = type else { return }
      out.append(unscaled: list[row], scale: scale)
    case .bytes(let strings):
      if type == .binary { Base64.append(strings[row], to: &out) } else { out.append(strings[row]) }
    case .dictionary(let strings):
      let entries = strings.entries.strings
      let entry = strings.position(row)
      if type == .binary { Base64.append(entries[entry], to: &out) } else { out.append(entries[entry]) }
    case .list, .map, .structure: appendJSON(row, to: &out)
    }
  }

  private static func append<T: BinaryFloatingPoint & CustomStringConvertible>(
    floating value: T, to out: inout [UInt8]
  ) {
    if value.isNaN {
      out.append(text: "NaN")
    } else if value.isInfinite {
      out.append(text: value < 0 ? "-Infinity" : "Infinity")
    } else {
      out.append(text: value.description)
    }
  }
}

extension RecordBatch {
  /// Appends a row as one line of JSON: an object with the columns in order, nulls written.
  ///
  /// For many rows, ``JSONLines`` is faster.
  public func appendJSONLine(_ row: Int, to out: inout [UInt8]) {
    out.append(0x7b)
    for index in columns.indices {
      if index > 0 { out.append(0x2c) }
      out.appendJSON(string: schema.fields[index].name)
      out.append(0x3a)
      columns[index].appendJSON(row, to: &out)
    }
    out.append(0x7d)
    out.append(0x0a)
  }
}
