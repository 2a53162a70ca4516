import TarnBytes
import TarnColumns

/// Makes the record keys of several fields, `field:value,field:value`, and tells which values they cannot have.
///
/// Values are not escaped, and need not be read back, so that most commas and colons do no harm. Two keys have one text
/// only where a value looks like its own end and the next field's beginning, or like what stands for null or for the
/// empty string. Source: format-tables 4.2 (`KeyGenerator.constructRecordKey`), and what Hudi 0.15 was seen to write.
struct CompositeKey: Sendable {
  /// What stands for null.
  static let null = "__null__"
  /// What stands for the empty string.
  static let empty = "__empty__"

  private let fields: [String]
  /// What separates each field's value from the next one's: a comma, the next name and a colon.
  private let separators: [[UInt8]]

  init(_ fields: [String]) {
    self.fields = fields
    separators = fields.dropFirst().map { Array(",\($0):".utf8) }
  }

  /// Appends the key of a row.
  ///
  /// - Parameter objection: Why the key is none, or may be that of other values too; nil where it is sound.
  func append(
    _ columns: [Column], _ row: Int, to text: inout [UInt8], _ objection: inout String?
  ) {
    var isBlank = true
    for (index, column) in columns.enumerated() {
      if index > 0 { text.append(0x2c) }
      text.append(text: fields[index])
      text.append(0x3a)
      let start = text.count
      if column.isNull(row) {
        text.append(text: Self.null)
        continue
      }
      KeyText.append(column, row, to: &text)
      if text.count == start {
        text.append(text: Self.empty)
        continue
      }
      isBlank = false
      if let why = self.objection(to: text[start...], index), objection == nil { objection = why }
    }
    guard isBlank else { return }
    objection = "it has no record key: all of \(fields.joined(separator: ", ")) are null or empty"
  }

  private func objection(to value: ArraySlice<UInt8>, _ index: Int) -> String? {
    if value.elementsEqual(Self.null.utf8) || value.elementsEqual(Self.empty.utf8) {
      return refusal(
        value, index, "stands for \(value.count == Self.null.utf8.count ? "null" : "an empty text")")
    }
    guard index < separators.count, value.contains(0x2c), contains(value, separators[index]) else {
      return nil
    }
    let next = fields[index + 1]
    return refusal(value, index, "holds `,\(next):`, as if the value of \(next) began there")
  }

  private func contains(_ value: ArraySlice<UInt8>, _ separator: [UInt8]) -> Bool {
    var rest = value
    while let comma = rest.firstIndex(of: 0x2c) {
      rest = rest[comma...]
      if rest.starts(with: separator) { return true }
      rest = rest.dropFirst()
    }
    return false
  }

  private func refusal(_ value: ArraySlice<UInt8>, _ index: Int, _ why: String) -> String {
    let shown = String(decoding: value.prefix(60), as: UTF8.self).debugDescription
    return
      "key column \(fields[index]) holds \(shown), which is ambiguous within Hudi's composite keys, where it \(why): "
      + "use one key column, or replace it"
  }
}
