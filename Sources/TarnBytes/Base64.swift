/// Base64 with the standard alphabet and padding (RFC 4648, section 4), without line breaks.
public enum Base64 {
  @usableFromInline static let alphabet: StaticString =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

  /// The six bits of each letter; 0xff for a byte that is none.
  @usableFromInline
  static let values: [UInt8] = {
    var values = [UInt8](repeating: 0xff, count: 256)
    for index in 0..<64 { values[Int(alphabet.utf8Start[index])] = UInt8(index) }
    return values
  }()

  /// The text of bytes.
  public static func encode(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    append(bytes.span.bytes, to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  /// Appends the text of bytes.
  public static func append(_ bytes: RawSpan, to out: inout [UInt8]) {
    let letters = alphabet.utf8Start
    bytes.withUnsafeBytes { input in
      var offset = 0
      while offset &+ 3 <= input.count {
        let group =
          Int(input[offset]) &<< 16 | Int(input[offset &+ 1]) &<< 8 | Int(input[offset &+ 2])
        out.append(letters[group &>> 18])
        out.append(letters[group &>> 12 & 63])
        out.append(letters[group &>> 6 & 63])
        out.append(letters[group & 63])
        offset &+= 3
      }
      let rest = input.count - offset
      guard rest > 0 else { return }
      let group = Int(input[offset]) << 16 | (rest == 2 ? Int(input[offset + 1]) << 8 : 0)
      out.append(letters[group >> 18])
      out.append(letters[group >> 12 & 63])
      out.append(rest == 2 ? letters[group >> 6 & 63] : 0x3d)
      out.append(0x3d)
    }
  }

  /// How many bytes a text stands for; nil where it stands for none, as in ``decode(_:)``.
  public static func count(_ text: RawSpan) -> Int? {
    let count = text.byteCount
    guard count % 4 == 0 else { return nil }
    guard count > 0 else { return 0 }
    return text.withUnsafeBytes { input -> Int? in
      let padding = input[count - 1] != 0x3d ? 0 : input[count - 2] != 0x3d ? 1 : 2
      return values.withUnsafeBufferPointer { table in
        var all: UInt8 = 0
        for offset in 0..<count - padding { all |= table[Int(input[offset])] }
        guard all < 64 else { return nil }
        let last = padding == 0 ? 0 : table[Int(input[count - padding - 1])]
        guard last & (padding == 1 ? 3 : 15) == 0 else { return nil }
        return count / 4 * 3 - padding
      }
    }
  }

  /// The bytes of a text; nil where a byte is not of the alphabet, padding is missing or bits behind the end are set.
  public static func decode(_ text: RawSpan) -> [UInt8]? {
    var out: [UInt8] = []
    out.reserveCapacity(text.byteCount / 4 * 3)
    return append(decoding: text, to: &out) ? out : nil
  }

  /// Appends the bytes of a text; false, and nothing appended, where it stands for none, as in ``decode(_:)``.
  package static func append(decoding text: RawSpan, to out: inout [UInt8]) -> Bool {
    let before = out.count
    guard appendWhole(text, to: &out) else {
      out.removeLast(out.count - before)
      return false
    }
    return true
  }

  private static func appendWhole(_ text: RawSpan, to out: inout [UInt8]) -> Bool {
    let count = text.byteCount
    guard count % 4 == 0 else { return false }
    guard count > 0 else { return true }
    return text.withUnsafeBytes { input -> Bool in
      let padding = input[count - 1] != 0x3d ? 0 : input[count - 2] != 0x3d ? 1 : 2
      return values.withUnsafeBufferPointer { table in
        var offset = 0
        let whole = padding == 0 ? count : count - 4
        while offset < whole {
          let a = table[Int(input[offset])]
          let b = table[Int(input[offset &+ 1])]
          let c = table[Int(input[offset &+ 2])]
          let d = table[Int(input[offset &+ 3])]
          guard a | b | c | d < 64 else { return false }
          out.append(a &<< 2 | b &>> 4)
          out.append(b &<< 4 | c &>> 2)
          out.append(c &<< 6 | d)
          offset &+= 4
        }
        guard padding > 0 else { return true }
        let a = table[Int(input[offset])]
        let b = table[Int(input[offset + 1])]
        let c = padding == 1 ? table[Int(input[offset + 2])] : 0
        guard a | b | c < 64, padding == 1 ? c & 3 == 0 : b & 15 == 0 else { return false }
        out.append(a << 2 | b >> 4)
        if padding == 1 { out.append(b << 4 | c >> 2) }
        return true
      }
    }
  }
}
