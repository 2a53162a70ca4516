/// MD5 (RFC 1321): too weak to keep a secret, but the checksum of aggregated Kinesis records, of table exports and of
/// requests to S3.
///
/// It is written out here, so that what reads these needs no library of the system, and works where such a library may
/// not make MD5.
package struct MD5: Sendable {
  private var state: SIMD4<UInt32> = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
  /// Bytes that make no whole block yet.
  private var rest: [UInt8] = []
  private var count: UInt64 = 0

  private static let blockBytes = 64

  /// The sine table of the RFC, its section 3.4.
  private static let sines: [UInt32] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
  ]
  private static let shifts: [UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]

  /// Begins a checksum.
  package init() {}

  /// The checksum of bytes, 16 of them.
  package static func checksum(_ bytes: RawSpan) -> [UInt8] {
    var md5 = MD5()
    md5.update(bytes)
    return md5.finish()
  }

  /// Goes on with bytes.
  package mutating func update(_ bytes: RawSpan) {
    count &+= UInt64(bytes.byteCount)
    bytes.withUnsafeBytes { input in
      var offset = 0
      if !rest.isEmpty {
        offset = min(Self.blockBytes - rest.count, input.count)
        rest.append(contentsOf: input[..<offset])
        guard rest.count == Self.blockBytes else { return }
        rest.withUnsafeBytes { take($0) }
        rest.removeAll(keepingCapacity: true)
      }
      while input.count - offset >= Self.blockBytes {
        take(UnsafeRawBufferPointer(rebasing: input[offset..<offset + Self.blockBytes]))
        offset += Self.blockBytes
      }
      rest.append(contentsOf: input[offset...])
    }
  }

  /// The checksum of all bytes.
  package mutating func finish() -> [UInt8] {
    let bits = count &* 8
    var padding: [UInt8] = [0x80]
    while (rest.count + padding.count) % Self.blockBytes != 56 { padding.append(0) }
    for byte in 0..<8 { padding.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * byte))) }
    update(padding.span.bytes)
    var out: [UInt8] = []
    for index in 0..<4 {
      for byte in 0..<4 { out.append(UInt8(truncatingIfNeeded: state[index] >> UInt32(8 * byte))) }
    }
    return out
  }

  private mutating func take(_ block: UnsafeRawBufferPointer) {
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    Self.sines.withUnsafeBufferPointer { sines in
      Self.shifts.withUnsafeBufferPointer { shifts in
        for step in 0..<64 {
          let mixed: UInt32
          let word: Int
          switch step &>> 4 {
          case 0: (mixed, word) = ((b & c) | (~b & d), step)
          case 1: (mixed, word) = ((d & b) | (~d & c), (5 &* step &+ 1) & 15)
          case 2: (mixed, word) = (b ^ c ^ d, (3 &* step &+ 5) & 15)
          default: (mixed, word) = (c ^ (b | ~d), (7 &* step) & 15)
          }
          let next = UInt32(littleEndian: block.loadUnaligned(fromByteOffset: word &* 4, as: UInt32.self))
          let sum = a &+ mixed &+ sines[step] &+ next
          let shift = shifts[(step &>> 4) &* 4 &+ (step & 3)]
          (a, d, c, b) = (d, c, b, b &+ (sum &<< shift | sum &>> (32 &- shift)))
        }
      }
    }
    state &+= [a, b, c, d]
  }
}
