import TarnBytes
import TarnColumns

/// How partition values become folders, and folders values.
///
/// Source: format-tables 4.2 (Hudi's `PartitionPathEncodeUtils`).
package struct PartitionPath: Sendable {
  /// What stands for null and for the empty string.
  package static let null = "__HIVE_DEFAULT_PARTITION__"

  /// The partition columns, in path order.
  package let fields: [String]
  /// Whether folders are called `column=value`.
  package let isHiveStyle: Bool
  /// Whether odd characters are percent-encoded.
  package let isEncoded: Bool

  /// Says how a table makes its paths.
  package init(fields: [String], isHiveStyle: Bool, isEncoded: Bool) {
    self.fields = fields
    self.isHiveStyle = isHiveStyle
    self.isEncoded = isEncoded
  }

  /// Whether Hudi percent-encodes a byte; bytes beyond ASCII stay.
  static func needsEncoding(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x00...0x1f, 0x7f: true
    case 0x22, 0x23, 0x25, 0x27, 0x2a, 0x2f, 0x3a, 0x3d, 0x3f, 0x5c, 0x7b, 0x5b, 0x5d, 0x5e: true
    default: false
    }
  }

  /// Bytes of a folder's name, beyond which file systems take none.
  static let greatestSegment = 255
  /// Bytes of a whole path, so that it fits, with table and file, into what systems and object stores take.
  static let greatestPath = 800

  /// Appends one segment; nil for a null or empty value.
  ///
  /// - Returns: Why no folder can stand for the value, as it would be another's or none; nil where one can.
  func append(field: Int, value: [UInt8]?, to out: inout [UInt8]) -> String? {
    let beginning = out.count
    if isHiveStyle {
      out.append(text: fields[field])
      out.append(0x3d)
    }
    guard let value, !value.isEmpty else {
      out.append(text: Self.null)
      return nil
    }
    let start = out.count
    for byte in value {
      guard Self.needsEncoding(byte) else {
        out.append(byte)
        continue
      }
      guard isEncoded else {
        return objection(
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
      return objection(field, value, "readers would take it for null; give the row another value")
    }
    if !isHiveStyle, segment == "." || segment == ".." || segment.hasPrefix(".hoodie") {
      return objection(
        field, value, "no folder of a table can have that name; create it with Hive-style partition paths")
    }
    if out.count - beginning > Self.greatestSegment || out.count > Self.greatestPath {
      return objection(
        field, value,
        "its folder's name would have \(out.count - beginning) bytes, and its path \(out.count), where "
          + "\(Self.greatestSegment) and \(Self.greatestPath) are the most; shorten the value")
    }
    return nil
  }

  private func objection(_ field: Int, _ value: [UInt8], _ why: String) -> String {
    let shown = String(decoding: value.prefix(60), as: UTF8.self).debugDescription
    return "partition column \(fields[field]) cannot hold \(shown): \(why)"
  }
}
