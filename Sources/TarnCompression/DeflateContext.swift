import CZlib

/// zlib's state for one direction, on the heap since zlib keeps its address.
struct DeflateContext: ~Copyable {
  private enum Direction { case inflate, deflate }
  private let stream: UnsafeMutablePointer<z_stream>
  private let direction: Direction

  /// What stands around deflated data: zlib's size of the window, 32 KiB, and its mark for the framing.
  enum Framing: Int32 {
    /// A header, and a trailer with size and checksum.
    case gzip = 31
    /// Nothing.
    case raw = -15
  }

  private init(_ direction: Direction, _ begin: (UnsafeMutablePointer<z_stream>) -> Int32)
    throws(CompressionError)
  {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    self.direction = direction
    guard begin(stream) == Z_OK else { throw CompressionError(.failed, "zlib cannot begin: out of memory?") }
  }

  static func inflating(_ framing: Framing = .gzip) throws(CompressionError) -> DeflateContext {
    try DeflateContext(.inflate) {
      inflateInit2_($0, framing.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    }
  }

  static func deflating(
    level: Int, _ framing: Framing = .gzip
  ) throws(CompressionError) -> DeflateContext {
    let level = Int32(min(max(level, 0), 9))
    return try DeflateContext(.deflate) {
      deflateInit2_(
        $0, level, Z_DEFLATED, framing.rawValue, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size))
    }
  }

  deinit {
    // Both are harmless on a state that never began.
    _ = direction == .inflate ? inflateEnd(stream) : deflateEnd(stream)
    stream.deallocate()
  }

  /// Makes the state ready for another member.
  mutating func reset() {
    _ = direction == .inflate ? inflateReset(stream) : deflateReset(stream)
  }

  /// What one step did.
  struct Step {
    var consumed: Int
    var produced: Int
    var status: Int32
  }

  /// Goes on with as much as fits into zlib's 32-bit counts.
  mutating func step(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, flush: Int32 = Z_NO_FLUSH
  ) -> Step {
    let given = min(input.count, 1 << 30)
    let capacity = min(output.count, 1 << 30)
    // zlib refuses a null pointer, even beside a count of zero.
    var none: UInt8 = 0
    return withUnsafeMutablePointer(to: &none) { placeholder in
      let source = input.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) }
      stream.pointee.next_in = source?.assumingMemoryBound(to: UInt8.self) ?? placeholder
      stream.pointee.avail_in = UInt32(given)
      stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? placeholder
      stream.pointee.avail_out = UInt32(capacity)
      // Flushing for good must wait until the last piece of the input is given.
      let mode = given == input.count ? flush : Z_NO_FLUSH
      let status = direction == .inflate ? inflate(stream, mode) : deflate(stream, mode)
      return Step(
        consumed: given - Int(stream.pointee.avail_in), produced: capacity - Int(stream.pointee.avail_out),
        status: status)
    }
  }
}
