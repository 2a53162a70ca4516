/// An owning, growable, reusable block of memory.
///
/// Fresh memory is what costs when reading (first touch of each page), so readers hand one buffer down
/// and fill it again and again. Its bytes are lent as a `RawSpan`, checked at every access.
public struct ByteBuffer: ~Copyable, @unchecked Sendable {
  // Unchecked, since the pointer is owned by this value alone and the value cannot be copied.
  @usableFromInline var base: UnsafeMutableRawPointer
  @usableFromInline var storedCount: Int
  @usableFromInline var storedCapacity: Int

  /// Makes an empty buffer with room for `capacity` bytes.
  @inlinable
  public init(capacity: Int = 0) {
    storedCapacity = max(capacity, 64)
    storedCount = 0
    base = UnsafeMutableRawPointer.allocate(byteCount: storedCapacity, alignment: 64)
  }

  @inlinable
  deinit { base.deallocate() }

  /// Number of bytes held.
  @inlinable public var count: Int { storedCount }

  /// Number of bytes that fit without another allocation.
  @inlinable public var capacity: Int { storedCapacity }

  /// The bytes held.
  @inlinable
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      let span = RawSpan(_unsafeStart: base, byteCount: storedCount)
      return _overrideLifetime(span, borrowing: self)
    }
  }

  /// Makes room for `capacity` bytes in all, keeping what is held.
  @inlinable
  public mutating func reserve(_ capacity: Int) {
    guard capacity > storedCapacity else { return }
    let wanted = max(capacity, storedCapacity &+ storedCapacity / 2)
    let fresh = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 64)
    fresh.copyMemory(from: base, byteCount: storedCount)
    base.deallocate()
    base = fresh
    storedCapacity = wanted
  }

  /// Forgets what is held, and keeps the memory.
  @inlinable
  public mutating func removeAll() { storedCount = 0 }

  /// Replaces what is held by `count` bytes which `fill` writes; `fill` returns how many it wrote.
  @inlinable
  public mutating func fill<E: Error>(
    count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(E) -> Int
  ) throws(E) {
    storedCount = 0
    reserve(count)
    let written = try fill(UnsafeMutableRawBufferPointer(start: base, count: count))
    precondition(written >= 0 && written <= count)
    storedCount = written
  }

  /// Appends up to `count` bytes which `fill` writes; `fill` returns how many it wrote.
  @inlinable
  public mutating func append<E: Error>(
    count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(E) -> Int
  ) throws(E) {
    reserve(storedCount + count)
    let added = UnsafeMutableRawBufferPointer(start: base + storedCount, count: count)
    let written = try fill(added)
    precondition(written >= 0 && written <= count)
    storedCount += written
  }

  /// Appends bytes.
  @inlinable
  public mutating func append(_ bytes: RawSpan) {
    reserve(storedCount + bytes.byteCount)
    bytes.withUnsafeBytes { source in
      if let start = source.baseAddress {
        (base + storedCount).copyMemory(from: start, byteCount: source.count)
      }
    }
    storedCount += bytes.byteCount
  }

  /// Drops the first `count` bytes and moves the rest to the front.
  @inlinable
  public mutating func removeFirst(_ count: Int) {
    precondition(count >= 0 && count <= storedCount)
    let rest = storedCount - count
    // Defined for overlapping regions.
    if rest > 0 { base.copyMemory(from: base + count, byteCount: rest) }
    storedCount = rest
  }

  /// Lends the bytes to C.
  @inlinable
  public borrowing func withUnsafeBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    try body(UnsafeRawBufferPointer(start: base, count: storedCount))
  }

  /// A copy of what is held.
  public borrowing func copied() -> [UInt8] {
    withUnsafeBytes { Array($0) }
  }
}
