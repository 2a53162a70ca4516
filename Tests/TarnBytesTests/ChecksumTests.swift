import Testing

import TarnBytes

@Suite struct ChecksumTests {
  @Test func crc32OfTheCheckString() {
    #expect(CRC32.checksum(Array("123456789".utf8).span.bytes) == 0xcbf4_3926)
    #expect(CRC32.checksum(Array("default.v6_nonpartitioned".utf8).span.bytes) == 1_363_530_505)
  }

  @Test func crc32GoesOn() {
    let first = CRC32.checksum(Array("1234".utf8).span.bytes)
    #expect(CRC32.checksum(Array("56789".utf8).span.bytes, continuing: first) == 0xcbf4_3926)
  }

  @Test func xxh64PublishedVectors() {
    #expect(XXH64.hash([UInt8]().span.bytes) == 0xef46_db37_51d8_e999)
    #expect(XXH64.hash(Array("abc".utf8).span.bytes) == 0x44bc_2cf5_ad77_0999)
    let long = Array("Nobody inspects the spammish repetition".utf8)
    #expect(XXH64.hash(long.span.bytes) == 0xfbce_a83c_8a37_8bf1)
  }
}
