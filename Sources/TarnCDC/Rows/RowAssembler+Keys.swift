import TarnBytes
import TarnColumns

extension RowAssembler {
  /// Checks that the assigned values of key columns can make a key, as a table's writer does.
  ///
  /// A key of one column needs a text. Of several columns one needs a text, and the others may be null where they take
  /// nulls; which of their keys are ambiguous is the table's to say.
  func checkKeys(
    _ keys: [Int], _ values: [ScannedValue], _ scanner: borrowing JSONScanner
  ) throws(RejectionReason) {
    var hasText = keys.isEmpty
    for column in keys {
      let position = assigned[column]
      guard position >= 0, values[Int(position)].kind != .null else {
        guard keys.count > 1, schema.fields[column].isNullable else {
          throw .missingKey(column: schema.fields[column].name)
        }
        continue
      }
      let value = values[Int(position)]
      let isEmpty = targets[column].isString && value.value.isEmpty && value.kind.isString
      if !isEmpty { hasText = true }
      guard isEmpty, keys.count == 1 else { continue }
      throw .badKey(
        column: schema.fields[column].name, value: Self.shown(value, scanner),
        why: "is empty, and a key needs a text")
    }
    guard hasText else {
      throw .missingKey(column: keys.map { schema.fields[$0].name }.joined(separator: ", "))
    }
  }
}
