import TarnBytes
import TarnColumns

/// How partition values become folders, and folders values.
///
/// Source: format-tables 4.2 (Hudi's `PartitionPathEncodeUtils`).
struct PartitionPath: Sendable {
  /// What stands for null and for the empty string.
  static let null = "__HIVE_DEFAULT_PARTITION__"

  /// The partition columns, in path order.
  let fields: [String]
  /// Whether folders are called `column=value`.
  let isHiveStyle: Bool
  /// Whether odd characters are percent-encoded.
  let isEncoded: Bool

  /// Whether Hudi percent-encodes a byte; bytes beyond ASCII stay.
  static func needsEncoding(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x00...0x1f, 0x7f: true
    case 0x22, 0x23, 0x25, 0x27, 0x2a, 0x2f, 0x3a, 0x3d, 0x3f, 0x5c, 0x7b, 0x5b, 0x5d, 0x5e: true
    default: false
    }
  }

  /// Appends one segment; nil for a null or empty value.
  ///
  /// - Throws: ``TableError`` with code `badRow` for a value that would leave the folder or be read as another.
  func append(field: Int, value: [UInt8]?, to out: inout [UInt8]) throws(TableError) {
    if isHiveStyle {
      out.append(text: fields[field])
      out.append(0x3d)
    }
    guard let value, !value.isEmpty else {
      out.append(text: Self.null)
      return
    }
    let start = out.count
    for byte in value {
      guard Self.needsEncoding(byte) else {
        out.append(byte)
        continue
      }
      guard isEncoded else {
        throw refusal(
          field, value,
          "it holds characters that a path cannot; create the table with URL-encoded partition paths")
      }
      let digits: StaticString = "0123456789ABCDEF"
      out.append(0x25)
      out.append(digits.utf8Start[Int(byte >> 4)])
      out.append(digits.utf8Start[Int(byte & 15)])
    }
    let segment = String(decoding: out[start...], as: UTF8.self)
    if segment == Self.null {
      throw refusal(field, value, "readers would take it for null; give the row another value")
    }
    if !isHiveStyle, segment == "." || segment == ".." || segment.hasPrefix(".hoodie") {
      throw refusal(
        field, value, "no folder of a table can have that name; create it with Hive-style partition paths")
    }
  }

  private func refusal(_ field: Int, _ value: [UInt8], _ why: String) -> TableError {
    let shown = String(decoding: value.prefix(60), as: UTF8.self).debugDescription
    return TableError(
      .badRow,
      "partition column \(fields[field]) cannot hold \(shown): \(why)")
  }
}
