import Synchronization
import TarnBytes
import TarnStorage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Ends the process.
func exitProcess(_ status: Int32) -> Never { exit(status) }

/// Sleeps until another thread ends the process.
func awaitExit() -> Never { while true { pause() } }

/// Standard output, unbuffered.
enum StandardOutput {
  /// What messages call it.
  static let name = "standard output"

  private static let closed = Mutex(false)

  /// Whether whoever read it has gone away.
  static var isClosed: Bool { closed.withLock { $0 } }

  static var isTerminal: Bool { isatty(1) == 1 }

  /// Lets writes to a closed pipe fail instead of ending the process.
  static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  static func write(text: String) throws(StorageError) { try write(Array(text.utf8)) }

  static func write(_ bytes: [UInt8]) throws(StorageError) {
    let failure = writeAll(bytes, to: 1)
    guard failure != 0 else { return }
    if failure == EPIPE { closed.withLock { $0 = true } }
    throw StorageError(
      failure == ENOSPC ? .noSpace : .failed, path: name, String(cString: strerror(failure)))
  }
}

/// Writes everything; returns the error number, or 0.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
  bytes.withUnsafeBytes { all in
    var rest = all[...]
    while !rest.isEmpty {
      let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }
}

/// Gathers bytes, and writes them to standard output a chunk at a time.
struct OutputBuffer {
  private static let chunk = 64 << 10

  var bytes: [UInt8] = []

  init() { bytes.reserveCapacity(Self.chunk + (8 << 10)) }

  /// Writes what there is once it is enough to be worth a call.
  @inline(__always)
  mutating func flushIfFull() throws(StorageError) { if bytes.count >= Self.chunk { try flush() } }

  mutating func flush() throws(StorageError) {
    try StandardOutput.write(bytes)
    bytes.removeAll(keepingCapacity: true)
  }
}

/// Standard output as an object that is written as a stream, for Parquet.
final class StandardOutputObject: ObjectWriter {
  /// Whether a write failed, after which more would leave a hole.
  private let hasFailed = Mutex(false)

  func write(_ bytes: [UInt8]) async throws(StorageError) {
    try checkIsOpen()
    do throws(StorageError) { try StandardOutput.write(bytes) } catch {
      hasFailed.withLock { $0 = true }
      throw error
    }
  }

  func copy(_ range: Range<Int>, of path: String, tag: ObjectTag?) async throws(StorageError) {
    await abandon()
    throw StorageError(.unsupported, path: StandardOutput.name, "it has no other objects to copy from")
  }

  @discardableResult
  func finish(if condition: PutCondition) async throws(StorageError) -> ObjectTag {
    try checkIsOpen()
    return ObjectTag("")
  }

  func abandon() async { hasFailed.withLock { $0 = true } }

  private func checkIsOpen() throws(StorageError) {
    guard hasFailed.withLock({ $0 }) else { return }
    throw StorageError(.closed, path: StandardOutput.name, "an earlier write failed")
  }
}
