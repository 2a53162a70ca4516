import TarnBytes
import TarnCompression
import Testing

@Suite struct StreamTests {
  /// The sample in three members or frames, one of them empty.
  private func file(_ format: StreamDecoder.Format) throws -> [UInt8] {
    var compressor = Compressor()
    var out: [UInt8] = []
    for part in [sample[..<70_000], sample[70_000..<70_000], sample[70_000...]] {
      switch format {
      case .none: out += part
      case .gzip: try compressor.gzip(part.span.bytes, into: &out)
      case .zstd: try compressor.zstd(part.span.bytes, level: 1, into: &out)
      // Files of these are made by others, for the tests of delivered files.
      case .zip, .snappy, .hadoopSnappy: break
      }
    }
    return out
  }

  @Test(arguments: [StreamDecoder.Format.none, .gzip, .zstd], [1, 7, 4_096, 1 << 20])
  func aFileInPiecesOfAnySizeIsDecoded(format: StreamDecoder.Format, piece: Int) throws {
    let file = try file(format)
    var decoder = StreamDecoder(format)
    var output = ByteBuffer()
    for start in stride(from: 0, to: file.count, by: piece) {
      try decoder.decode(file.span.bytes.extracting(start..<min(start + piece, file.count)), into: &output)
    }
    try decoder.finish()
    #expect(output.copied() == sample)
  }

  @Test(arguments: [StreamDecoder.Format.none, .gzip, .zstd])
  func outputIsBoundedWhereACallerSaysSo(format: StreamDecoder.Format) throws {
    let file = try file(format)
    var decoder = StreamDecoder(format)
    var whole: [UInt8] = []
    var output = ByteBuffer()
    var consumed = 0
    repeat {
      output.removeAll()
      consumed += try decoder.decode(file.span.bytes.extracting(consumed...), into: &output, limit: 1_000)
      #expect(output.count <= 1_000)
      whole += output.copied()
    } while consumed < file.count || output.count == 1_000
    try decoder.finish()
    #expect(whole == sample)
  }

  @Test(arguments: [StreamDecoder.Format.gzip, .zstd])
  func aTruncatedFileIsAnErrorWhereverItEnds(format: StreamDecoder.Format) throws {
    var compressor = Compressor()
    var file: [UInt8] = []
    if format == .gzip {
      try compressor.gzip(Array(sample[..<500]).span.bytes, into: &file)
    } else {
      try compressor.zstd(Array(sample[..<500]).span.bytes, level: 1, into: &file)
    }
    for end in 0..<file.count {
      var decoder = StreamDecoder(format)
      var output = ByteBuffer()
      try decoder.decode(file.span.bytes.extracting(first: end), into: &output)
      #expect(throws: CompressionError.self) { try decoder.finish() }
    }
  }

  @Test(arguments: [StreamDecoder.Format.gzip, .zstd])
  func aDamagedFileIsAnErrorNeverACrash(format: StreamDecoder.Format) throws {
    let file = Array(try file(format)[..<2_000])
    for position in stride(from: 0, to: file.count, by: 3) {
      var damaged = file
      damaged[position] ^= 0x55
      var decoder = StreamDecoder(format)
      var output = ByteBuffer()
      #expect(throws: CompressionError.self) {
        try decoder.decode(damaged.span.bytes, into: &output)
        try decoder.finish()
      }
    }
  }

  /// Decodes a gzip file in pieces; nil where that fails, with the message.
  private func gunzipped(_ file: [UInt8], piece: Int) -> (text: [UInt8]?, message: String) {
    var decoder = StreamDecoder(.gzip)
    var output = ByteBuffer()
    do throws(CompressionError) {
      for start in stride(from: 0, to: file.count, by: piece) {
        try decoder.decode(
          file.span.bytes.extracting(start..<min(start + piece, file.count)), into: &output)
      }
      try decoder.finish()
      return (output.copied(), "")
    } catch {
      return (nil, error.message)
    }
  }

  @Test(arguments: [1, 2, 3, 1 << 20])
  func zerosBehindAGzipFileAreNothingAndOtherBytesAnError(piece: Int) throws {
    let file = try file(.gzip)
    let zeros = [UInt8](repeating: 0, count: 700)
    #expect(gunzipped(file + zeros, piece: piece).text == sample)
    for tail in [Array("x".utf8), [0x1f, 0x20], zeros + [1], zeros + file] {
      let (text, message) = gunzipped(file + tail, piece: piece)
      #expect(text == nil && message.contains("behind the gzip data there are bytes that are none"))
    }
  }

  @Test(arguments: [1, 2, 3, 1 << 20])
  func whatIsNoGzipFileIsCalledSo(piece: Int) throws {
    for text in [Array("{\"id\":1}\n".utf8), [0x1f, 0x20, 0x20], [UInt8](repeating: 0, count: 9)] {
      #expect(gunzipped(text, piece: piece).message.contains("this is no gzip data"))
    }
    var damaged = try file(.gzip)
    damaged[2] = 9
    #expect(gunzipped(damaged, piece: piece).message.contains("the gzip data is damaged;"))
  }

  @Test func theFormatIsToldByTheEnding() {
    #expect(StreamDecoder.Format(path: "a/b.jsonl.gz") == .gzip)
    #expect(StreamDecoder.Format(path: "b.zst") == .zstd)
    #expect(StreamDecoder.Format(path: "b.zstd") == .zstd)
    #expect(StreamDecoder.Format(path: "b.jsonl") == .none)
  }
}
