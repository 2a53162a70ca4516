/// Checks of UTF-8.
public enum UTF8Text {
  /// Whether bytes are ASCII.
  public static func isASCII(_ bytes: RawSpan) -> Bool {
    bytes.withUnsafeBytes { input in
      var offset = 0
      while isASCII(input, offset, count: 64) { offset += 64 }
      while isASCII(input, offset, count: 8) { offset += 8 }
      return input[offset...].allSatisfy { $0 < 0x80 }
    }
  }

  /// Whether the bytes from an offset on, a multiple of eight, are there and all ASCII.
  @inline(__always)
  private static func isASCII(_ input: UnsafeRawBufferPointer, _ offset: Int, count: Int) -> Bool {
    guard input.count &- offset >= count else { return false }
    var all: UInt64 = 0
    var position = 0
    while position < count {
      all |= input.loadUnaligned(fromByteOffset: offset &+ position, as: UInt64.self)
      position &+= 8
    }
    return all & 0x8080_8080_8080_8080 == 0
  }

  /// Whether bytes are well-formed UTF-8.
  public static func isValid(_ bytes: RawSpan) -> Bool {
    bytes.withUnsafeBytes { input in
      var offset = 0
      let count = input.count
      while offset < count {
        if isASCII(input, offset, count: 32) {
          offset += 32
          continue
        }
        if isASCII(input, offset, count: 8) {
          offset += 8
          continue
        }
        let lead = input[offset]
        if lead < 0x80 {
          offset += 1
          continue
        }
        let length: Int
        let second: ClosedRange<UInt8>
        switch lead {
        case 0xc2...0xdf: (length, second) = (2, 0x80...0xbf)
        case 0xe0: (length, second) = (3, 0xa0...0xbf)
        case 0xed: (length, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: (length, second) = (3, 0x80...0xbf)
        case 0xf0: (length, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: (length, second) = (4, 0x80...0xbf)
        case 0xf4: (length, second) = (4, 0x80...0x8f)
        default: return false
        }
        guard offset + length <= count, second.contains(input[offset + 1]) else { return false }
        for index in 2..<max(length, 2) where input[offset + index] & 0xc0 != 0x80 { return false }
        offset += length
      }
      return true
    }
  }
}
