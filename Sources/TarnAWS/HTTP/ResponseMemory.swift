package import TarnBytes

/// Memory of a known size that transfers fill, each a part of its own, straight from the connection.
///
/// Its owner gives a buffer away, has it filled, and takes it back when all transfers into it have ended: a
/// transfer has ended when `send` has returned, or thrown. That is the back-pressure, too, since no more comes
/// over the network than its owner has made room for.
package final class ResponseMemory: @unchecked Sendable {
  // Unchecked, since only the one thread of transfers writes, and the owner waits for it before taking the memory.
  private var memory: ByteBuffer
  /// Bytes there is room for.
  package let count: Int

  /// Takes a buffer, and makes room in it for `count` bytes; what it held is gone.
  package init(_ memory: consuming ByteBuffer, count: Int) {
    self.count = max(count, 0)
    self.memory = memory
    self.memory.removeAll()
    self.memory.reserve(self.count)
  }

  /// Gives the buffer back, with the first `filled` bytes, which transfers must have filled.
  package func take(filled: Int) -> ByteBuffer {
    let filled = min(max(filled, 0), count)
    var taken = ByteBuffer()
    swap(&taken, &memory)
    taken.fill(count: filled) { _ in filled }
    return taken
  }

  /// Stores bytes at an offset; false, and nothing stored, where they do not fit before `limit`.
  func store(_ bytes: UnsafeRawBufferPointer, at offset: Int, limit: Int) -> Bool {
    guard offset >= 0, limit <= count, offset <= limit, bytes.count <= limit - offset else { return false }
    memory.fill(count: count) { room in
      if bytes.count > 0 {
        UnsafeMutableRawBufferPointer(rebasing: room[offset..<offset + bytes.count]).copyMemory(from: bytes)
      }
      return count
    }
    return true
  }
}
