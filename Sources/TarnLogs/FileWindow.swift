import TarnBytes
import TarnStorage

/// A part of a file in memory, that is moved forward over it.
struct FileWindow: ~Copyable, Sendable {
  let storage: any Storage
  let path: String
  /// The file's size.
  let size: Int
  private var buffer = ByteBuffer()
  private var start = 0
  /// Bytes that are read at once, where the file has so many.
  private let step: Int

  init(_ storage: any Storage, path: String, size: Int, step: Int) {
    self.storage = storage
    self.path = path
    self.size = size
    self.step = step
  }

  /// Brings a range that lies within the file into memory.
  mutating func load(_ range: Range<Int>) async throws(LogError) {
    if range.lowerBound >= start, range.upperBound <= start + buffer.count { return }
    let end = min(max(range.upperBound, range.lowerBound + min(step, size - range.lowerBound)), size)
    do { try await storage.read(path, range: range.lowerBound..<end, into: &buffer) } catch {
      buffer.removeAll()
      throw LogError(error)
    }
    start = range.lowerBound
  }

  /// The bytes of a range that was loaded; none where it was not.
  @_lifetime(borrow self)
  func bytes(_ range: Range<Int>) -> RawSpan {
    let from = range.lowerBound - start
    guard from >= 0, from + range.count <= buffer.count else { return buffer.bytes.extracting(0..<0) }
    return buffer.bytes.extracting(from..<(from + range.count))
  }

  /// Bytes from an offset on that are in memory, up to an end.
  @_lifetime(borrow self)
  func bytes(from offset: Int, upTo end: Int) -> RawSpan {
    bytes(offset..<max(min(end, start + buffer.count), offset))
  }
}
