import TarnBytes
public import TarnColumns

/// Which name of records owns which column, as properties: `tarn.column.<column>=<name>`, the name percent-encoded,
/// and `tarn.columns.owned=true` in tables whose every other column belongs to the name that it has; and what values were
/// where a column's type does not tell it: `tarn.kinds.<column>=SS`, several in order with commas between.
///
/// Other engines keep entries that they do not know.
extension TableProperties {
  private static let ownerPrefix = "tarn.column."
  private static let kindsPrefix = "tarn.kinds."
  private static let completeKey = "tarn.columns.owned"

  /// Which names own which columns.
  ///
  /// - Throws: ``TimelineError`` with code `damaged` where the entries make no sense.
  public func columnOwners() throws(TimelineError) -> ColumnOwners {
    var owners = ColumnOwners(isComplete: flag(Self.completeKey, default: false))
    for (key, text) in entries.entries.pairs where key.hasPrefix(Self.kindsPrefix) {
      let kinds = text.split(separator: ",").map(String.init)
      owners.note(kinds, of: String(key.dropFirst(Self.kindsPrefix.count)))
    }
    for (key, text) in entries.entries.pairs where key.hasPrefix(Self.ownerPrefix) {
      let column = String(key.dropFirst(Self.ownerPrefix.count))
      guard let name = Self.percentDecoded(text) else {
        throw TimelineError(
          .damaged, path: TablePaths.properties, "\(key)=\(text) is no percent-encoded name: remove the line")
      }
      guard owners.note(name, owns: column) else {
        throw TimelineError(
          .damaged, path: TablePaths.properties,
          "\(key)=\(text) contradicts another line that begins with \(Self.ownerPrefix): remove one of them")
      }
    }
    return owners
  }

  /// Takes note of which names own which columns; what is noted already stays.
  package mutating func set(_ owners: ColumnOwners) {
    if owners.isComplete { entries[Self.completeKey] = "true" }
    for (name, column) in owners.pairs { entries[Self.ownerPrefix + column] = Self.percentEncoded(name) }
    for column in owners.columnsWithKinds {
      entries[Self.kindsPrefix + column] = owners.kinds(of: column).joined(separator: ",")
    }
  }

  /// A text in letters, digits, `-`, `_` and `.` alone, every other byte of its UTF-8 as `%` and two digits.
  static func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: out.append(byte)
      default: out += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The text that was encoded so; nil where a `%` has not two digits behind it, or the bytes are not UTF-8.
  static func percentDecoded(_ text: String) -> String? {
    func digit(_ byte: UInt8) -> UInt8? {
      switch byte {
      case 0x30...0x39: byte - 0x30
      case 0x41...0x46: byte - 0x37
      case 0x61...0x66: byte - 0x57
      default: nil
      }
    }
    var out: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == 0x25 else {
        out.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
        return nil
      }
      out.append(high << 4 | low)
    }
    return UTF8Text.isValid(out.span.bytes) ? String(decoding: out, as: UTF8.self) : nil
  }
}
