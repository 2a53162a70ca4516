import TarnBytes

/// An owning, growable block of memory that a storage reads into, and that its owner reuses.
///
/// Fresh memory is what costs when reading (first touch of each page), so readers hand one buffer down
/// and have it filled again and again.
public struct ReadBuffer: ~Copyable, Sendable {
  package var memory: ByteBuffer

  /// Makes an empty buffer.
  public init() { memory = ByteBuffer() }

  init(holding memory: consuming ByteBuffer) { self.memory = memory }

  /// The memory, taken out.
  consuming func taken() -> ByteBuffer { memory }

  /// Number of bytes held.
  public var count: Int { memory.count }

  /// The bytes held.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get { memory.bytes }
  }

  /// A copy of what is held.
  public func copied() -> [UInt8] { memory.copied() }

  /// Forgets what is held, and keeps the memory.
  public mutating func removeAll() { memory.removeAll() }

  /// Appends bytes.
  public mutating func append(_ bytes: RawSpan) { memory.append(bytes) }

  /// Appends bytes.
  public mutating func append(_ bytes: ArraySlice<UInt8>) { memory.append(bytes.span.bytes) }

  /// Replaces what is held by bytes that `fill` writes, at most `count` of them.
  ///
  /// - Throws: What `fill` throws; nothing is held then.
  public mutating func replace<E: Error>(
    count: Int, _ fill: (inout OutputRawSpan) throws(E) -> Void
  ) throws(E) {
    try memory.fill(count: max(count, 0)) { (room: UnsafeMutableRawBufferPointer) throws(E) -> Int in
      var span = OutputRawSpan(buffer: room, initializedCount: 0)
      try fill(&span)
      return span.finalize(for: room)
    }
  }
}
