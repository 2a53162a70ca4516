import TarnBytes
import TarnCompression
import Testing

/// Files in the codecs of delivery streams, all made by other programs: by Python's `zipfile`, and by `python-snappy`,
/// whose blocks stand in Hadoop's framing by hand.
@Suite("Files of delivery streams")
struct DeliveredFileTests {
  private static let text = Array(
    (0..<12).map { "{\"id\":\"\($0)\",\"text\":\"a delivered record\"}\n" }.joined().utf8)

  private static let files: [(StreamDecoder.Format, String)] = [
    // Two streams, one behind the other.
    (
      .snappy,
      "/wYAAHNOYVBwWQBKAAAwxrZM6wGYeyJpZCI6IjAiLCJ0ZXh0IjoiYSBkZWxpdmVyZWQgcmVjb3JkIn0KDScEMSKSJwAAMpYnAAAz"
        + "licAADSWJwAANX4nAP8GAABzTmFQcFkASwAAv97uUesBmCJpZCI6IjYiLCJ0ZXh0IjoiYSBkZWxpdmVyZWQgcmVjb3JkIn0Kewkn"
        + "BDcikicAADiWJwAAOZYnAAQxMJooAAAxeigA"
    ),
    // Two blocks of two pieces each.
    (
      .hadoopSnappy,
      "AAAA6wAAADFOmHsiaWQiOiIwIiwidGV4dCI6ImEgZGVsaXZlcmVkIHJlY29yZCJ9Cg0nBDEidicAAAAAPJ0BmHsiaWQiOiIyIiwi"
        + "dGV4dCI6ImEgZGVsaXZlcmVkIHJlY29yZCJ9Cg0nBDMikicAADSWJwAANX4nAAAAAOsAAAAxTpgiaWQiOiI2IiwidGV4dCI6ImEg"
        + "ZGVsaXZlcmVkIHJlY29yZCJ9CnsJJwQ3InonAAAAAD2dAZgiaWQiOiI4IiwidGV4dCI6ImEgZGVsaXZlcmVkIHJlY29yZCJ9CnsJ"
        + "JwQ5IpInAAQxMJooAAAxeigA"
    ),
    // An entry that is deflated, one that is stored, and a folder.
    (
      .zip,
      "UEsDBBQAAAAIAGVhgV03RbINOwAAAOsAAAAGAAAAYS5qc29uq1bKTFGyUjJQ0lEqSa0oATITFVJSczLLUotSUxSKUpPzi1KUarmq"
        + "IcoMiVNmRJwyY+KUmRCnzJSQMgBQSwMEFAAAAAAAZWGBXYQd/x/rAAAA6wAAAAYAAABiLmpzb24iaWQiOiI2IiwidGV4dCI6ImEg"
        + "ZGVsaXZlcmVkIHJlY29yZCJ9CnsiaWQiOiI3IiwidGV4dCI6ImEgZGVsaXZlcmVkIHJlY29yZCJ9CnsiaWQiOiI4IiwidGV4dCI6"
        + "ImEgZGVsaXZlcmVkIHJlY29yZCJ9CnsiaWQiOiI5IiwidGV4dCI6ImEgZGVsaXZlcmVkIHJlY29yZCJ9CnsiaWQiOiIxMCIsInRl"
        + "eHQiOiJhIGRlbGl2ZXJlZCByZWNvcmQifQp7ImlkIjoiMTEiLCJ0ZXh0IjoiYSBkZWxpdmVyZWQgcmVjb3JkIn0KUEsDBBQAAAAI"
        + "AGVhgV0AAAAAAgAAAAAAAAACAAAAYy8DAFBLAQIUAxQAAAAIAGVhgV03RbINOwAAAOsAAAAGAAAAAAAAAAAAAACAAQAAAABhLmpz"
        + "b25QSwECFAMUAAAAAABlYYFdhB3/H+sAAADrAAAABgAAAAAAAAAAAAAAgAFfAAAAYi5qc29uUEsBAhQDFAAAAAgAZWGBXQAAAAAC"
        + "AAAAAAAAAAIAAAAAAAAAAAAQAP1BbgEAAGMvUEsFBgAAAAADAAMAmAAAAJABAAAAAA=="
    ),
    // Written to where the writer could not go back: with sizes behind the data, in the second entry as ZIP64.
    (
      .zip,
      "UEsDBBQACAAIAAAAIQAAAAAAAAAAAAAAAAAGAAAAYS5qc29uq1bKTFGyUjJQ0lEqSa0oATITFVJSczLLUotSUxSKUpPzi1KUarmq"
        + "IcoMiVNmRJwyY+KUmRCnzJSQMgBQSwcIN0WyDTsAAADrAAAAUEsDBC0ACAAIAAAAIQAAAAAA//////////8GABQAYi5qc29uAQAQ"
        + "AAAAAAAAAAAAAAAAAAAAAABTykxRslIyU9JRKkmtKAEyExVSUnMyy1KLUlMUilKT84tSlGq5qpXAysyJU2ZBnDJL4pQZGhCpzpCA"
        + "OgBQSwcIhB3/HzwAAAAAAAAA6wAAAAAAAABQSwECFAMUAAgACAAAACEAN0WyDTsAAADrAAAABgAAAAAAAAAAAAAAgAEAAAAAYS5q"
        + "c29uUEsBAi0DLQAIAAgAAAAhAIQd/x88AAAA6wAAAAYAAAAAAAAAAAAAAIABbwAAAGIuanNvblBLBQYAAAAAAgACAGgAAAD7AAAA"
        + "AAA="
    ),
  ]

