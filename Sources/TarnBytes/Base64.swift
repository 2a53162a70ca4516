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

  /// The two letters of each twelve bits, the first one in the lower byte.
  private static let pairs: [UInt16] = (0..<4096).map { bits in
    UInt16(alphabet.utf8Start[bits >> 6]) | UInt16(alphabet.utf8Start[bits & 63]) << 8
  }

  /// Appends the text of bytes.
  public static func append(_ bytes: RawSpan, to out: inout [UInt8]) {
    let start = out.count
    let whole = bytes.byteCount / 3
    out.append(contentsOf: repeatElement(0, count: (bytes.byteCount + 2) / 3 * 4))
    bytes.withUnsafeBytes { input in
      out.withUnsafeMutableBytes { output in
        pairs.withUnsafeBufferPointer { pairs in
          var offset = 0
          var target = start
          for _ in 0..<whole {
            let group = Int(input[offset]) &<< 16 | Int(input[offset &+ 1]) &<< 8 | Int(input[offset &+ 2])
            let letters = UInt32(pairs[group &>> 12]) | UInt32(pairs[group & 4095]) &<< 16
            output.storeBytes(of: letters.littleEndian, toByteOffset: target, as: UInt32.self)
            offset &+= 3
            target &+= 4
          }
          let rest = input.count - offset
          guard rest > 0 else { return }
          let group = Int(input[offset]) << 16 | (rest == 2 ? Int(input[offset + 1]) << 8 : 0)
          let last = rest == 2 ? pairs[group & 4095] & 0xff | 0x3d00 : 0x3d3d
          output.storeBytes(
            of: (UInt32(pairs[group >> 12]) | UInt32(last) << 16).littleEndian, toByteOffset: target,
            as: UInt32.self)
        }
      }
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
      let groups = padding == 0 ? count / 4 : count / 4 - 1
      let start = out.count
      out.append(contentsOf: repeatElement(0, count: groups * 3))
      let isWhole = out.withUnsafeMutableBytes { output in
        groupBits.withUnsafeBufferPointer { bits in
          // Without a way out the loop takes letters as fast as they can be looked up.
          var all: UInt32 = 0
          var offset = 0
          var target = start
          for _ in 0..<groups {
            let group =
              bits[Int(input[offset])] | bits[256 &+ Int(input[offset &+ 1])]
              | bits[512 &+ Int(input[offset &+ 2])] | bits[768 &+ Int(input[offset &+ 3])]
            all |= group
            output[target] = UInt8(truncatingIfNeeded: group &>> 16)
            output[target &+ 1] = UInt8(truncatingIfNeeded: group &>> 8)
            output[target &+ 2] = UInt8(truncatingIfNeeded: group)
            offset &+= 4
            target &+= 3
          }
          return all >> 24 == 0
        }
      }
      guard isWhole else { return false }
      guard padding > 0 else { return true }
      return values.withUnsafeBufferPointer { table in
        let offset = groups * 4
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

  /// The bits of each letter at the four places of a group, one table behind the other; with a bit above them for a byte
  /// that is no letter.
  private static let groupBits: [UInt32] = (0..<1024).map { index in
    let value = values[index & 255]
    return value < 64 ? UInt32(value) << (18 - 6 * UInt32(index >> 8)) : 1 << 24
  }
}
