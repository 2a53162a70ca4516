import TarnBytes
import Testing

@Suite("MD5")
struct MD5Tests {
  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  @Test(
    "The vectors of RFC 1321 have their checksums",
    arguments: [
      ("", "d41d8cd98f00b204e9800998ecf8427e"), ("a", "0cc175b9c0f1b6a831c399e269772661"),
      ("abc", "900150983cd24fb0d6963f7d28e17f72"), ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
      ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
      (
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        "d174ab98d277d9f5a5611c2c9f419d9f"
      ),
      (
        "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
        "57edf4a22be3c955ac49da2e2107b67a"
      ),
    ])
  func vectors(_ text: String, _ expected: String) {
    let bytes = Array(text.utf8)
    #expect(Self.hex(MD5.checksum(bytes.span.bytes)) == expected)
  }

  @Test("Pieces of any size have the checksum of the whole", arguments: [1, 3, 63, 64, 65, 200])
  func pieces(_ size: Int) {
    for count in [0, 1, 55, 56, 57, 63, 64, 65, 127, 128, 1000] {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
      var md5 = MD5()
      for start in stride(from: 0, to: count, by: size) {
        md5.update(Array(bytes[start..<min(start + size, count)]).span.bytes)
      }
      #expect(md5.finish() == MD5.checksum(bytes.span.bytes), "\(count)")
    }
  }
}
