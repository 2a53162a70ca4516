#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A request or an answer: HTTP/1.1 (RFC 9112), as far as the Runtime API needs it.
package struct HTTPMessage {
  /// The request line or the status line.
  package var start: String
  /// The headers, their names in small letters.
  package var headers: [String: String]
  package var body: [UInt8]

  /// The status of an answer; nil where the line has none.
  package var status: Int? {
    let words = start.split(separator: " ")
    return words.count > 1 ? Int(words[1]) : nil
  }
}

/// Sends what goes into the system's buffer, without a signal where the other side is gone.
private func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int {
  #if canImport(Darwin)
    send(descriptor, bytes.baseAddress, bytes.count, 0)
  #else
    send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
  #endif
}

/// A connection over TCP that carries messages one after the other, blocking.
package final class HTTPConnection {
  /// What an event or an answer may have at most: Lambda's are of 6 MB.
  private static let greatestBody = 16 << 20
  private static let greatestHead = 64 << 10

  private let descriptor: Int32
  /// What was received and not taken yet.
  private var received: [UInt8] = []

  package init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Connects to `HOST:PORT`, where the host is an address of IPv4: what Lambda puts into `AWS_LAMBDA_RUNTIME_API`.
  ///
  /// A name would need the system's resolver, which a static executable has not.
  package convenience init(to place: String) throws(RuntimeError) {
    let parts = place.split(separator: ":", maxSplits: 1)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    guard parts.count == 2, let port = UInt16(parts[1]),
      inet_pton(AF_INET, parts[0] == "localhost" ? "127.0.0.1" : String(parts[0]), &address.sin_addr) == 1
    else { throw RuntimeError("\(place) is no address and port, such as 127.0.0.1:9001") }
    address.sin_port = port.bigEndian
    let descriptor = Self.stream()
    guard descriptor >= 0 else { throw RuntimeError(call: "socket", number: errno) }
    self.init(descriptor: descriptor)
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw RuntimeError(call: "connecting to \(place)", number: errno) }
  }

  /// A socket of TCP over IPv4; negative where there is none.
  package static func stream() -> Int32 {
    #if canImport(Glibc)
      socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      socket(AF_INET, SOCK_STREAM, 0)
    #endif
  }

  /// Sends a message with its length.
  package func send(_ start: String, headers: [(String, String)] = [], _ body: [UInt8]) throws(RuntimeError) {
    var bytes = Array("\(start)\r\n".utf8)
    for (name, value) in headers { bytes += Array("\(name): \(value)\r\n".utf8) }
    bytes += Array("Content-Length: \(body.count)\r\n\r\n".utf8)
    bytes += body
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes { write($0, to: descriptor) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw RuntimeError(call: "sending", number: errno) }
      sent += count
    }
  }

  /// Waits for a message.
  ///
  /// - Returns: Nil where the other side has closed the connection and nothing of a message came.
  package func receive() throws(RuntimeError) -> HTTPMessage? {
    var searched = 0
    while true {
      if let end = headEnd(from: searched) { return try message(headEnd: end) }
      guard received.count < Self.greatestHead else { throw RuntimeError("the head of a message has no end") }
      searched = max(received.count - 3, 0)
      guard try receiveMore() else {
        guard received.isEmpty else { throw RuntimeError("the connection was closed within a message") }
        return nil
      }
    }
  }

  /// The position of the blank line behind the head.
  private func headEnd(from start: Int) -> Int? {
    guard received.count >= start + 4 else { return nil }
    let mark: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a]
    return (start...received.count - 4).first { received[$0..<$0 + 4].elementsEqual(mark) }
  }

  private func message(headEnd: Int) throws(RuntimeError) -> HTTPMessage {
    let lines = String(decoding: received[..<headEnd], as: UTF8.self).split(
      separator: "\r\n", omittingEmptySubsequences: false)
    received.removeFirst(headEnd + 4)
    var message = HTTPMessage(start: String(lines.first ?? ""), headers: [:], body: [])
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      message.headers[line[..<colon].lowercased()] = String(value)
    }
    if message.headers["transfer-encoding"]?.lowercased() == "chunked" {
      message.body = try chunks()
    } else if let length = message.headers["content-length"] {
      guard let count = Int(length), (0...Self.greatestBody).contains(count) else {
        throw RuntimeError("a message of \(length.prefix(20)) bytes is not taken")
      }
      message.body = try take(count)
    }
    return message
  }

  /// A body in chunks, each behind a line with its length in hexadecimal digits.
  private func chunks() throws(RuntimeError) -> [UInt8] {
    var body: [UInt8] = []
    while true {
      let line = try takeLine()
      let digits = line.prefix { $0 != ";" && $0 != " " }
      guard let count = Int(digits, radix: 16), count >= 0, count <= Self.greatestBody - body.count else {
        throw RuntimeError("a chunk of a message has no length that is taken")
      }
      if count == 0 {
        while try !takeLine().isEmpty {}
        return body
      }
      body += try take(count)
      _ = try takeLine()
    }
  }

  private func takeLine() throws(RuntimeError) -> String {
    while true {
      if let end = received.firstIndex(of: 0x0a) {
        let line = received[..<end].filter { $0 != 0x0d }
        received.removeFirst(end + 1)
        return String(decoding: line, as: UTF8.self)
      }
      guard received.count < Self.greatestHead, try receiveMore() else {
        throw RuntimeError("the connection was closed within a message")
      }
    }
  }

  private func take(_ count: Int) throws(RuntimeError) -> [UInt8] {
    while received.count < count {
      guard try receiveMore() else { throw RuntimeError("the connection was closed within a message") }
    }
    let taken = Array(received[..<count])
    received.removeFirst(count)
    return taken
  }

  /// Receives what is there, or waits for it; false where the other side has closed the connection.
  private func receiveMore() throws(RuntimeError) -> Bool {
    var part = [UInt8](repeating: 0, count: 256 << 10)
    while true {
      let count = part.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw RuntimeError(call: "receiving", number: errno) }
      received.append(contentsOf: part[..<count])
      return count > 0
    }
  }
}
