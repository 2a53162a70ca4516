import Synchronization
import TarnBytes

/// Work that was begun before its result is asked for; it is cancelled with whom it is for.
final class ReadAhead<Value: Sendable>: Sendable {
  private let task: Task<Result<Value, ParquetError>, Never>

  /// Begins.
  init(_ body: @escaping @Sendable () async throws(ParquetError) -> Value) {
    task = Task {
      do throws(ParquetError) { return .success(try await body()) } catch { return .failure(error) }
    }
  }

  deinit { task.cancel() }

  /// The result, once it is there.
  func value() async throws(ParquetError) -> Value {
    let result = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    return try result.get()
  }
}

/// Bytes that a task hands over.
final class FetchedBytes: Sendable {
  private let held: Mutex<ByteBuffer?>

  init(_ buffer: consuming sending ByteBuffer) { held = Mutex(buffer) }

  /// The bytes; none the second time.
  func take() -> ByteBuffer { held.withLock { $0.take() } ?? ByteBuffer() }

  /// Gives the bytes back to those that want them too.
  func put(_ buffer: consuming sending ByteBuffer) {
    var buffer = Optional(buffer)
    held.withLock { $0 = buffer.take() }
  }
}

extension ParquetFile {
  /// Begins to read a part of the file.
  func fetchAhead(_ range: Range<Int>) -> ReadAhead<FetchedBytes> {
    ReadAhead { () throws(ParquetError) in
      var buffer = ByteBuffer()
      try await fetch(range, into: &buffer)
      return FetchedBytes(buffer)
    }
  }
}

/// Reads ranges of a file in their order, of which some are under way before they are asked for.
struct RangeReader {
  private let file: ParquetFile
  private let ranges: [Range<Int>]
  private var ahead: [ReadAhead<FetchedBytes>] = []
  private var next = 0
  private var started = 0
  private var bytesUnderWay = 0

  private let mostBytes: Int

  /// - Parameter mostBytes: The most bytes that are under way at once, a greater single range aside.
  init(_ file: ParquetFile, _ ranges: [Range<Int>], mostBytes: Int = 16 << 20) {
    self.mostBytes = mostBytes
    self.file = file
    self.ranges = ranges
  }

  /// The bytes of the next range, of which there must be one.
  mutating func bytes() async throws(ParquetError) -> ByteBuffer {
    while started < ranges.count, ahead.count < ParquetFile.greatestParallelism,
      ahead.isEmpty || bytesUnderWay + ranges[started].count <= mostBytes
    {
      ahead.append(file.fetchAhead(ranges[started]))
      bytesUnderWay += ranges[started].count
      started += 1
    }
    let bytes = try await ahead.removeFirst().value()
    bytesUnderWay -= ranges[next].count
    next += 1
    return bytes.take()
  }
}
