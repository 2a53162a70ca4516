internal import TarnBytes

extension Column {
  /// The rows of a column of strings whose bytes are not well-formed UTF-8, ascending; none for other types.
  ///
  /// The entries of a dictionary are looked at once each, however many rows refer to them.
  package var rowsNotUTF8: [Int] {
    guard type == .string else { return [] }
    switch values {
    case .bytes(let strings):
      if strings.isUTF8 { return [] }
      return (0..<count).filter { !isNull($0) && !UTF8Text.isValid(strings[$0]) }
    case .dictionary(let strings):
      let entries = strings.entries.strings
      if entries.isUTF8 { return [] }
      let isText = (0..<entries.count).map { UTF8Text.isValid(entries[$0]) }
      return (0..<count).filter { !isNull($0) && !isText[strings.position($0)] }
    default: return []
    }
  }
}
