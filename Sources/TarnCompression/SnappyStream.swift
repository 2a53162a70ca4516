import TarnBytes

/// Decodes files of Snappy blocks piece by piece, holding one block at a time.
struct SnappyStream: Sendable {
  /// What stands around the blocks.
  enum Framing: Sendable {
    /// Snappy's own, by `framing_format.txt` of snappy 1.1: chunks with a type, a length and a checksum.
    case snappy
    /// Hadoop's `BlockCompressorStream`: a block's uncompressed length, then pieces with their compressed lengths, both
    /// as four bytes, big-endian, until the block has its length.
    case hadoop
  }

  private let framing: Framing
  /// Bytes of the present header and chunk, as far as they came.
  private var pending = PendingBytes()
  /// Decoded bytes that were not handed out yet.
  private var held: [UInt8] = []
  private var heldFrom = 0
  /// Bytes of a chunk that is passed over.
  private var skipping = 0
  /// Bytes that the present block of Hadoop's still lacks.
  private var missing = 0
  private var sawIdentifier = false

  /// What one chunk may take, compressed: Hadoop's blocks have 256 KiB unless somebody set more.
  private static let greatestChunk = 64 << 20
  /// What one chunk may hold.
  ///
  /// A small one may declare many times its own bytes.
  private static let greatestBlock = 64 << 20
  /// What a chunk of Snappy's own framing holds at most.
  private static let greatestFrame = 1 << 16

  init(_ framing: Framing) { self.framing = framing }

  /// Whether the input so far ends where a chunk or block ends.
  var isBetweenParts: Bool { pending.isEmpty && heldFrom == held.count && skipping == 0 && missing == 0 }

  /// Decodes input, and appends at most `limit` bytes; gives how many bytes of the input were consumed.
  mutating func decode(
    _ input: RawSpan, into output: inout ByteBuffer, limit: Int
  ) throws(CompressionError) -> Int {
    var consumed = 0
    var produced = 0
    while produced < limit {
      if heldFrom < held.count {
        let count = min(limit - produced, held.count - heldFrom)
        output.append(held.span.bytes.extracting(heldFrom..<heldFrom + count))
        heldFrom += count
        produced += count
        continue
      }
      if skipping > 0 {
        let count = min(skipping, input.byteCount - consumed)
        guard count > 0 else { break }
        skipping -= count
        consumed += count
        continue
      }
      guard pending.fill(upTo: try wanted(), from: input, &consumed) else { break }
      try takePending()
    }
    return consumed
  }

  /// Bytes of ``pending`` that are needed to go on.
  private func wanted() throws(CompressionError) -> Int {
    guard pending.count >= 4 else { return 4 }
    let length = framing == .snappy ? Int(pending.littleEndian(1, 3)) : Int(pending.bigEndian(0))
    guard length <= Self.greatestChunk else { throw damaged("a chunk of \(length) bytes") }
    return 4 + length
  }

  private mutating func takePending() throws(CompressionError) {
    switch framing {
    case .snappy: try takeFrame()
    case .hadoop: try takeHadoop()
    }
  }

  private mutating func takeFrame() throws(CompressionError) {
    if pending.count == 4 {
      let (type, length) = (pending.bytes[0], pending.littleEndian(1, 3))
      guard sawIdentifier || type == 0xff else { throw damaged("no stream identifier at its begin") }
      switch type {
      case 0x00, 0x01:
        guard length >= 4, length <= 2 * Self.greatestFrame else {
          throw damaged("a chunk of \(length) bytes")
        }
        return
      case 0xff:
        guard length == 6 else { throw damaged("a stream identifier of \(length) bytes") }
        return
      // Reserved, to be passed over, as padding is.
      case 0x80...0xfe:
        skipping = Int(length)
        pending.removeAll()
        return
      default: throw damaged("a chunk of the unknown type \(type)")
      }
    }
    defer { pending.removeAll() }
    if pending.bytes[0] == 0xff {
      guard pending.bytes[4...].elementsEqual("sNaPpY".utf8) else { throw damaged("no stream identifier") }
      sawIdentifier = true
      return
    }
    heldFrom = 0
    if pending.bytes[0] == 0x01 {
      held = Array(pending.bytes[8...])
    } else {
      held = try Self.block(pending.bytes.span.bytes.extracting(8...), most: Self.greatestFrame)
    }
    guard held.count <= Self.greatestFrame else { throw damaged("a chunk that holds more than 64 KiB") }
    let checksum = CRC32C.checksum(held.span.bytes)
    let masked = (checksum >> 15 | checksum << 17) &+ 0xa282_ead8
    guard masked == UInt32(truncatingIfNeeded: pending.littleEndian(4, 4)) else {
      throw damaged("a wrong checksum")
    }
  }

