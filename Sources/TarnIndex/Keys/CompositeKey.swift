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
  /// What stands before each field's value: its name and a colon, behind a comma but for the first.
  private let heads: [[UInt8]]

  init(_ fields: [String]) {
    self.fields = fields
    heads = fields.enumerated().map { Array("\($0 > 0 ? "," : "")\($1):".utf8) }
  }

  /// The values of a field as text.
  struct Values {
    let column: Column
    let texts: ByteStrings

    /// - Throws: ``ColumnError`` where the texts would pass 2 GiB.
    init(_ column: Column) throws(ColumnError) {
      self.column = column
      texts = try KeyText.texts(of: column)
    }
  }

  /// Appends the key of a row.
  ///
  /// - Parameters:
  ///   - values: Those of each field.
  ///   - objection: Why the key is none, or may be that of other values too; nil where it is sound.
  func append(
    _ values: [Values], _ row: Int, to text: inout [UInt8], _ objection: inout String?
  ) {
    var isBlank = true
    for (index, field) in values.enumerated() {
      text.append(contentsOf: heads[index])
      let start = text.count
      if field.column.isNull(row) {
        text.append(text: Self.null)
        continue
      }
      text.append(field.texts[row])
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
    guard index + 1 < heads.count, value.contains(0x2c), contains(value, heads[index + 1]) else {
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