  private static func all() throws -> [(StreamDecoder.Format, [UInt8])] {
    try files.map { format, text in
      let decoded = Base64.decode(Array(text.utf8).span.bytes)
      return (format, try #require(decoded))
    }
  }

  private func decoded(_ format: StreamDecoder.Format, _ file: [UInt8], piece: Int) throws -> [UInt8] {
    var decoder = StreamDecoder(format)
    var output = ByteBuffer()
    for start in stride(from: 0, to: file.count, by: piece) {
      try decoder.decode(file.span.bytes.extracting(start..<min(start + piece, file.count)), into: &output)
    }
    try decoder.finish()
    return output.copied()
  }

  @Test("Files are decoded in pieces of any size", arguments: [1, 3, 7, 100, 1 << 20])
  func pieces(_ piece: Int) throws {
    for (format, file) in try Self.all() {
      #expect(try decoded(format, file, piece: piece) == Self.text, "\(format)")
    }
  }

  @Test(
    "What Hadoop's own codec writes is read, with the empty block at its end", arguments: [1, 7, 1 << 20])
  func hadoop(_ piece: Int) throws {
    // By `SnappyCodec` of Hadoop 3.3.4, in blocks of 50, 300 and 120 bytes, the longer ones in pieces.
    let text =
      "AAAAMgAAADQyxHsiaWQiOiIwIiwidGV4dCI6ImEgZGVsaXZlcmVkIHJlY29yZCJ9CnsiaWQiOiIxIiwiAAABLAAAADJmmHRleHQi"
      + "OiJhIGRlbGl2ZXJlZCByZWNvcmQifQp7ImlkIjoiMiIsIoonAAQzImYnAAAAAD9mmGQifQp7ImlkIjoiNCIsInRleHQiOiJhIGRl"
      + "bGl2ZXJlZCByZWNvch0nBDUikicAMDYiLCJ0ZXh0IjoiYSAAAAAyYJhkZWxpdmVyZWQgcmVjb3JkIn0KeyJpZCI6IjciLCJ0ZXh0"
      + "IjoiYSBmJwAEOCJyJwAAAAB4AAAAQ2agCnsiaWQiOiI5IiwidGV4dCI6ImEgZGVsaXZlcmVkIHJlY29yZCJ9CnsJJwgxMCKWKAA0"
      + "MSIsInRleHQiOiJhIGQAAAAUEkRlbGl2ZXJlZCByZWNvcmQifQoAAAAA"
    let found = Base64.decode(Array(text.utf8).span.bytes)
    let file = try #require(found)
    #expect(StreamDecoder.Format(head: file.span.bytes) == .hadoopSnappy)
    #expect(try decoded(.hadoopSnappy, file, piece: piece) == Self.text)
  }

  @Test("No more comes at a time than was asked for")
  func bounded() throws {
    for (format, file) in try Self.all() {
      var decoder = StreamDecoder(format)
      var whole: [UInt8] = []
      var output = ByteBuffer()
      var consumed = 0
      repeat {
        output.removeAll()
        consumed += try decoder.decode(file.span.bytes.extracting(consumed...), into: &output, limit: 10)
        #expect(output.count <= 10)
        whole += output.copied()
      } while consumed < file.count || output.count == 10
      try decoder.finish()
      #expect(whole == Self.text, "\(format)")
    }
  }

  @Test("The first bytes tell the format, and those of other files do not")
  func heads() throws {
    for (format, file) in try Self.all() {
      #expect(StreamDecoder.Format(head: file.span.bytes) == format)
    }
    for other in [Array("{}".utf8), [], [0], [UInt8](repeating: 0, count: 64), Array("$ion_1_0".utf8)] {
      #expect(StreamDecoder.Format(head: other.span.bytes) == nil)
    }
    #expect(StreamDecoder.Format(path: "a.zip") == .zip)
    #expect(StreamDecoder.Format(path: "a.snappy") == .snappy)
    #expect(StreamDecoder.Format(path: "a.hsnappy") == .hadoopSnappy)
  }

  @Test("A file that is cut off is an error wherever it ends")
  func cut() throws {
    for (format, file) in try Self.all() {
      // Behind the entries of a ZIP file stands its directory, which is not wanted.
      let directory = (0..<file.count - 4).first { Array(file[$0..<$0 + 4]) == [0x50, 0x4b, 1, 2] }
      let framed = (1..<file.count - 4).first { Array(file[$0..<$0 + 4]) == [0xff, 6, 0, 0] }
      for end in 0..<(directory.map { $0 + 4 } ?? file.count) {
        do {
          let found = try decoded(format, Array(file[..<end]), piece: 50)
          // Whole chunks and blocks are a file.
          #expect(found.count < Self.text.count && format != .zip, "\(format) at \(end) of \(framed ?? 0)")
          #expect(Self.text.starts(with: found))
        } catch let error as CompressionError {
          #expect(error.code == .truncated)
        }
      }
    }
  }

  @Test("A damaged byte is an error, or changes nothing where there is no checksum over it; nothing crashes")
  func damaged() throws {
    for (format, file) in try Self.all() {
      for position in file.indices {
        for flip: UInt8 in [0x01, 0x80, 0xff] {
          var broken = file
          broken[position] ^= flip
          let found = try? decoded(format, broken, piece: 64)
          // Hadoop's framing has no checksum, and a chunk of Snappy's may become one that is passed over.
          if let found, format == .zip { #expect(found == Self.text, "\(position)") }
        }
      }
    }
  }

  @Test("Encrypted entries, other methods and lengths beyond reason are refused")
  func refused() throws {
    let zip = try #require(try Self.all().first { $0.0 == .zip }).1
    for (offset, value, word) in [(6, UInt8(1), "encrypted"), (8, 12, "compression method 12")] {
      var other = zip
      other[offset] = value
      do {
        _ = try decoded(.zip, other, piece: 1 << 20)
        Issue.record("nothing was thrown")
      } catch let error as CompressionError { #expect(error.message.contains(word)) }
    }
    let long: [UInt8] = [0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x07]
    #expect(throws: CompressionError.self) { try decoded(.hadoopSnappy, long, piece: 1 << 20) }
    // A block of 65 MiB that has as many bytes as its length needs at least.
    let packed = 3 << 20
    let large: [UInt8] = [0x7f, 0, 0, 0] + [0, UInt8(packed >> 16), 0, 0] + [0x80, 0x80, 0xc0, 0x20]
    let error = #expect(throws: CompressionError.self) {
      try decoded(.hadoopSnappy, large + [UInt8](repeating: 0, count: packed - 4), piece: 1 << 20)
    }
    #expect(error?.message.contains("declares \(65 << 20) bytes") == true)
  }
}