  private mutating func takeHadoop() throws(CompressionError) {
    if missing == 0 {
      // The length of a block.
      guard pending.count == 4 else { return }
      missing = Int(pending.bigEndian(0))
      pending.removeAll()
      return
    }
    guard pending.count > 4 else {
      if pending.bigEndian(0) == 0 { throw damaged("a chunk without bytes") }
      return
    }
    held = try Self.block(pending.bytes.span.bytes.extracting(4...), most: min(missing, Self.greatestBlock))
    heldFrom = 0
    missing -= held.count
    if held.isEmpty { throw damaged("a chunk that holds nothing") }
    pending.removeAll()
  }

  private static func block(_ input: RawSpan, most: Int) throws(CompressionError) -> [UInt8] {
    let size = try input.withUnsafeBytes { (source) throws(CompressionError) in
      try Snappy.declaredLength(source)
    }
    // Three bytes make at most 64.
    guard size <= most, size <= 32 * input.byteCount else {
      throw CompressionError(.malformed, "the Snappy data is damaged: a block that declares \(size) bytes")
    }
    var failure: CompressionError?
    let out = [UInt8](unsafeUninitializedCapacity: size) { target, count in
      count = size
      UnsafeMutableRawBufferPointer(target).initializeMemory(as: UInt8.self, repeating: 0)
      do throws(CompressionError) {
        try input.withUnsafeBytes { (source) throws(CompressionError) in
          try Snappy.decompress(
            source,
            into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(target)[..<size]))
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
    return out
  }

  private func damaged(_ what: String) -> CompressionError {
    CompressionError(.malformed, "the Snappy data is damaged: \(what); fetch or make the file again")
  }
}

extension SnappyStream {
  /// Whether a file begins as one of Snappy's own framing.
  static func isFramed(_ head: UnsafeRawBufferPointer) -> Bool {
    head.starts(with: [0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59])
  }

  /// Whether a file may begin as one of Hadoop's framing, which has no mark: a length below 16 MiB, whose first byte is
  /// zero as that of no text, then one that fits it, then Snappy's own length, which fits both.
  static func isHadoop(_ head: UnsafeRawBufferPointer) -> Bool {
    guard head.count >= 9, head[0] == 0, head[4] == 0 else { return false }
    let whole = head[..<4].reduce(0) { $0 << 8 | Int($1) }
    let packed = head[4..<8].reduce(0) { $0 << 8 | Int($1) }
    guard whole > 0, packed > 0, packed <= 32 + whole + whole / 6,
      let size = try? Snappy.declaredLength(UnsafeRawBufferPointer(rebasing: head[8...]))
    else { return false }
    return size > 0 && size <= whole && size <= 32 * packed
  }
}

/// CRC-32C (Castagnoli), the checksum of Snappy's framing.
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
  }

  /// The checksum of bytes.
  static func checksum(_ bytes: RawSpan) -> UInt32 {
    bytes.withUnsafeBytes { input in
      table.withUnsafeBufferPointer { table in
        var value: UInt32 = 0xffff_ffff
        for byte in input { value = value &>> 8 ^ table[Int((value ^ UInt32(byte)) & 0xff)] }
        return ~value
      }
    }
  }
}
