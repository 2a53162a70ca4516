/// A request of HTTP/1.1 as it came over a connection.
public struct WireRequest: Sendable {
  /// The method.
  public var method: String
  /// Path and query, as they came.
  public var target: String
  /// The headers in their order, with names in lower case.
  public var headers: [(name: String, value: String)] = []
  /// The body.
  public var body: [UInt8] = []
  /// The number of the connection it came over, from 0 on.
  public var connection = 0
  /// Its number among all requests of the server, from 0 on.
  public var number = 0

  /// The first header of a name.
  public subscript(_ name: String) -> String? { headers.first { $0.name == name }?.value }

  /// The path without the query.
  public var path: String { String(target.prefix { $0 != "?" }) }

  /// The parameters of the query, as they came.
  public var query: [String] {
    guard let mark = target.firstIndex(of: "?") else { return [] }
    return target[target.index(after: mark)...].split(separator: "&").map(String.init)
  }

  /// The body as text.
  public var text: String { String(decoding: body, as: UTF8.self) }
}

/// Reads requests, one after the other, from a connection.
public struct WireReader {
  private let connection: LoopbackConnection
  private var bytes: [UInt8] = []

  /// Begins with nothing read.
  public init(_ connection: LoopbackConnection) { self.connection = connection }

  /// What was read and belongs to no message yet.
  public var rest: [UInt8] { bytes }

  /// The lines of the next head; nil where the other side is gone.
  public mutating func readHead() -> [String]? {
    while true {
      if let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) {
        let text = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        bytes.removeFirst(end.upperBound)
        return text.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
      }
      guard fill() else { return nil }
    }
  }

  /// So many bytes of a body; fewer where the other side is gone.
  public mutating func readBody(_ count: Int) -> [UInt8] {
    while bytes.count < count, fill() {}
    defer { bytes.removeFirst(min(count, bytes.count)) }
    return Array(bytes.prefix(count))
  }

  /// A whole body in chunks, as it came, with their sizes; nil where the other side is gone before its end.
  public mutating func readChunks() -> [UInt8]? {
    var all: [UInt8] = []
    while true {
      var end = bytes.firstRange(of: [0x0d, 0x0a])
      while end == nil {
        guard fill() else { return nil }
        end = bytes.firstRange(of: [0x0d, 0x0a])
      }
      guard let end, let size = Int(String(decoding: bytes[..<end.lowerBound], as: UTF8.self), radix: 16)
      else { return nil }
      let chunk = readBody(end.upperBound + size + 2)
      guard chunk.count == end.upperBound + size + 2 else { return nil }
      all += chunk
      if size == 0 { return all }
    }
  }

  /// The next request's head, without its body; nil where the other side is gone.
  public mutating func readRequestHead() -> WireRequest? {
    guard let lines = readHead(), let first = lines.first else { return nil }
    let words = first.split(separator: " ").map(String.init)
    guard words.count == 3 else { return nil }
    var request = WireRequest(method: words[0], target: words[1])
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      request.headers.append((line[..<colon].lowercased(), String(value)))
    }
    return request
  }

  /// The next whole request; nil where the other side is gone.
  public mutating func readRequest() -> WireRequest? {
    guard var request = readRequestHead() else { return nil }
    let count = request["content-length"].flatMap { Int($0) } ?? 0
    request.body = readBody(count)
    return request.body.count == count ? request : nil
  }

  private mutating func fill() -> Bool {
    let more = connection.read()
    bytes.append(contentsOf: more)
    return !more.isEmpty
  }
}
