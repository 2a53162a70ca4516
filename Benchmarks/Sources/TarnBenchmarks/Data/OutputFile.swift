#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that is written through a buffer.
struct OutputFile: ~Copyable {
  /// What is to be written next.
  var buffer: [UInt8] = []
  private let descriptor: Int32

  init(_ path: String) throws(SystemError) {
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard descriptor >= 0 else { throw SystemError("cannot write \(path)") }
  }

  deinit { close(descriptor) }

  /// Writes the buffer out where it holds more than so many bytes.
  mutating func flush(above limit: Int) throws(SystemError) {
    guard buffer.count > limit else { return }
    var done = 0
    while done < buffer.count {
      let written = buffer.withUnsafeBytes { bytes in
        write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      }
      guard written > 0 else { throw SystemError("cannot write") }
      done += written
    }
    buffer.removeAll(keepingCapacity: true)
  }

  consuming func finish() throws(SystemError) { try flush(above: 0) }
}

/// What the system refused, and why.
struct SystemError: Error, CustomStringConvertible {
  let description: String

  init(_ what: String, code: Int32 = errno) { description = "\(what): \(String(cString: strerror(code)))" }
}
